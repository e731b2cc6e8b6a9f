"""Rules that an instruction breaks by its fields alone, checked for a whole stream at once.

The checker finds the same from decoded instructions (`proof/fields.py`); the two share limits and words, not code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vtac.errors import ExecutionError
from vtac.targets.vta import rules
from vtac.targets.vta.isa import POP_NEXT, POP_PREV, PUSH_NEXT, PUSH_PREV, AluOpcode, Memory, Opcode
from vtac.targets.vta.machine.counters import tile_operations
from vtac.targets.vta.machine.stream import SRAM_OF, Stream, UnitIndex, dram_element_bytes

_STORE_ILLEGAL = PUSH_NEXT | POP_NEXT
_LOAD_ILLEGAL = POP_PREV | PUSH_PREV
_MEMORY_OPCODES = (Opcode.LOAD, Opcode.STORE)


@dataclass(frozen=True, slots=True)
class _Finding:
    """The first instruction that breaks a rule; `problem` is built only if it is the earliest of all."""

    index: int
    kind: str
    problem: Callable[[], str]


def _first(rows: NDArray[np.int64], bad: NDArray[np.bool_], kind: str, say: Callable[[int], str]) -> list[_Finding]:
    """The finding for the first row marked bad; `say` gets its place within `rows`."""
    if not bad.any():
        return []
    place = int(np.argmax(bad))
    return [_Finding(int(rows[place]), kind, lambda: say(place))]


def padded_elements(columns: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """SRAM elements of each LOAD or STORE, pads included, 0 for a NOP."""
    rows = columns["y_pad_0"] + columns["y_size"] + columns["y_pad_1"]
    width = columns["x_pad_0"] + columns["x_size"] + columns["x_pad_1"]
    return np.where(columns["x_size"] == 0, 0, rows * width)


def dram_ends(stream: Stream, opcode: Opcode) -> NDArray[np.int64]:
    """The byte address behind the last byte that each LOAD or STORE touches in DRAM, 0 when it touches none."""
    columns = stream.table.columns[opcode]
    element_bytes = np.array([dram_element_bytes(memory, stream.config) for memory in Memory], np.int64)
    last_row = columns["dram_base"] + (columns["y_size"] - 1) * columns["x_stride"] + columns["x_size"]
    touches = (columns["y_size"] > 0) & (columns["x_size"] > 0)
    return np.where(touches, last_row * element_bytes[columns["memory"]], 0)


def _check_memory_ids(stream: Stream) -> Iterable[_Finding]:
    loads, stores = (stream.table.columns[opcode] for opcode in _MEMORY_OPCODES)
    bad_store = (stores["memory"] != Memory.OUT) & (stores["x_size"] != 0)
    yield from _first(
        stream.table.rows[Opcode.LOAD],
        loads["memory"] == Memory.OUT,
        "memory",
        lambda _: rules.loads_out(),
    )
    yield from _first(
        stream.table.rows[Opcode.STORE],
        bad_store,
        "memory",
        lambda place: rules.stores_other(Memory(int(stores["memory"][place])).name),
    )


def _check_dependences(stream: Stream) -> Iterable[_Finding]:
    bits, everything = stream.table.dependences, np.arange(len(stream))
    bad_load = (stream.units == UnitIndex.LOAD) & (bits & _LOAD_ILLEGAL != 0)
    bad_store = (stream.units == UnitIndex.STORE) & (bits & _STORE_ILLEGAL != 0)
    yield from _first(
        everything,
        bad_load,
        "dependence",
        lambda _: rules.no_such_queue("load"),
    )
    yield from _first(
        everything,
        bad_store,
        "dependence",
        lambda _: rules.no_such_queue("store"),
    )


def _check_store_pads(stream: Stream) -> Iterable[_Finding]:
    columns = stream.table.columns[Opcode.STORE]
    pads = columns["y_pad_0"] | columns["y_pad_1"] | columns["x_pad_0"] | columns["x_pad_1"]
    bad = (pads != 0) & (columns["x_size"] != 0)
    yield from _first(stream.table.rows[Opcode.STORE], bad, "pad", lambda _: rules.has_pads())


def _check_sram(stream: Stream) -> Iterable[_Finding]:
    capacities = np.array([stream.config.capacity(SRAM_OF[memory]) for memory in Memory], np.int64)
    for opcode in _MEMORY_OPCODES:
        columns = stream.table.columns[opcode]
        elements = padded_elements(dict(columns))
        ends = columns["sram_base"] + elements
        limits = capacities[columns["memory"]]

        def say(place: int, ends: NDArray[np.int64] = ends, limits: NDArray[np.int64] = limits) -> str:
            return rules.beyond_sram(int(ends[place]), int(limits[place]))

        yield from _first(stream.table.rows[opcode], (elements > 0) & (ends > limits), "sram-range", say)


def _check_micro_op_range(stream: Stream, capacity: int, say: Callable[[int], str]) -> Iterable[_Finding]:
    for opcode in (Opcode.GEMM, Opcode.ALU):
        ends = stream.table.columns[opcode]["uop_end"]

        def say_end(place: int, ends: NDArray[np.int64] = ends) -> str:
            return say(int(ends[place]))

        bad = (tile_operations(stream, opcode) > 0) & (ends > capacity)
        yield from _first(stream.table.rows[opcode], bad, "uop-range", say_end)


def _check_finish(stream: Stream) -> Iterable[_Finding]:
    finishes = stream.table.rows[Opcode.FINISH]
    last = len(stream) - 1
    if len(finishes) == 0:
        yield _Finding(last, "finish", rules.no_finish)
    elif finishes[0] != last:
        first = int(finishes[0])
        yield _Finding(first + 1, "finish", lambda: rules.follows_finish(first))


def _check_zero_trips(stream: Stream) -> Iterable[_Finding]:
    for opcode in (Opcode.GEMM, Opcode.ALU):
        yield from _first(
            stream.table.rows[opcode],
            tile_operations(stream, opcode) == 0,
            "zero-trip",
            lambda _: rules.no_trips(),
        )


def _check_hardware_memory(stream: Stream) -> Iterable[_Finding]:
    columns, rows = stream.table.columns[Opcode.LOAD], stream.table.rows[Opcode.LOAD]
    runs = columns["x_size"] != 0
    is_micro_op = runs & (columns["memory"] == Memory.UOP)
    ends = columns["sram_base"] + padded_elements(dict(columns))
    yield from _first(
        rows,
        runs & (columns["y_size"] == 0),
        "zero-rows",
        lambda _: rules.no_rows(),
    )
    yield from _first(
        rows,
        columns["memory"] == Memory.ACC_8BIT,
        "memory",
        lambda _: rules.loads_narrow(),
    )
    yield from _first(
        rows,
        is_micro_op & (ends > rules.HARDWARE_MICRO_OPS),
        "uop-range",
        lambda place: rules.beyond_built_micro_ops(int(ends[place])),
    )
    elements = np.where(runs, ends - columns["sram_base"], 0)
    for memory in (Memory.INP, Memory.WGT, Memory.ACC):
        yield from _check_whole_load(stream, memory, rows, np.where(columns["memory"] == memory, elements, 0))


def _check_hls_memory(stream: Stream) -> Iterable[_Finding]:
    """What the HLS design makes of pads and of rows of micro-ops."""
    columns, rows = stream.table.columns[Opcode.LOAD], stream.table.rows[Opcode.LOAD]
    runs = columns["x_size"] != 0
    padded = sum(columns[name] for name in ("y_pad_0", "y_pad_1", "x_pad_0", "x_pad_1")) != 0
    unread = padded & ((columns["memory"] == Memory.WGT) | ~runs)
    yield from _first(rows, unread, "pad", lambda _: rules.unread_pads())
    micro_ops = runs & (columns["memory"] == Memory.UOP) & (columns["y_size"] > 1)
    yield from _first(rows, micro_ops, "uop-range", lambda _: rules.unread_rows())


def _check_whole_load(
    stream: Stream, memory: Memory, rows: NDArray[np.int64], elements: NDArray[np.int64]
) -> Iterable[_Finding]:
    """A LOAD of a whole memory that may end early; `elements` is what each LOAD fills of it."""
    longest = stream.config.longest_load(SRAM_OF[memory])
    yield from _first(
        rows, elements > longest, "sram-range", lambda _: rules.fills_memory(memory.name.lower(), longest)
    )


def _check_hardware_alu(stream: Stream) -> Iterable[_Finding]:
    columns, rows = stream.table.columns[Opcode.ALU], stream.table.rows[Opcode.ALU]
    yield from _first(rows, columns["alu_opcode"] == AluOpcode.MUL, "alu-opcode", lambda _: rules.multiplies())
    low, high = rules.shift_bounds(hls=stream.config.is_hls)
    shifts = (columns["alu_opcode"] == AluOpcode.SHR) & (columns["use_imm"] == 1)
    yield from _first(
        rows,
        shifts & ((columns["imm"] < low) | (columns["imm"] > high)),
        "shift",
        lambda place: rules.shift_too_far(int(columns["imm"][place]), hls=stream.config.is_hls),
    )


def _check_strict(stream: Stream) -> Iterable[_Finding]:
    yield from _check_zero_trips(stream)
    yield from _check_hardware_memory(stream)
    yield from _check_hardware_alu(stream)
    if stream.config.is_hls:
        yield from _check_hls_memory(stream)
    if stream.config.capacity("uop") > rules.HARDWARE_MICRO_OPS:
        yield from _check_micro_op_range(stream, rules.HARDWARE_MICRO_OPS, rules.beyond_built_micro_ops)


def _check_always(stream: Stream) -> Iterable[_Finding]:
    yield from _check_memory_ids(stream)
    yield from _check_dependences(stream)
    yield from _check_store_pads(stream)
    yield from _check_sram(stream)
    capacity = stream.config.capacity("uop")
    yield from _check_micro_op_range(stream, capacity, lambda end: rules.beyond_micro_ops(end, capacity))
    yield from _check_finish(stream)


def check_fields(stream: Stream, strict: bool) -> ExecutionError | None:
    """The error of the first instruction that breaks a rule by its fields alone, or None.

    With `strict` the hardware's own limits count as rules.
    """
    if len(stream) == 0:
        return ExecutionError("the stream is empty; it must end with FINISH", None, "finish")
    findings = [*_check_always(stream), *(_check_strict(stream) if strict else ())]
    if not findings:
        return None
    first = min(findings, key=lambda finding: finding.index)
    return stream.fault(first.index, first.kind, first.problem())


@lru_cache(maxsize=32)
def dram_bytes_needed(stream: Stream) -> int:
    """The size of the smallest memory image that holds all that `stream` touches."""
    return max((int(dram_ends(stream, opcode).max(initial=0)) for opcode in _MEMORY_OPCODES), default=0)


def check_dram_size(stream: Stream, nbytes: int) -> None:
    """Refuse a stream that reads or writes behind a memory image of `nbytes`. Raises `ExecutionError` `dram-range`."""
    if dram_bytes_needed(stream) <= nbytes:
        return
    faults: list[tuple[int, int]] = []
    for opcode in _MEMORY_OPCODES:
        ends = dram_ends(stream, opcode)
        if (ends > nbytes).any():
            place = int(np.argmax(ends > nbytes))
            faults.append((int(stream.table.rows[opcode][place]), int(ends[place])))
    index, end = min(faults)
    raise stream.fault(index, "dram-range", f"touches DRAM up to byte 0x{end:x}; the image has 0x{nbytes:x} bytes")
