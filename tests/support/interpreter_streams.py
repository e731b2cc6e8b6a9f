"""Random instruction streams: mostly legal, dense in overlaps, with tokens that match."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.targets.vta.isa import (
    Alu,
    AluOpcode,
    Dependences,
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

DEFAULT = VTAConfig()
WIDE = VTAConfig(log_batch=2, log_block=3, log_inp_buff_size=16, log_wgt_buff_size=16, log_acc_buff_size=18)
TINY = VTAConfig(
    log_batch=1, log_block=1, log_uop_buff_size=8, log_inp_buff_size=7, log_wgt_buff_size=7, log_acc_buff_size=9
)
CONFIGS = (DEFAULT, WIDE, TINY)

MICRO_OP_TABLE = 64
_EQUAL_INDICES = range(24, 48)
DRAM_BYTES = 1 << 14
_MICRO_OP_BASE = 0
_NEIGHBOURS = (
    (Unit.LOAD, Unit.COMPUTE, "push_next", "pop_prev"),
    (Unit.COMPUTE, Unit.LOAD, "push_prev", "pop_next"),
    (Unit.STORE, Unit.COMPUTE, "push_prev", "pop_next"),
    (Unit.COMPUTE, Unit.STORE, "push_next", "pop_prev"),
)


_SRAM: dict[Memory, MemoryName] = {Memory.WGT: "wgt", Memory.INP: "inp", Memory.ACC: "acc", Memory.ACC_8BIT: "acc"}
_WINDOWS: dict[MemoryName, int] = {"uop": 48, "inp": 48, "wgt": 24, "acc": 48}


class _Block(NamedTuple):
    sram_base: int
    dram_base: int
    y_size: int
    x_size: int
    x_stride: int


class _Loops(TypedDict):
    uop_bgn: int
    uop_end: int
    iter_out: int
    iter_in: int
    dst_factor_out: int
    dst_factor_in: int
    src_factor_out: int
    src_factor_in: int


class StreamWriter:
    """Draws instructions for one configuration from a small window of each memory, so that they meet."""

    def __init__(self, random: Random, config: VTAConfig, *, hardware: bool = False) -> None:
        self.random = random
        self.config = config
        self.hardware = hardware
        self.window = {name: min(config.capacity(name), limit) for name, limit in _WINDOWS.items()}

    def micro_ops(self) -> list[MicroOp]:
        """A table of micro-ops: runs that loops could have written, some that none could, and some with src == dst."""
        ops: list[MicroOp] = []
        while len(ops) < MICRO_OP_TABLE:
            start = [self.random.randrange(8) for _ in range(3)]
            steps = [self.random.randrange(3) for _ in range(3)]
            for place in range(self.random.choice([1, 2, 4, 6])):
                dst, src, wgt = (first + place * step for first, step in zip(start, steps, strict=True))
                ops.append(MicroOp(dst, src % 16, wgt % 8))
        for place in _EQUAL_INDICES:
            ops[place] = MicroOp(place - 24, place - 24, 0)
        return ops[:MICRO_OP_TABLE]

    def instruction(self) -> Instruction:
        """One instruction without token bits."""
        draw = self.random.choice([self._load, self._load, self._gemm, self._gemm, self._alu, self._alu, self._store])
        return draw()

    def _block(self, capacity: int, dram_elements: int) -> _Block:
        rows, columns = self.random.choice([(1, 1), (1, 4), (2, 3), (3, 2), (1, 1)])
        rows, columns = min(rows, capacity), min(columns, max(capacity // rows, 1))
        stride = self.random.choice([columns, columns + 1, 0, 1])
        reach = (rows - 1) * stride + columns
        base = self.random.randrange(capacity - rows * columns + 1)
        return _Block(base, self.random.randrange(max(dram_elements - reach, 0) + 1), rows, columns, stride)

    def _load(self) -> Instruction:
        memories = [Memory.UOP, Memory.WGT, Memory.INP, Memory.ACC]
        memory = self.random.choice(memories if self.hardware else [*memories, Memory.ACC_8BIT])
        if memory is Memory.UOP:
            limit = _EQUAL_INDICES.start if self.hardware else self.window["uop"]
            count = self.random.randrange(1, 24)
            base = self.random.randrange(limit - count + 1)
            first = self.random.randrange(MICRO_OP_TABLE - count + 1)
            return Load(memory, base, _MICRO_OP_BASE + first, 1, count, count)
        name = _SRAM[memory]
        unit = "out" if memory is Memory.ACC_8BIT else name
        load = Load(memory, *self._block(self.window[name], DRAM_BYTES // self.config.element_bytes(unit)))
        if self.random.random() < 0.6:
            return load
        if not self.hardware and self.random.random() < 0.2:
            load = replace(load, x_size=0) if self.random.random() < 0.5 else replace(load, y_size=0)
        top, bottom, left, right = (self.random.randrange(3) for _ in range(4))
        padded = replace(load, y_pad_0=top, y_pad_1=bottom, x_pad_0=left, x_pad_1=right, sram_base=0)
        elements = (top + load.y_size + bottom) * (left + load.x_size + right)
        return padded if elements <= self.config.capacity(name) else load

    def _store(self) -> Instruction:
        first_free = MICRO_OP_TABLE * 4 // self.config.out_element_bytes + 1
        block = self._block(self.window["acc"], DRAM_BYTES // self.config.out_element_bytes - first_free)
        store = Store(Memory.OUT, *block._replace(dram_base=block.dram_base + first_free))
        if self.random.random() < 0.9:
            return store
        return replace(store, x_size=0) if self.random.random() < 0.5 else replace(store, y_size=0)

    def _loops(self) -> _Loops:
        begin = self.random.randrange(min(24, self.window["uop"] - 1))
        end = begin + self.random.choice([1, 2, 4, 6])
        dst_out, dst_in, src_out, src_in = (self.random.choice([0, 1, 1, 2, 4]) for _ in range(4))
        return {
            "uop_bgn": begin,
            "uop_end": min(end, self.window["uop"]),
            "iter_out": self.random.choice([1, 1, 2, 3, 5]),
            "iter_in": self.random.choice([1, 1, 2, 4]),
            "dst_factor_out": dst_out,
            "dst_factor_in": dst_in,
            "src_factor_out": src_out,
            "src_factor_in": src_in,
        }

    def _gemm(self) -> Instruction:
        wgt_out, wgt_in = (self.random.choice([0, 0, 1, 2]) for _ in range(2))
        reset = self.random.random() < 0.25
        return Gemm(reset, **self._loops(), wgt_factor_out=wgt_out, wgt_factor_in=wgt_in)

    def _alu(self) -> Instruction:
        opcodes = [opcode for opcode in AluOpcode if not (self.hardware and opcode is AluOpcode.MUL)]
        opcode = self.random.choice(opcodes)
        use_imm = self.random.random() < (0.9 if self.hardware else 0.5)
        shift = opcode is AluOpcode.SHR
        imm = self.random.randrange(-12, 13) if shift else self.random.choice([-32768, -7, 0, 3, 127, 32767])
        loops = self._loops()
        if self.hardware and use_imm:
            begin = self.random.choice(_EQUAL_INDICES[:-6])
            loops["uop_bgn"], loops["uop_end"] = begin, begin + self.random.randrange(2, 6)
            loops["src_factor_out"], loops["src_factor_in"] = loops["dst_factor_out"], loops["dst_factor_in"]
        return Alu(opcode, use_imm, imm if use_imm else 0, **loops)


def with_tokens(random: Random, instructions: list[Instruction], pairs: int) -> list[Instruction]:
    """The instructions with up to `pairs` pushes, each followed by its pop."""
    result = list(instructions)
    for _ in range(pairs):
        producer, consumer, push, pop = random.choice(_NEIGHBOURS)
        first, second = sorted(random.choices(range(len(result)), k=2))
        if unit_of(result[first]) is not producer or unit_of(result[second]) is not consumer:
            continue
        bits = result[first].dependences, result[second].dependences
        if not getattr(bits[0], push) and not getattr(bits[1], pop):
            result[first] = replace(result[first], dependences=replace(bits[0], **{push: True}))
            result[second] = replace(result[second], dependences=replace(bits[1], **{pop: True}))
    return result


def interleave(random: Random, instructions: list[Instruction]) -> list[Instruction]:
    """Another order of the same instructions that keeps each unit's own order."""
    waiting = [[one for one in instructions if unit_of(one) is unit] for unit in Unit]
    result: list[Instruction] = []
    while any(waiting):
        result.append(random.choice([queue for queue in waiting if queue]).pop(0))
    return result


