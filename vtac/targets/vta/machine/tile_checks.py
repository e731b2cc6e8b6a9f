"""Rules that a GEMM or ALU instruction breaks through its micro-ops: indices, hazards, unwritten tiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.targets.vta import rules
from vtac.targets.vta.isa import Alu, AluOpcode, Gemm
from vtac.targets.vta.machine.machine import Written

Indices = NDArray[np.int64]
Problem = tuple[str, str]
"""A broken rule: its kind and the sentence that says what is wrong."""


def operand_memories(instruction: Gemm | Alu) -> list[tuple[str, MemoryName, int, int]]:
    """The operands of a tile operation: micro-op field, memory, and what either loop adds to the index."""
    dst = ("dst", "acc", instruction.dst_factor_out, instruction.dst_factor_in)
    src_factors = instruction.src_factor_out, instruction.src_factor_in
    match instruction:
        case Gemm(reset=True):
            return [dst]
        case Gemm():
            wgt_factors = instruction.wgt_factor_out, instruction.wgt_factor_in
            return [dst, ("src", "inp", *src_factors), ("wgt", "wgt", *wgt_factors)]
        case Alu():
            return [dst, ("src", "acc", *src_factors)]


def check_indices(instruction: Gemm | Alu, micro_ops: Indices, config: VTAConfig) -> Problem | None:
    """Whether all indices lie inside their memories. `micro_ops` has shape (n, 3), n > 0, trips > 0.

    Factors are not negative, so the last iteration of both loops has the highest indices.
    """
    for place, (operand, memory, factor_out, factor_in) in enumerate(operand_memories(instruction)):
        offset = (instruction.iter_out - 1) * factor_out + (instruction.iter_in - 1) * factor_in
        highest = int(micro_ops[:, place].max()) + offset
        if highest >= config.capacity(memory):
            return "index-range", rules.beyond_index(operand, highest, memory, config.capacity(memory))
    return None


def check_hazards(instruction: Alu, dst: Indices, src: Indices) -> Problem | None:
    """The hardware's ALU hazards, for indices of all tile operations in order, shape (n,)."""
    if instruction.use_imm and (dst != src).any():
        return "immediate-source", rules.source_differs()
    clash = dst[1:] == dst[:-1]
    if not instruction.use_imm:
        clash = clash | (src[1:] == dst[:-1])
    if clash.any():
        at = int(np.argmax(clash)) + 1
        return "alu-hazard", rules.reads_just_written(int(dst[at - 1]))
    return None


def check_written(memory: MemoryName, indices: Indices, written: Written) -> Problem | None:
    """Whether all elements of `memory` that are read hold something."""
    holds = written[memory][indices]
    if holds.all():
        return None
    return "unwritten", rules.never_written(f"{memory.upper()} element {indices[np.argmin(holds)]}")


def check_storable(tiles: Indices, written: Written) -> Problem | None:
    """Whether the hardware's OUT buffer holds the ACC tiles that a STORE reads."""
    missing = check_written("acc", tiles, written)
    if missing is not None:
        return missing
    holds = written["out"][tiles]
    if holds.all():
        return None
    tile = tiles[np.argmin(holds)]
    return "store-source", rules.not_computed(f"ACC tile {tile}")


def check_shift_amounts(instruction: Alu, amounts: NDArray[np.int32], *, hls: bool) -> Problem | None:
    """Whether tensor shift amounts mean the same to the hardware: 0 to 31 (-31 to 0 under a negative imm field)."""
    if instruction.opcode is not AluOpcode.SHR or instruction.use_imm:
        return None
    low, high = rules.shift_range(instruction.imm < 0, hls=hls)
    bad = (amounts < low) | (amounts > high)
    if not bad.any():
        return None
    amount = amounts[bad].flat[0]
    return "shift", f"shifts by {amount}; {rules.amounts(low, high)}"
