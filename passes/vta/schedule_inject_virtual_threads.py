"""schedule-inject-virtual-threads: interleave the iterations of virtual-thread loops.

before: for cthread t < 2                 after: for t < 2: A(t)
          A(t)                                   for k
          for k: B(t, k); C(t, k)                  for t < 2: B(t, k)
                                                   for t < 2: C(t, k)

Buffers allocated inside the loop get one copy per thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, IntegerAttr, MemRefType, ModuleOp, StringAttr, i64
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from vtac.analysis.accesses import bindings_of, guards_of, rebind
from vtac.analysis.linear import Linear
from vtac.analysis.locations import location_of
from vtac.analysis.nest import shape_of
from vtac.dialects.schedule.attributes import AccessAttr, IterationAttr, IterationVariable, LoopKind
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.vta.kernels import KernelOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.dialects.vta.synchronisation import DepPopOp, DepPushOp, StageOp
from vtac.errors import CompileError

THREADS = "vta.threads"
"""Attribute of an allocation: how many virtual threads have a copy in it."""
THREAD_LOOP = "vta.thread_loop"
"""Attribute of an allocation: the loops that asked for the copies."""


@dataclass(frozen=True)
class ScheduleInjectVirtualThreads(ModulePass):
    """Distribute each virtual-thread loop over the stages (or blocks) it holds.

    requires: compacted buffers, so that what a thread owns is allocated inside its loop.
    ensures:  no virtual-thread loop is left; each stage, block or token in one is repeated
              per thread right there; owned buffers have a leading dimension of threads.
    declines: a guard that depends on the thread.
    """

    name = "schedule-inject-virtual-threads"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        loops = [inner for inner in op.walk() if isinstance(inner, ForOp) and inner.loop_kind is LoopKind.CTHREAD]
        for loop in reversed(loops):
            _inject(loop)


def _inject(loop: ForOp) -> None:
    for allocation in [inner for inner in loop.walk() if isinstance(inner, AllocOp)]:
        _expand(allocation, loop)
    distribution = _Distribution(loop)
    distribution.distribute(loop.body.block)
    for op in reversed(distribution.sunk):
        op.detach()
        op.erase()
    parent = loop.parent
    if parent is None:
        raise ValueError("the loop stands nowhere")
    for child in list(loop.body.block.ops):
        child.detach()
        parent.insert_op_before(child, loop)
    loop.detach()
    loop.erase()


class _Distribution:
    """Moves the units of a thread loop into loops of their own."""

    def __init__(self, loop: ForOp) -> None:
        self.loop = loop
        self.thread = loop.induction_variable
        self.dependent: dict[SSAValue, Operation] = {}
        self.sunk: list[Operation] = []

    def distribute(self, body: Block) -> None:
        for child in list(body.ops):
            if isinstance(child, StageOp | BlockOp | Load2DOp | Store2DOp | KernelOp):
                self._repeat(child, body)
            elif isinstance(child, DepPushOp | DepPopOp):
                for _ in range(self.loop.trip_count - 1):
                    body.insert_op_after(child.clone(), child)
            elif child.regions:
                for region in child.regions:
                    if region.blocks:
                        self.distribute(region.block)
            elif any(operand is self.thread or operand in self.dependent for operand in child.operands):
                self.dependent.update(dict.fromkeys(child.results, child))
                self.sunk.append(child)

    def _repeat(self, unit: Operation, body: Block) -> None:
        repeated = ForOp.get(self.loop.trip_count, self.loop.loop_name)
        repeated.location = unit.location
        body.insert_op_before(repeated, unit)
        unit.detach()
        mapping: dict[SSAValue, SSAValue] = {self.thread: repeated.induction_variable}
        inner = repeated.body.block
        for op in self._needed(unit):
            inner.add_op(op.clone(mapping))
        inner.add_op(unit)
        for op in unit.walk():
            for position, operand in enumerate(op.operands):
                if operand in mapping:
                    op.operands[position] = mapping[operand]

    def _needed(self, unit: Operation) -> list[Operation]:
        """Host values from outside a unit that depend on the thread, in order."""
        wanted: set[Operation] = set()
        pending = [operand for op in unit.walk() for operand in op.operands]
        while pending:
            producer = self.dependent.get(pending.pop())
            if producer is not None and producer not in wanted:
                wanted.add(producer)
                pending.extend(producer.operands)
        return [op for op in self.sunk if op in wanted]


def _expand(allocation: AllocOp, loop: ForOp) -> None:
    """Give a buffer one copy per thread and let every use address its thread's copy."""
    buffer = allocation.memref
    shape = shape_of(buffer)
    copy_tiles = prod(shape[:-2])
    for user in dict.fromkeys(use.operation for use in buffer.uses):
        address_copy(user, buffer, loop.induction_variable, loop.trip_count, copy_tiles)
    kind = buffer.type
    Rewriter.replace_value_with_new_type(
        buffer, MemRefType(kind.element_type, (loop.trip_count, *shape), memory_space=kind.memory_space)
    )
    known = allocation.attributes.get(THREADS)
    count = known.value.data if isinstance(known, IntegerAttr) else 1
    names = allocation.attributes.get(THREAD_LOOP)
    asked = f"{names.data}, {loop.loop_name}" if isinstance(names, StringAttr) else loop.loop_name
    allocation.attributes[THREADS] = IntegerAttr(count * loop.trip_count, i64)
    allocation.attributes[THREAD_LOOP] = StringAttr(asked)


