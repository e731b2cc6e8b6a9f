"""Instruction streams on numbers and z3 terms, one tile operation at a time, from the instruction set's description.

Accumulators are 32 bits that wrap; GEMM multiplies signed bytes; a store keeps the low 8 bits. Addresses and
micro-ops must be numbers: they never depend on data. This is written beside `vtac.targets.vta.machine`, not with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import z3
from symbolic_linalg import Symbols, symbols
from symbolic_scalars import Integer, Scalar, resized, settled, term, wrapped

from vtac.targets.vta.isa import Alu, AluOpcode, Gemm, Instruction, Load, Memory, Store, decode, decode_micro_ops
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.stream.layout import Buffer

Tile = list[Integer]


class SymbolicMachine:
    """The memories of a VTA with a program's constants in DRAM."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.config = config = program.config
        image = program.memory_image()
        self.dram: list[Integer] = [wrapped(byte, 8) for byte in image.tolist()]
        self.uop: dict[int, bytes] = {}
        self.inp: dict[int, Tile] = {}
        self.wgt: dict[int, Tile] = {}
        self.acc: dict[int, Tile] = {}
        lanes = config.batch * config.block_out
        self.sizes = {
            Memory.UOP: 4,
            Memory.INP: config.batch * config.block_in,
            Memory.WGT: config.block_out * config.block_in,
            Memory.ACC: 4 * lanes,
            Memory.ACC_8BIT: lanes,
            Memory.OUT: lanes,
        }

    def run(self, arguments: Sequence[Symbols]) -> tuple[Symbols, ...]:
        """The results for arguments in the order of the program's."""
        for buffer, array in zip(self.program.arguments, arguments, strict=True):
            self._write(buffer, array)
        for instruction in decode(self.program.instructions, self.config):
            self._step(instruction)
        return tuple(self._read(buffer) for buffer in self.program.results)

    def _write(self, buffer: Buffer, array: Symbols) -> None:
        width = np.dtype(buffer.dtype).itemsize
        elements: list[Scalar] = array.reshape(-1).tolist()
        for place, value in enumerate(elements):
            for byte in range(width):
                self.dram[buffer.address + place * width + byte] = _byte(value, byte, 8 * width)

    def _read(self, buffer: Buffer) -> Symbols:
        width = np.dtype(buffer.dtype).itemsize
        count = buffer.nbytes // width
        starts = [buffer.address + place * width for place in range(count)]
        return symbols(buffer.shape, [_joined(self.dram[start : start + width]) for start in starts])

    def _step(self, instruction: Instruction) -> None:
        match instruction:
            case Load():
                self._load(instruction)
            case Store():
                self._store(instruction)
            case Gemm():
                self._gemm(instruction)
            case Alu():
                self._alu(instruction)
            case _:
                pass

    def _load(self, load: Load) -> None:
        if not load.x_size:
            return
        size = self.sizes[load.memory]
        width = load.x_pad_0 + load.x_size + load.x_pad_1
        for row in range(load.y_pad_0 + load.y_size + load.y_pad_1):
            for column in range(width):
                y, x = row - load.y_pad_0, column - load.x_pad_0
                is_pad = not (0 <= y < load.y_size and 0 <= x < load.x_size)
                start = (load.dram_base + y * load.x_stride + x) * size
                data = [0] * size if is_pad else self.dram[start : start + size]
                self._fill(load.memory, load.sram_base + row * width + column, data)

    def _fill(self, memory: Memory, place: int, data: Sequence[Integer]) -> None:
        match memory:
            case Memory.UOP:
                self.uop[place] = bytes(byte & 255 for byte in data if isinstance(byte, int))
            case Memory.INP:
                self.inp[place] = list(data)
            case Memory.WGT:
                self.wgt[place] = list(data)
            case Memory.ACC_8BIT:
                self.acc[place] = [resized(byte, 8, 32) for byte in data]
            case _:
                self.acc[place] = [_joined(data[lane : lane + 4]) for lane in range(0, len(data), 4)]

    def _store(self, store: Store) -> None:
        size = self.sizes[Memory.OUT]
        for row in range(store.y_size if store.x_size else 0):
            for column in range(store.x_size):
                start = (store.dram_base + row * store.x_stride + column) * size
                tile = self.acc[store.sram_base + row * store.x_size + column]
                self.dram[start : start + size] = [_byte(value, 0, 32) for value in tile]

    def _operations(self, instruction: Gemm | Alu) -> Iterator[tuple[int, int, int]]:
        words = b"".join(self.uop[place] for place in range(instruction.uop_bgn, instruction.uop_end))
        micro_ops = decode_micro_ops(words, self.config)
        wgt = (instruction.wgt_factor_out, instruction.wgt_factor_in) if isinstance(instruction, Gemm) else (0, 0)
        for outer in range(instruction.iter_out):
            for inner in range(instruction.iter_in):
                for one in micro_ops:
                    yield (
                        one.dst + outer * instruction.dst_factor_out + inner * instruction.dst_factor_in,
                        one.src + outer * instruction.src_factor_out + inner * instruction.src_factor_in,
                        one.wgt + outer * wgt[0] + inner * wgt[1],
                    )

    def _gemm(self, gemm: Gemm) -> None:
        lanes, depth = self.config.block_out, self.config.block_in
        for dst, src, wgt in self._operations(gemm):
            if gemm.reset:
                self.acc[dst] = [0] * (self.config.batch * lanes)
                continue
            data, weights, total = self.inp[src], self.wgt[wgt], self.acc[dst]
            for place in range(len(total)):
                row, lane = divmod(place, lanes)
                factors = zip(
                    data[row * depth : (row + 1) * depth], weights[lane * depth : (lane + 1) * depth], strict=True
                )
                for x, w in factors:
                    total[place] = _plus_product(total[place], x, w)

    def _alu(self, alu: Alu) -> None:
        for dst, src, _ in self._operations(alu):
            operands = [alu.imm] * len(self.acc[dst]) if alu.use_imm else self.acc[src]
            self.acc[dst] = [_alu(alu.opcode, a, b) for a, b in zip(self.acc[dst], operands, strict=True)]


