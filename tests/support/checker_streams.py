"""Instruction streams and what can be done to one: change its bits, run it in any order; no checker is used."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import (
    Alu,
    Finish,
    Gemm,
    Instruction,
    Load,
    Memory,
    MicroOp,
    Store,
    Unit,
    encode,
    encode_micro_ops,
    unit_of,
)
from vtac.targets.vta.machine import execute_reference

CONFIG = VTAConfig()
INP, WGT, ACC, OUT, UOP, END = 0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000
TILES = {"inp": 16, "wgt": 8, "acc": 16}

Bit = Literal["pop_prev", "pop_next", "push_prev", "push_next"]
Tile = tuple[str, int]
Image = NDArray[np.uint8]

# Push bit and pop bit of the queue from one unit to another.
QUEUE_BITS: dict[tuple[Unit, Unit], tuple[Bit, Bit]] = {
    (Unit.LOAD, Unit.COMPUTE): ("push_next", "pop_prev"),
    (Unit.COMPUTE, Unit.LOAD): ("push_prev", "pop_next"),
    (Unit.COMPUTE, Unit.STORE): ("push_next", "pop_prev"),
    (Unit.STORE, Unit.COMPUTE): ("push_prev", "pop_next"),
}

NOPS: dict[Unit, Instruction] = {
    Unit.LOAD: Load(Memory.INP, 0, 0, 0, 0, 0),
    Unit.COMPUTE: Load(Memory.UOP, 0, 0, 0, 0, 0),
    Unit.STORE: Store(Memory.OUT, 0, 0, 0, 0, 0),
}


@dataclass
class Program:
    """Instructions and the memory image they run on."""

    instructions: list[Instruction]
    image: Image
    config: VTAConfig = CONFIG

    @property
    def data(self) -> bytes:
        return encode(self.instructions, self.config)

    def run(self, order: random.Random | None = None, *, strict: bool = True) -> bytes:
        """The memory after a run, units taking turns as `order` draws them."""
        image = self.image.copy()
        execute_reference(self.data, image, self.config, strict=strict, order=order)
        return image.tobytes()


class Favour(random.Random):
    """Draws that mostly let one unit run ahead of the others: 0 load, 1 compute, 2 store, 3 none."""

    unit = 3

    def choice(self, seq: Sequence[int]) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.unit if self.unit in seq and self.random() < 0.9 else super().choice(seq)


def orders(count: int) -> list[random.Random]:
    """Schedules of the units: each unit favoured in turn, and unbiased ones."""
    found: list[random.Random] = []
    for seed in range(count):
        draw = Favour(seed)
        draw.unit = seed % 4
        found.append(draw)
    return found


def with_bit(instruction: Instruction, bit: Bit, value: bool) -> Instruction:
    return replace(instruction, dependences=replace(instruction.dependences, **{bit: value}))


def token_pairs(instructions: list[Instruction]) -> list[tuple[int, Bit, int, Bit]]:
    """Every token as (pushing instruction, its bit, popping instruction, its bit): the k-th push meets the k-th pop."""
    pairs: list[tuple[int, Bit, int, Bit]] = []
    for (producer, consumer), (push, pop) in QUEUE_BITS.items():
        pushes = [i for i, x in enumerate(instructions) if unit_of(x) is producer and getattr(x.dependences, push)]
        pops = [i for i, x in enumerate(instructions) if unit_of(x) is consumer and getattr(x.dependences, pop)]
        pairs.extend((i, push, j, pop) for i, j in zip(pushes, pops, strict=False))
    return pairs


def without_pair(program: Program, pair: tuple[int, Bit, int, Bit]) -> Program:
    pusher, push, popper, pop = pair
    instructions = list(program.instructions)
    instructions[pusher] = with_bit(instructions[pusher], push, False)
    instructions[popper] = with_bit(instructions[popper], pop, False)
    return replace(program, instructions=instructions)


def memory_image(seed: int, micro_ops: list[MicroOp]) -> Image:
    """Random bytes, and micro-ops at `UOP`."""
    image = np.random.default_rng(seed).integers(0, 256, END, np.uint8)
    words = encode_micro_ops(micro_ops, CONFIG)
    image[UOP : UOP + len(words)] = np.frombuffer(words, np.uint8)
    return image


def tile_operations(kernel: Gemm | Alu, micro_ops: list[MicroOp]) -> list[tuple[int, int, int]]:
    """The indices dst, src, wgt of every tile operation in order."""
    used = micro_ops[kernel.uop_bgn : kernel.uop_end]
    wgt_out, wgt_in = (kernel.wgt_factor_out, kernel.wgt_factor_in) if isinstance(kernel, Gemm) else (0, 0)
    return [
        (
            op.dst + o * kernel.dst_factor_out + i * kernel.dst_factor_in,
            op.src + o * kernel.src_factor_out + i * kernel.src_factor_in,
            op.wgt + o * wgt_out + i * wgt_in,
        )
        for o, i, op in product(range(kernel.iter_out), range(kernel.iter_in), used)
    ]


def touched(instruction: Instruction, micro_ops: list[MicroOp]) -> tuple[set[Tile], set[Tile]]:
    """The tiles that an instruction reads and those that it writes, one by one."""
    match instruction:
        case Load(memory=Memory.UOP) | Finish():
            return set(), set()
        case Load() | Store():
            name = "acc" if instruction.memory in (Memory.ACC, Memory.OUT) else instruction.memory.name.lower()
            height = instruction.y_pad_0 + instruction.y_size + instruction.y_pad_1
            width = instruction.x_pad_0 + instruction.x_size + instruction.x_pad_1
            tiles = {(name, instruction.sram_base + n) for n in range(height * width if instruction.x_size else 0)}
            return (tiles, set()) if isinstance(instruction, Store) else (set(), tiles)
        case Gemm():
            operations = tile_operations(instruction, micro_ops)
            dst = {("acc", op[0]) for op in operations}
            reads = dst | {("inp", op[1]) for op in operations} | {("wgt", op[2]) for op in operations}
            return (set(), dst) if instruction.reset else (reads, dst)
        case Alu():
            operations = tile_operations(instruction, micro_ops)
            dst = {("acc", op[0]) for op in operations}
            return dst | {("acc", op[1]) for op in operations}, dst
