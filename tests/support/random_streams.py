"""Random legal instruction streams.

A stream is drawn as a sequential program; tokens are added where its own brute-force footprints
say that two units touch the same tile. Nothing here uses the checker.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from checker_streams import (
    ACC,
    INP,
    NOPS,
    OUT,
    QUEUE_BITS,
    TILES,
    UOP,
    WGT,
    Program,
    Tile,
    memory_image,
    tile_operations,
    touched,
    with_bit,
)

from vtac.targets.vta.isa import (
    Alu,
    AluOpcode,
    Finish,
    Gemm,
    Instruction,
    Load,
    Memory,
    MicroOp,
    Store,
    Unit,
    unit_of,
)


@dataclass
class _Builder:
    """Appends instructions and the tokens that their tiles need."""

    rng: random.Random
    micro_ops: list[MicroOp]
    thrift: float
    instructions: list[Instruction] = field(default_factory=list[Instruction])
    accesses: list[tuple[set[Tile], set[Tile]]] = field(default_factory=list[tuple[set[Tile], set[Tile]]])
    # The last instruction of each unit that is complete before whatever a unit starts next.
    known: dict[tuple[Unit, Unit], int] = field(default_factory=dict[tuple[Unit, Unit], int])

    def append(self, instruction: Instruction) -> None:
        unit = unit_of(instruction)
        reads, writes = touched(instruction, self.micro_ops)
        for other in Unit:
            conflict = self._conflict(other, reads, writes)
            if conflict is None or other is unit:
                continue
            ordered = self.known.get((unit, other), -1) >= conflict
            if not ordered or self.rng.random() > self.thrift:
                instruction = self.token(other, instruction)
        self._push_back(instruction, reads, writes)

    def token(self, producer: Unit, instruction: Instruction) -> Instruction:
        """`instruction` with a pop of a token that the producer's latest instruction, or a NOP, pushes."""
        consumer = unit_of(instruction)
        push, pop = QUEUE_BITS[producer, consumer]
        last = max((i for i, x in enumerate(self.instructions) if unit_of(x) is producer), default=None)
        if last is None or getattr(self.instructions[last].dependences, push) or self.rng.random() < 0.2:
            self._push_back(NOPS[producer], set(), set())
            last = len(self.instructions) - 1
        self.instructions[last] = with_bit(self.instructions[last], push, True)
        for unit in Unit:
            seen = last if unit is producer else self.known.get((producer, unit), -1)
            self.known[consumer, unit] = max(seen, self.known.get((consumer, unit), -1))
        return with_bit(instruction, pop, True)

    def _conflict(self, other: Unit, reads: set[Tile], writes: set[Tile]) -> int | None:
        for index in range(len(self.instructions) - 1, -1, -1):
            before_reads, before_writes = self.accesses[index]
            meets = before_writes & (reads | writes) or before_reads & writes
            if unit_of(self.instructions[index]) is other and meets:
                return index
        return None

    def _push_back(self, instruction: Instruction, reads: set[Tile], writes: set[Tile]) -> None:
        self.instructions.append(instruction)
        self.accesses.append((reads, writes))


