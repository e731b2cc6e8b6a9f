"""schedule-compact-buffers: shrink every intermediate buffer to what one use of it needs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, MemRefType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from vtac.analysis.accesses import bindings_of, guards_of, indices_of, rebind
from vtac.analysis.linear import Linear, to_affine
from vtac.analysis.locations import location_of
from vtac.analysis.nest import blocks_under, enclosing_loops, shape_of
from vtac.analysis.regions import Interval, region_of
from vtac.dialects.declared import taken_by
from vtac.dialects.schedule.attributes import AccessAttr, IterationAttr, IterationVariable
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import CompileError


@dataclass(frozen=True)
class ScheduleCompactBuffers(ModulePass):
    """Move each allocation into the innermost loop that holds all its uses, and shrink it.

    Blocks are brought to normal form: one iteration variable per loop that moves them.

    requires: no block has an init (schedule-decompose-reductions).
    ensures:  buffers hold the hull of the regions accessed per iteration of that loop;
              accesses are relative to it; buffers that nothing reads or writes are gone.
    declines: a block with an init.
    """

    name = "schedule-compact-buffers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                _compact_function(function)


def _compact_function(function: FuncOp) -> None:
    indices: dict[BlockOp, list[list[Linear]]] = {}
    for block in blocks_under(function):
        if block.init is not None:
            raise CompileError(
                f"schedule-compact-buffers: block '{block.block_name}' has an init; "
                "run schedule-decompose-reductions first",
                location_of(block),
            )
        indices[block] = [_without_unit_loops(block, indices_of(block, i)) for i in range(len(block.accesses))]
    for allocation in [child for child in function.walk() if isinstance(child, AllocOp)]:
        _compact(allocation, indices)
    for block, expressions in indices.items():
        _normalise(block, expressions)


def _without_unit_loops(block: BlockOp, expressions: Sequence[Linear]) -> list[Linear]:
    """Loops of one iteration contribute nothing to an index."""
    unit: dict[Hashable, Linear] = {
        loop.induction_variable: Linear(0) for loop in enclosing_loops(block) if loop.trip_count == 1
    }
    extents: dict[Hashable, int] = {loop.induction_variable: loop.trip_count for loop in enclosing_loops(block)}
    return [expression.substitute(unit, extents) if unit else expression for expression in expressions]


def _compact(allocation: AllocOp, indices: dict[BlockOp, list[list[Linear]]]) -> None:
    buffer = allocation.memref
    accesses = _accesses(buffer)
    if not accesses:
        allocation.detach()
        allocation.erase()
        return
    body = _common_body([block for block, _ in accesses])
    region = region_of(buffer, accesses, body)
    for dimension, interval in enumerate(region):
        if _is_padded(accesses):
            region[dimension] = Interval(Linear(0), shape_of(buffer)[dimension])
        elif not interval.base.is_constant:
            bases = _without_unit_loops(accesses[0][0], [interval.base])
            region[dimension] = Interval(bases[0], interval.extent)
    for block, position in accesses:
        indices[block][position] = [
            index - interval.base for index, interval in zip(indices[block][position], region, strict=True)
        ]
    kind = buffer.type
    shape = [interval.extent for interval in region]
    Rewriter.replace_value_with_new_type(buffer, MemRefType(kind.element_type, shape, memory_space=kind.memory_space))
    allocation.detach()
    first = body.first_op
    if first is None:
        body.add_op(allocation)
    else:
        body.insert_op_before(allocation, _first_use(body, allocation.memref))


def _accesses(buffer: SSAValue) -> list[tuple[BlockOp, int]]:
    found: list[tuple[BlockOp, int]] = []
    for use in buffer.uses:
        block = use.operation
        if isinstance(block, BlockOp):
            found.append((block, use.index - len(block.loops)))
    return sorted(found, key=lambda item: item[1])


def _is_padded(accesses: Sequence[tuple[BlockOp, int]]) -> bool:
    return any(block.accesses.data[position].pad_value is not None for block, position in accesses)


def _common_body(blocks: Sequence[BlockOp]) -> Block:
    """The innermost body that holds all blocks, with no loop of a hardware unit around it."""
    paths = [[*enclosing_loops(block)] for block in blocks]
    shared: list[ForOp] = []
    for level in zip(*paths, strict=False):
        if any(loop is not level[0] for loop in level) or _is_mapped(level[0]):
            break
        shared.append(level[0])
    if shared and len(set(blocks)) > 1:
        return shared[-1].body.block
    top: Operation = blocks[0]
    while (parent := top.parent_op()) is not None and not isinstance(parent, FuncOp):
        top = parent
    return cast(Block, top.parent)


def _is_mapped(loop: ForOp) -> bool:
    """A loop that was given to a hardware unit with all it holds."""
    return bool(taken_by(loop))


def _first_use(body: Block, buffer: SSAValue) -> Operation:
    """The first operation of a body that uses a buffer, however deep."""
    users: list[Operation] = []
    for use in buffer.uses:
        current: Operation | None = use.operation
        while current is not None and current.parent is not body:
            current = current.parent_op()
        if current is not None:
            users.append(current)
    return min(users, key=body.get_operation_index)


def _normalise(block: BlockOp, expressions: list[list[Linear]]) -> None:
    """One iteration variable per loop with more than one iteration that the block depends on."""
    extents: dict[Hashable, int] = {loop.induction_variable: loop.trip_count for loop in enclosing_loops(block)}
    reducing: set[Hashable] = set()
    for variable, value in zip(block.variables, bindings_of(block), strict=True):
        if variable.reduction:
            reducing |= value.variables()
    bound = set(reducing)
    for access in expressions:
        for expression in access:
            bound |= expression.variables()
    loops = [loop for loop in enclosing_loops(block) if loop.induction_variable in bound and loop.trip_count > 1]
    had_reduction = block.has_reduction
    place = {loop.induction_variable: AffineExpr.dimension(position) for position, loop in enumerate(loops)}
    variables = [IterationVariable(loop.trip_count, loop.induction_variable in reducing) for loop in loops]
    if had_reduction and not any(variable.reduction for variable in variables):
        variables.append(IterationVariable(1, reduction=True))
    accesses = [
        AccessAttr.get(
            AffineMap(
                len(variables),
                0,
                tuple(to_affine(value, lambda v: place[cast(SSAValue, v)]) for value in expression),  # pyright: ignore[reportArgumentType]
            ),
            old.pad_value,
        )
        for expression, old in zip(expressions, block.accesses, strict=True)
    ]
    guards = guards_of(block, extents)
    block.domain = IterationAttr(tuple(variables))
    block.accesses = ArrayAttr(accesses)
    values = [Linear.variable(loop.induction_variable) for loop in loops]
    rebind(block, values + [Linear(0)] * (len(variables) - len(loops)), guards)