def _byte(value: Scalar, byte: int, bits: int) -> Integer:
    if isinstance(value, int):
        return wrapped(value >> (8 * byte), 8)
    whole = term(value, bits)
    return settled(z3.Extract(8 * byte + 7, 8 * byte, whole)) if bits > 8 else whole


def _joined(data: Sequence[Integer]) -> Integer:
    """Bytes, lowest first, as one integer."""
    if all(isinstance(byte, int) for byte in data):
        return int.from_bytes(bytes(byte & 255 for byte in data if isinstance(byte, int)), "little", signed=True)
    return settled(z3.Concat(*(term(byte, 8) for byte in reversed(data)))) if len(data) > 1 else data[0]


def _plus_product(total: Integer, x: Integer, w: Integer) -> Integer:
    if (isinstance(x, int) and not x) or (isinstance(w, int) and not w):
        return total
    if isinstance(total, int) and isinstance(x, int) and isinstance(w, int):
        return wrapped(total + x * w, 32)
    return settled(term(total, 32) + term(resized(x, 8, 32), 32) * term(resized(w, 8, 32), 32))


def _alu(opcode: AluOpcode, a: Integer, b: Integer) -> Integer:
    """One lane. Amounts of 32 and more mean nothing: they are refused here."""
    if isinstance(a, int) and isinstance(b, int):
        return _alu_of_numbers(opcode, a, b)
    x, y = term(a, 32), term(b, 32)
    match opcode:
        case AluOpcode.MIN:
            return settled(z3.If(x < y, x, y))
        case AluOpcode.MAX:
            return settled(z3.If(x > y, x, y))
        case AluOpcode.ADD:
            return settled(x + y)
        case AluOpcode.SHR:
            if isinstance(b, int) and not -31 <= b <= 31:
                raise ValueError(f"a shift by {b}")
            if isinstance(b, int):
                return settled(x >> b if b >= 0 else x << -b)
            return settled(z3.If(y >= 0, x >> y, x << -y))
        case _:
            raise ValueError(f"{opcode.name}: the hardware does not have it")


def _alu_of_numbers(opcode: AluOpcode, a: int, b: int) -> int:
    match opcode:
        case AluOpcode.MIN:
            return min(a, b)
        case AluOpcode.MAX:
            return max(a, b)
        case AluOpcode.ADD:
            return wrapped(a + b, 32)
        case AluOpcode.SHR if -31 <= b <= 31:
            return wrapped(a >> b if b >= 0 else a << -b, 32)
        case _:
            raise ValueError(f"{opcode.name} by {b}: the hardware does not have it")