def _block(rng: random.Random, memory: Memory, base: int, element_bytes: int) -> Load:
    name = memory.name.lower()
    start = rng.randrange(TILES[name])
    room = TILES[name] - start
    rows = rng.randint(1, min(2, room))
    columns = rng.randint(1, room // rows)
    left = rng.randint(0, 1) if rows * (columns + 1) <= room else 0
    stride = rng.randint(1, 4)
    return Load(memory, start, base // element_bytes + rng.randrange(8), rows, columns, stride, x_pad_0=left)


class _Loops(NamedTuple):
    uop_bgn: int
    uop_end: int
    iter_out: int
    iter_in: int
    dst_factor_out: int
    dst_factor_in: int
    src_factor_out: int
    src_factor_in: int


def _loops(rng: random.Random, count: int) -> _Loops:
    begin = rng.randrange(count)
    end, outer, inner = rng.randint(begin + 1, count), rng.randint(1, 2), rng.randint(1, 2)
    return _Loops(begin, end, outer, inner, *(rng.randint(0, 4) for _ in range(4)))


def _draw(rng: random.Random, count: int) -> Instruction:
    kind = rng.choice(["inp", "wgt", "acc", "gemm", "gemm", "reset", "alu", "alu", "store", "store"])
    match kind:
        case "inp":
            return _block(rng, Memory.INP, INP, 16)
        case "wgt":
            return _block(rng, Memory.WGT, WGT, 256)
        case "acc":
            return _block(rng, Memory.ACC, ACC, 64)
        case "gemm" | "reset":
            return Gemm(kind == "reset", *_loops(rng, count), rng.randint(0, 2), rng.randint(0, 2))
        case "alu":
            opcode = rng.choice([AluOpcode.MIN, AluOpcode.MAX, AluOpcode.ADD, AluOpcode.SHR])
            immediate = opcode is AluOpcode.SHR or rng.random() < 0.3
            imm = rng.randint(-31, 31) if immediate else 0
            return Alu(opcode, immediate, imm, *_loops(rng, count))
        case _:
            start = rng.randrange(TILES["acc"])
            columns = rng.randint(1, TILES["acc"] - start)
            return Store(Memory.OUT, start, OUT // 16 + rng.randrange(64), 1, columns, columns)


def _legal(instruction: Instruction, micro_ops: list[MicroOp], written: set[Tile], computed: set[Tile]) -> bool:
    reads = touched(instruction, micro_ops)[0]
    if isinstance(instruction, Store):
        return reads <= computed
    if not reads <= written:
        return False
    if isinstance(instruction, Alu):
        operations = tile_operations(instruction, micro_ops)
        if instruction.use_imm and any(dst != src for dst, src, _ in operations):
            return False
        reads = 1 if instruction.use_imm else 2
        return all(before[0] not in after[:reads] for before, after in pairwise(operations))
    return True


def random_program(seed: int, length: int = 24, thrift: float = 0.8) -> Program:
    """A program without fault; `thrift` is the chance that a token is left out where order holds already."""
    rng = random.Random(seed)
    micro_ops = [MicroOp(rng.randrange(8), rng.randrange(8), rng.randrange(4)) for _ in range(6)]
    micro_ops += [MicroOp(dst, dst, dst % 4) for dst in rng.sample(range(8), 6)]
    builder = _Builder(rng, micro_ops, thrift)
    written: set[Tile] = set()
    computed: set[Tile] = set()
    whole = [Load(Memory.INP, 0, INP // 16, 1, 16, 16), Load(Memory.WGT, 0, WGT // 256, 1, 8, 8)]
    whole += [Load(Memory.ACC, 0, ACC // 64, 1, 16, 16)]
    pending: list[Instruction] = [Load(Memory.UOP, 0, UOP // 4, 1, 12, 12)]
    pending += [load for load in whole if rng.random() < 0.7]
    while len(builder.instructions) < length or pending:
        instruction = pending.pop(0) if pending else _draw(rng, len(micro_ops))
        if not _legal(instruction, micro_ops, written, computed):
            continue
        builder.append(instruction)
        writes = touched(instruction, micro_ops)[1]
        written |= writes
        plain = isinstance(instruction, Load) or (isinstance(instruction, Gemm) and instruction.reset)
        computed = computed - writes if plain else computed | writes
    _finish(builder)
    return Program(builder.instructions, memory_image(seed, micro_ops))


def _finish(builder: _Builder) -> None:
    """Wait for both other units, then end."""
    for unit in (Unit.LOAD, Unit.STORE):
        if any(unit_of(instruction) is unit for instruction in builder.instructions):
            builder.append(builder.token(unit, NOPS[Unit.COMPUTE]))
    builder.append(Finish())
