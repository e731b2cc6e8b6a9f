"""vta-place-buffers: give every on-chip buffer its address, or report the overflow."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, IntegerAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from vtac.analysis.locations import location_of
from vtac.analysis.nest import buffer_name, scope_of, shape_of
from vtac.analysis.target import config_of
from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.dialects.vta.kernels import KernelOp
from vtac.dialects.vta.memory import Amount, Load2DOp, Store2DOp
from vtac.errors import CompileError
from vtac.passes.vta.schedule_inject_virtual_threads import THREAD_LOOP, THREADS

MEMORIES: dict[str, MemoryName] = {"vta.inp": "inp", "vta.wgt": "wgt", "vta.acc": "acc"}


@dataclass(frozen=True)
class VtaPlaceBuffers(ModulePass):
    """Replace on-chip buffers by SRAM addresses.

    Buffers that are never live together share space, unless virtual threads own them:
    their threads overlap in time.

    requires: only vta ops use on-chip buffers; virtual threads injected.
    ensures:  no on-chip allocation is left; addresses count elements of the memory.
    declines: more than a memory holds, with a report of every live buffer.
    """

    name = "vta-place-buffers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        config = config_of(op)
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                _place_function(function, config)


@dataclass(frozen=True)
class _Buffer:
    """An on-chip buffer with its size in elements and the span of program order it is live."""

    allocation: AllocOp
    memory: MemoryName
    elements: int
    start: int
    end: int

    @property
    def threads(self) -> int:
        count = self.allocation.attributes.get(THREADS)
        return count.value.data if isinstance(count, IntegerAttr) else 1

    def overlaps(self, other: _Buffer) -> bool:
        return self.start <= other.end and other.start <= self.end

    def describe(self, config: VTAConfig) -> str:
        """One line of the overflow report."""
        size = config.element_bytes(self.memory)
        line = f"'{buffer_name(self.allocation.memref)}': {self.elements:,} elements, {self.elements * size:,} bytes"
        loops = self.allocation.attributes.get(THREAD_LOOP)
        if isinstance(loops, StringAttr):
            share = self.elements // self.threads
            line += f" ({self.threads} x {share:,}: one copy per virtual thread of loop '{loops.data}')"
        elif self.threads > 1:
            line += f" ({self.threads} x {self.elements // self.threads:,}: copies by double_buffer)"
        where = location_of(self.allocation)
        return f"{line}, from {where}" if where else line


def _place_function(function: FuncOp, config: VTAConfig) -> None:
    spans = _number(function)
    buffers = [
        _measure(op, spans) for op in function.walk() if isinstance(op, AllocOp) and scope_of(op.memref) in MEMORIES
    ]
    placed: list[tuple[_Buffer, int]] = []
    for buffer in buffers:
        address = _first_fit(buffer, placed)
        placed.append((buffer, address))
    for memory in MEMORIES.values():
        _check_capacity(function, config, memory, [item for item in placed if item[0].memory == memory])
    for buffer, address in placed:
        for user in dict.fromkeys(use.operation for use in buffer.allocation.memref.uses):
            _resolve(user, buffer.allocation.memref, address)
    for op in [op for op in function.walk() if isinstance(op, KernelOp | Load2DOp | Store2DOp)]:
        _drop_buffers(op)
    for buffer, _ in placed:
        buffer.allocation.detach()
        buffer.allocation.erase()


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
    if THREADS in allocation.attributes:
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
    raise CompileError(
        f"function '{function.sym_name.data}' overflows {memory.upper()}: {needed:,} of {capacity:,} elements "
        f"({needed * size:,} of {capacity * size:,} bytes, {size} each) are needed:{lines}\n"
        f"choose smaller blocks or fewer virtual threads, or a configuration with a larger "
        f"LOG_{memory.upper()}_BUFF_SIZE",
        location_of(function),
    )


def _resolve(op: Operation, buffer: SSAValue, address: int) -> None:
    """Add a buffer's address to the indices that were relative to it."""
    if isinstance(op, KernelOp):
        old = op.indices.data
        reset = op.properties.get("reset") is not None
        results = tuple(
            result + address if value is buffer and address and not (reset and position > 0) else result
            for position, (value, result) in enumerate(zip(op.buffers, old.results, strict=True))
        )
        op.indices = AffineMapAttr(AffineMap(old.num_dims, old.num_symbols, results))
    elif isinstance(op, Load2DOp | Store2DOp) and address:
        place = op.amount("sram")
        if isinstance(place, int):
            _replace_place(op, place + address)
        else:
            apply = ApplyOp([place], AffineMapAttr(AffineMap(1, 0, (AffineExpr.dimension(0) + address,))))
            if op.parent is not None:
                op.parent.insert_op_before(apply, op)
            _replace_place(op, apply.results[0])


def _replace_place(op: Load2DOp | Store2DOp, place: Amount) -> None:
    moved = op.with_amount("sram", place)
    moved.attributes = dict(op.attributes)
    moved.location = op.location
    Rewriter.replace_op(op, [moved], [])


def _drop_buffers(op: KernelOp | Load2DOp | Store2DOp) -> None:
    """Addresses are absolute now: forget which buffer they belong to."""
    if isinstance(op, KernelOp):
        op.operands = list(op.captures)
        op.set_segments(len(op.operands))
    elif op.on_chip is not None:
        bare = type(op).build_from(op.memory.data, op.buffer, None, op.amounts())
        bare.attributes = dict(op.attributes)
        bare.location = op.location
        Rewriter.replace_op(op, [bare], [])
