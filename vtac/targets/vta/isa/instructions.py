"""The five instructions and the micro-op as records of plain integers.

A record says what an instruction word holds and nothing of how it is encoded: any integer can
stand in a field here, and `vtac.targets.vta.isa.encode` refuses what does not fit the bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple


class Opcode(IntEnum):
    """Bits 2:0 of every instruction."""

    LOAD = 0
    STORE = 1
    GEMM = 2
    FINISH = 3
    ALU = 4


class Memory(IntEnum):
    """The memory id of LOAD and STORE. `ACC_8BIT` loads i8 and widens to the i32 accumulator."""

    UOP = 0
    WGT = 1
    INP = 2
    ACC = 3
    OUT = 4
    ACC_8BIT = 5


class AluOpcode(IntEnum):
    """`SHR` is arithmetic and shifts left by a negative amount; `MUL` exists in simulators only."""

    MIN = 0
    MAX = 1
    ADD = 2
    SHR = 3
    MUL = 4


class Unit(Enum):
    """The units, each of which executes its own instructions in order."""

    LOAD = "load"
    COMPUTE = "compute"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Dependences:
    """Token bits. Compute's `prev` is load and its `next` store; load has only `next`, store only `prev`."""

    pop_prev: bool = False
    pop_next: bool = False
    push_prev: bool = False
    push_next: bool = False


NO_DEPENDENCES = Dependences()


@dataclass(frozen=True, slots=True)
class Load:
    """DRAM to SRAM: `y_size` rows of `x_size` elements, `x_stride` elements apart in DRAM, zero pads around.

    All sizes count elements of `memory`; `y_pad_0` is above, `y_pad_1` below, `x_pad_0` left, `x_pad_1` right.
    The padded block is contiguous in SRAM.
    """

    memory: Memory
    sram_base: int
    dram_base: int
    y_size: int
    x_size: int
    x_stride: int
    y_pad_0: int = 0
    y_pad_1: int = 0
    x_pad_0: int = 0
    x_pad_1: int = 0
    dependences: Dependences = NO_DEPENDENCES


@dataclass(frozen=True, slots=True)
class Store:
    """Accumulator tiles to DRAM, low 8 bits of each number. Pads have bits but no meaning: nonzero is illegal."""

    memory: Memory
    sram_base: int
    dram_base: int
    y_size: int
    x_size: int
    x_stride: int
    y_pad_0: int = 0
    y_pad_1: int = 0
    x_pad_0: int = 0
    x_pad_1: int = 0
    dependences: Dependences = NO_DEPENDENCES


@dataclass(frozen=True, slots=True)
class Gemm:
    """For `iter_out`, for `iter_in`, for each micro-op of [uop_bgn, uop_end): acc[dst] += inp[src] x wgt[wgt].

    The factors are what an iteration of either loop adds to the micro-op's indices. With `reset`
    the accumulator tiles become zero instead.
    """

    reset: bool
    uop_bgn: int
    uop_end: int
    iter_out: int
    iter_in: int
    dst_factor_out: int
    dst_factor_in: int
    src_factor_out: int
    src_factor_in: int
    wgt_factor_out: int
    wgt_factor_in: int
    dependences: Dependences = NO_DEPENDENCES


@dataclass(frozen=True, slots=True)
class Alu:
    """The same loops as `Gemm`: acc[dst] = opcode(acc[dst], imm if use_imm else acc[src]), elementwise."""

    opcode: AluOpcode
    use_imm: bool
    imm: int
    uop_bgn: int
    uop_end: int
    iter_out: int
    iter_in: int
    dst_factor_out: int
    dst_factor_in: int
    src_factor_out: int
    src_factor_in: int
    dependences: Dependences = NO_DEPENDENCES


@dataclass(frozen=True, slots=True)
class Finish:
    """Ends the run; the last instruction of a stream."""

    dependences: Dependences = NO_DEPENDENCES


Instruction = Load | Store | Gemm | Alu | Finish


class MicroOp(NamedTuple):
    """Indices of one tile operation. `src` is an INP index in a GEMM, an ACC index in an ALU instruction."""

    dst: int
    src: int
    wgt: int


def unit_of(instruction: Instruction) -> Unit:
    """The unit that executes an instruction: a LOAD goes to load or compute by its memory."""
    match instruction:
        case Load(memory=Memory.INP | Memory.WGT):
            return Unit.LOAD
        case Store():
            return Unit.STORE
        case _:
            return Unit.COMPUTE


def is_nop(instruction: Instruction) -> bool:
    """Whether this is a memory instruction with `x_size` 0, which does nothing but carry token bits."""
    return isinstance(instruction, Load | Store) and instruction.x_size == 0
