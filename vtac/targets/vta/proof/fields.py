"""Findings that one instruction's own fields decide: ranges, and encodings the hardware gets wrong.

Strict execution finds the same from the columns of the whole stream (`machine/static_checks.py`); the two share limits
and words, not code.
"""

from __future__ import annotations

import numpy as np

from vtac.targets.vta import rules
from vtac.targets.vta.isa import Alu, AluOpcode, Gemm, Load, Memory, Store, is_nop
from vtac.targets.vta.machine.stream import SRAM_OF
from vtac.targets.vta.proof.dram import FIXED, DramMap
from vtac.targets.vta.proof.finding import Report
from vtac.targets.vta.proof.stream import STORE, Stream


def sram_span(instruction: Load | Store) -> tuple[int, int]:
    """The half-open element range that a memory instruction fills or empties, pads included."""
    rows = instruction.y_pad_0 + instruction.y_size + instruction.y_pad_1
    columns = instruction.x_pad_0 + instruction.x_size + instruction.x_pad_1
    return instruction.sram_base, instruction.sram_base + rows * columns


def check_fields(stream: Stream, memory: DramMap, report: Report, *, acc_8bit: bool = False) -> list[bool]:
    """Report illegal fields; the result says of each instruction whether what it touches is well defined.

    `acc_8bit` accepts loads of ACC_8BIT. Of instructions that are alike one is looked at, and each where that
    finds anything.
    """
    clean = {index for index in stream.firsts if _is_clean(stream, index, acc_8bit)}
    doubted = memory.to_look_at(stream.starts, stream.ends, np.array(stream.unit) == STORE).tolist()
    sound = [True] * len(stream)
    for index, first in enumerate(stream.alike):
        if first not in clean:
            sound[index] = _check_own(stream, index, report, acc_8bit=acc_8bit)
        if sound[index] and doubted[index]:
            _check_dram(stream, index, memory, report)
    return sound


def _is_clean(stream: Stream, index: int, acc_8bit: bool) -> bool:
    found = Report()
    return _check_own(stream, index, found, acc_8bit=acc_8bit) and not len(found)


def _check_own(stream: Stream, index: int, report: Report, *, acc_8bit: bool) -> bool:
    """Check all fields but the address in DRAM."""
    instruction = stream.firsts[stream.alike[index]]
    if isinstance(instruction, Load | Store):
        sound = _check_memory_id(stream, index, instruction, report, acc_8bit=acc_8bit)
        return sound and _check_block(stream, index, instruction, report)
    if isinstance(instruction, Gemm | Alu):
        return _check_kernel(stream, index, instruction, report)
    return True


def _check_memory_id(stream: Stream, index: int, instruction: Load | Store, report: Report, *, acc_8bit: bool) -> bool:
    """Whether an instruction can address its memory; the NOP of the store unit names any."""
    if isinstance(instruction, Load) and instruction.memory is Memory.ACC_8BIT and not acc_8bit:
        report.add("memory", f"{stream.name(index)}: {rules.loads_narrow()}", index)
    problem = None
    if isinstance(instruction, Load) and instruction.memory is Memory.OUT:
        problem = rules.loads_out()
    if isinstance(instruction, Store) and instruction.memory is not Memory.OUT and not is_nop(instruction):
        problem = rules.stores_other(instruction.memory.name)
    if problem is not None:
        report.add("memory", f"{stream.name(index)}: {problem}", index)
    return problem is None


def _check_hls(stream: Stream, index: int, load: Load, report: Report) -> None:
    """What the HLS design makes of pads, and of rows of micro-ops."""
    padded = load.y_pad_0 or load.y_pad_1 or load.x_pad_0 or load.x_pad_1
    if padded and (load.memory is Memory.WGT or load.x_size == 0):
        report.add("pad", f"{stream.name(index)}: {rules.unread_pads()}", index)
    if load.memory is Memory.UOP and load.x_size and load.y_size > 1:
        report.add("uop-range", f"{stream.name(index)}: {rules.unread_rows()}", index)


