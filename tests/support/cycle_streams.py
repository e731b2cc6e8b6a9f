"""Random legal streams for the cycle tests."""

from __future__ import annotations

import random
from dataclasses import replace

from cycle_programs import BOTH_POPS, POP_NEXT, POP_PREV, PUSH_NEXT, PUSH_PREV, compute_nop, load_nop, store_nop

from vtac.targets.vta.isa import (
    Alu,
    AluOpcode,
    Dependences,
    Finish,
    Gemm,
    Instruction,
    Load,
    Memory,
    Store,
    Unit,
    unit_of,
)


def random_stream(seed: int, count: int = 40) -> list[Instruction]:
    """A stream of loads of all kinds, pads, NOPs, GEMM, ALU and stores that cannot deadlock.

    An instruction pops only tokens that earlier ones have posted.
    """
    rng = random.Random(seed)
    makers = (_random_load, _random_load, _random_load, _random_gemm, _random_alu, _random_store, _random_nop)
    weights = [rng.random() for _ in makers]
    eagerness = rng.choice((0.0, 0.2, 0.5))
    tokens: dict[str, int] = {"l2g": 0, "g2l": 0, "s2g": 0, "g2s": 0}
    program: list[Instruction] = []
    for _ in range(rng.randint(1, count)):
        instruction = rng.choices(makers, weights)[0](rng)
        program.append(replace(instruction, dependences=_random_tokens(rng, unit_of(instruction), tokens, eagerness)))
    program += [compute_nop(POP_PREV)] * tokens["l2g"] + [compute_nop(POP_NEXT)] * tokens["s2g"]
    return [*program, load_nop(PUSH_NEXT), store_nop(PUSH_PREV), compute_nop(BOTH_POPS), Finish()]


def _random_tokens(rng: random.Random, unit: Unit, tokens: dict[str, int], eagerness: float) -> Dependences:
    pops = {Unit.LOAD: ("", "g2l"), Unit.COMPUTE: ("l2g", "s2g"), Unit.STORE: ("g2s", "")}[unit]
    pushes = {Unit.LOAD: ("", "l2g"), Unit.COMPUTE: ("g2l", "g2s"), Unit.STORE: ("s2g", "")}[unit]
    popped = [bool(name) and tokens[name] > 0 and rng.random() < 0.5 for name in pops]
    pushed = [bool(name) and rng.random() < eagerness for name in pushes]
    for name, bit in zip(pops, popped, strict=True):
        tokens[name] = tokens.get(name, 0) - bit
    for name, bit in zip(pushes, pushed, strict=True):
        tokens[name] = tokens.get(name, 0) + bit
    return Dependences(*popped, *pushed)


def _random_load(rng: random.Random) -> Load:
    memory, size = rng.choice(((Memory.UOP, 200), (Memory.INP, 100), (Memory.WGT, 9), (Memory.ACC, 30)))
    rows = rng.choice((1, 1, rng.randint(1, 9)))
    columns = max(1, rng.randint(1, size) // rows)
    top, bottom, left, right = (rng.choice((0, 0, 1, 3)) if rng.random() < 0.4 else 0 for _ in range(4))
    stride = rng.choice((columns, columns + rng.randint(0, 9)))
    return Load(memory, 0, rng.randrange(4096), rows, columns, stride, top, bottom, left, right)


def _random_gemm(rng: random.Random) -> Gemm:
    first, count = rng.randrange(9), rng.choice((1, 2, 9))
    return Gemm(rng.random() < 0.2, first, first + count, rng.randint(1, 5), rng.randint(1, 5), 0, 0, 0, 0, 0, 0)


def _random_alu(rng: random.Random) -> Alu:
    return Alu(rng.choice(tuple(AluOpcode)[:4]), rng.random() < 0.5, 1, 0, 1, 1, rng.randint(1, 40), 0, 1, 0, 1)


def _random_store(rng: random.Random) -> Store:
    rows, columns = rng.choice((1, 1, rng.randint(1, 9))), rng.randint(1, 20)
    return Store(Memory.OUT, 0, rng.randrange(4096), rows, columns, rng.choice((columns, rng.randrange(40))))


def _random_nop(rng: random.Random) -> Instruction:
    return rng.choice((load_nop, compute_nop, store_nop))()