def address_copy(op: Operation, buffer: SSAValue, thread: SSAValue, count: int, tiles: int) -> None:
    """Let a user of a buffer address copy number `thread` of `count`, each of so many tiles."""
    if isinstance(op, BlockOp):
        _address_block(op, buffer, thread, count)
    elif isinstance(op, KernelOp):
        _address_kernel(op, buffer, thread, tiles)
    elif isinstance(op, Load2DOp | Store2DOp):
        _address_transfer(op, thread, tiles)


def _address_block(block: BlockOp, buffer: SSAValue, thread: SSAValue, count: int) -> None:
    if block.guard is not None:
        raise CompileError(
            f"block '{block.block_name}' has a guard; run schedule-partition-guards first", location_of(block)
        )
    position = len(block.variables)
    values = [*bindings_of(block), Linear.variable(thread)]
    accesses: list[AccessAttr] = []
    for value, access in zip((*block.inputs, block.output), block.accesses, strict=True):
        leading = (AffineExpr.dimension(position),) if value is buffer else ()
        indices = AffineMap(position + 1, 0, (*leading, *access.indices.results))
        accesses.append(AccessAttr.get(indices, access.pad_value))
    guards = guards_of(block)
    block.domain = IterationAttr((*block.variables, IterationVariable(count)))
    block.accesses = ArrayAttr(accesses)
    rebind(block, values, guards)


def _address_kernel(kernel: KernelOp, buffer: SSAValue, thread: SSAValue, tiles: int) -> None:
    old = kernel.indices.data
    captures = list(kernel.captures)
    if thread not in captures:
        captures.append(thread)
    symbol = AffineExpr.symbol(captures.index(thread))
    reset = kernel.properties.get("reset") is not None
    results = tuple(
        result + symbol * tiles if value is buffer and not (reset and position > 0) else result
        for position, (value, result) in enumerate(zip(kernel.buffers, old.results, strict=True))
    )
    kernel.indices = AffineMapAttr(AffineMap(old.num_dims, len(captures), results))
    kernel.operands = [*captures, *kernel.buffers]
    kernel.set_segments(len(captures))


def _address_transfer(transfer: Load2DOp | Store2DOp, thread: SSAValue, tiles: int) -> None:
    place = transfer.amount("sram")
    if isinstance(place, int):
        indices, operands = AffineExpr.dimension(0) * tiles + place, [thread]
    else:
        indices, operands = AffineExpr.dimension(0) * tiles + AffineExpr.dimension(1), [thread, place]
    apply = ApplyOp(operands, AffineMapAttr(AffineMap(len(operands), 0, (indices,))))
    moved = transfer.with_amount("sram", apply.results[0])
    moved.attributes = dict(transfer.attributes)
    moved.location = transfer.location
    Rewriter.replace_op(transfer, [apply, moved], [])