def _check_block(stream: Stream, index: int, instruction: Load | Store, report: Report) -> bool:
    if stream.config.is_hls and isinstance(instruction, Load):
        _check_hls(stream, index, instruction, report)
    if is_nop(instruction):
        return True
    if instruction.y_size == 0:
        report.add("zero-rows", f"{stream.name(index)}: {rules.no_rows()}", index)
        return False
    if isinstance(instruction, Store):
        _check_store_pads(stream, index, instruction, report)
    return _check_sram(stream, index, instruction, report)


def _check_store_pads(stream: Stream, index: int, store: Store, report: Report) -> None:
    if store.y_pad_0 or store.y_pad_1 or store.x_pad_0 or store.x_pad_1:
        report.add("pad", f"{stream.name(index)}: {rules.has_pads()}", index)


def _check_sram(stream: Stream, index: int, instruction: Load | Store, report: Report) -> bool:
    name = SRAM_OF[instruction.memory]
    start, end = sram_span(instruction)
    capacity = stream.config.capacity(name)
    if end > capacity:
        report.add(
            "sram-range",
            f"{stream.name(index)}: {rules.beyond_sram(end, capacity)}",
            index,
            buffer=name,
            span=(start, end),
        )
        return False
    longest = stream.config.longest_load(name)
    if isinstance(instruction, Load) and end - start > longest:
        text = f"{stream.name(index)}: {rules.fills_memory(name, longest)}"
        report.add("sram-range", text, index, buffer=name, span=(start, end))
        return False
    if name == "uop" and end > rules.HARDWARE_MICRO_OPS:
        _report_uop_capacity(stream, index, (start, end), report)
    return True


def _report_uop_capacity(stream: Stream, index: int, span: tuple[int, int], report: Report) -> None:
    report.add(
        "uop-range",
        f"{stream.name(index)}: {rules.beyond_built_micro_ops(span[1])}",
        index,
        buffer="uop",
        span=span,
    )


def _check_dram(stream: Stream, index: int, memory: DramMap, report: Report) -> None:
    block = stream.block(index)
    if block is None:
        return
    problem = memory.outside(block)
    if problem is None and stream.unit[index] == STORE:
        target = memory.buffer_at(block.start)
        if target is not None and target.role in FIXED:
            problem = f"a store must not change {target.name}, whose role is {target.role}"
    if problem is not None:
        report.add(
            "dram-range",
            f"{stream.name(index)} touches DRAM bytes {block.start} to {block.end - 1}; {problem}",
            index,
            buffer="dram",
            span=(block.start, block.end),
        )


def _check_kernel(stream: Stream, index: int, kernel: Gemm | Alu, report: Report) -> bool:
    if isinstance(kernel, Alu):
        _check_operation(stream, index, kernel, report)
    if kernel.iter_out == 0 or kernel.iter_in == 0 or kernel.uop_end <= kernel.uop_bgn:
        report.add("zero-trip", f"{stream.name(index)}: {rules.no_trips()}", index)
        return False
    span = (kernel.uop_bgn, kernel.uop_end)
    capacity = stream.config.capacity("uop")
    if kernel.uop_end > capacity:
        report.add(
            "uop-range",
            f"{stream.name(index)}: {rules.beyond_micro_ops(kernel.uop_end, capacity)}",
            index,
            buffer="uop",
            span=span,
        )
        return False
    if kernel.uop_end > rules.HARDWARE_MICRO_OPS:
        _report_uop_capacity(stream, index, span, report)
    return True


def _check_operation(stream: Stream, index: int, alu: Alu, report: Report) -> None:
    if alu.opcode is AluOpcode.MUL:
        report.add("alu-opcode", f"{stream.name(index)}: {rules.multiplies()}", index)
    hls = stream.config.is_hls
    low, high = rules.shift_bounds(hls=hls)
    if alu.opcode is AluOpcode.SHR and alu.use_imm and not low <= alu.imm <= high:
        report.add("shift", f"{stream.name(index)}: {rules.shift_too_far(alu.imm, hls=hls)}", index)