def initialise(config: VTAConfig, writer: StreamWriter) -> list[Instruction]:
    """Instructions that write the windows of all memories, OUT too, so that nothing unwritten is read."""
    window = writer.window
    count = min(window["uop"], MICRO_OP_TABLE)
    loads: list[Instruction] = [Load(Memory.UOP, 0, _MICRO_OP_BASE, 1, count, count)]
    for memory in (Memory.INP, Memory.WGT, Memory.ACC):
        name = _SRAM[memory]
        tiles = min(config.capacity(name), 2 * window[name], DRAM_BYTES // config.element_bytes(name))
        loads.append(Load(memory, 0, 0, 1, tiles, tiles))
    acc = min(config.capacity("acc"), 2 * window["acc"])
    return [*loads, Alu(AluOpcode.ADD, True, 0, 24, 25, acc, 1, 1, 0, 1, 0)]


def random_stream(random: Random, config: VTAConfig, length: int, *, hardware: bool = False) -> bytes:
    """An instruction stream; with `hardware` most instructions keep the strict rules."""
    writer = StreamWriter(random, config, hardware=hardware)
    body = [writer.instruction() for _ in range(length)]
    if hardware or random.random() < 0.5:
        body = initialise(config, writer) + body
    body = with_tokens(random, body, 2 * length)
    if random.random() < 0.3:
        body = interleave(random, body)
    return encode([*body, Finish(Dependences())], config)


def random_image(random: Random, config: VTAConfig) -> NDArray[np.uint8]:
    """A memory image of random bytes that begins with a table of micro-ops."""
    image = np.frombuffer(random.randbytes(DRAM_BYTES + random.randrange(4)), np.uint8).copy()
    table = encode_micro_ops(StreamWriter(random, config).micro_ops(), config)
    image[: len(table)] = np.frombuffer(table, np.uint8)
    return image
