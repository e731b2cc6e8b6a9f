"""Where on-chip buffers lie: first fit by liveness, or the report of what does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.walks import operations_of
from vtac.analysis.nests.nest import buffer_name, scope_of, shape_of
from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.dialects.scopes import MEMORIES
from vtac.dialects.vta.declared import THREAD_LOOP, THREADS, TURNS
from vtac.errors import TilingError


def plan_addresses(function: FuncOp, config: VTAConfig) -> dict[SSAValue, int]:
    """The address of every on-chip buffer of a function, in elements of its memory.

    Raises `TilingError` where a memory overflows.
    """
    spans = _number(function)
    buffers = [_measure(op, spans) for op in operations_of(AllocOp, function) if scope_of(op.memref) in MEMORIES]
    placed: list[tuple[_Buffer, int]] = []
    for buffer in buffers:
        placed.append((buffer, _first_fit(buffer, placed)))
    for memory in MEMORIES.values():
        _check_capacity(function, config, memory, [item for item in placed if item[0].memory == memory])
    return {buffer.allocation.memref: address for buffer, address in placed}


@dataclass(frozen=True)
class _Buffer:
    """An on-chip buffer with its size in elements and the span of program order it is live."""

    allocation: AllocOp
    memory: MemoryName
    elements: int
    start: int
    end: int

    def overlaps(self, other: _Buffer) -> bool:
        return self.start <= other.end and other.start <= self.end

    def describe(self, config: VTAConfig) -> str:
        """One line of the overflow report."""
        size = config.element_bytes(self.memory)
        line = f"'{buffer_name(self.allocation.memref)}': {self.elements:,} elements, {self.elements * size:,} bytes"
        threads, turns = THREADS.get(self.allocation) or 1, TURNS.get(self.allocation) or 1
        if threads * turns > 1:
            line += f" ({threads * turns} x {self.elements // (threads * turns):,}: {self._reason(threads, turns)})"
        where = location_of(self.allocation)
        return f"{line}, from {where}" if where else line

    def _reason(self, threads: int, turns: int) -> str:
        reasons: list[str] = []
        loops = THREAD_LOOP.get(self.allocation)
        if threads > 1 and loops is not None:
            reasons.append(f"one copy per virtual thread of loop '{loops}'")
        if turns > 1:
            reasons.append("copies by double_buffer")
        return ", ".join(reasons)


def _number(function: FuncOp) -> dict[Operation, tuple[int, int]]:
    """Program order: when each op starts, and when all it holds has ended."""
    spans: dict[Operation, tuple[int, int]] = {}
    clock = 0

    def visit(op: Operation) -> None:
        nonlocal clock
        start = clock
        clock += 1
        for region in op.regions:
            for block in region.blocks:
                for child in block.ops:
                    visit(child)
        spans[op] = (start, clock)
        clock += 1

    visit(function)
    return spans


def _measure(allocation: AllocOp, spans: dict[Operation, tuple[int, int]]) -> _Buffer:
    """Size and live span: from the first to the last op of its body that uses the buffer."""
    body = allocation.parent
    starts: list[int] = []
    ends: list[int] = []
    for use in allocation.memref.uses:
        current: Operation | None = use.operation
        while current is not None and current.parent is not body:
            current = current.parent_op()
        if current is not None:
            starts.append(spans[current][0])
            ends.append(spans[current][1])
    span = (min(starts, default=0), max(ends, default=0))
    if THREADS.is_on(allocation) or TURNS.is_on(allocation):
        span = (0, max(end for _, end in spans.values()))
    return _Buffer(allocation, MEMORIES[scope_of(allocation.memref)], prod(shape_of(allocation.memref)[:-2]), *span)


def _first_fit(buffer: _Buffer, placed: list[tuple[_Buffer, int]]) -> int:
    """The lowest address where a buffer meets no other that is live with it."""
    busy = sorted(
        (address, address + other.elements)
        for other, address in placed
        if other.memory == buffer.memory and other.overlaps(buffer)
    )
    address = 0
    for start, end in busy:
        if address + buffer.elements <= start:
            break
        address = max(address, end)
    return address


def _check_capacity(function: FuncOp, config: VTAConfig, memory: MemoryName, placed: list[tuple[_Buffer, int]]) -> None:
    needed = max((address + buffer.elements for buffer, address in placed), default=0)
    capacity = config.capacity(memory)
    if needed <= capacity:
        return
    size = config.element_bytes(memory)
    lines = "".join(f"\n  {buffer.describe(config)}" for buffer, _ in placed)
    raise TilingError(
        f"function '{function.sym_name.data}' overflows {memory.upper()}: {needed:,} of {capacity:,} elements "
        f"({needed * size:,} of {capacity * size:,} bytes, {size} each) are needed:{lines}\n"
        f"choose smaller blocks or fewer virtual threads, or a configuration with a larger "
        f"LOG_{memory.upper()}_BUFF_SIZE",
        location_of(function),
    )
