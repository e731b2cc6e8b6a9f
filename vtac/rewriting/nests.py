"""Nests made anew: fresh loops around a block, copies of a buffer in a nest of their own."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.nest import element_type_of, extents_around
from vtac.analysis.nests.regions import Interval
from vtac.analysis.types.buffer_types import buffer_type
from vtac.dialects.frequent import text_attribute
from vtac.dialects.schedule.attributes import AccessAttr, IterationVariable
from vtac.dialects.schedule.declared import NAME
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.rewriting.block_edits import rebind
from vtac.rewriting.edits import insert_ops, nest_ops, take_from_nest
from vtac.rewriting.linalg_bodies import copy_body
from vtac.rewriting.made_operations import allocated


def regenerate(
    block: BlockOp, point: InsertPoint, intervals: Sequence[Interval | None], where: Sequence[Linear] = ()
) -> None:
    """Move a block, or a new one, to a point under fresh loops: one per variable, over its interval.

    None stands for the variable's whole range. Where an interval may leave the range, the
    block gets a guard, in addition to those in `where`.
    """
    take_from_nest(block)
    values: list[Linear] = []
    loops: list[ForOp] = []
    for position, (variable, interval) in enumerate(zip(block.variables, intervals, strict=True)):
        loop = ForOp.get(
            variable.extent if interval is None else interval.extent, f"{'r' if variable.reduction else 'i'}{position}"
        )
        loop.location = block.location
        loops.append(loop)
        value = Linear.variable(loop.induction_variable)
        values.append(value if interval is None else value + interval.base)
    insert_ops(nest_ops([*loops, block]), point)
    extents = extents_around(block)
    guards = list(where)
    for variable, interval, value in zip(block.variables, intervals, values, strict=True):
        low, high = (0, 0) if interval is None else value.bounds(extents)
        if low < 0:
            guards.append(value)
        if high >= variable.extent:
            guards.append(Linear(variable.extent - 1) - value)
    rebind(block, values, guards, extents)


def give_buffer_name(allocation: AllocOp, name: str) -> None:
    """Call a buffer by a name: as its SSA name where that can be one, else as an attribute."""
    if SSAValue.is_valid_name(name):
        allocation.memref.name_hint = name
    else:
        NAME.set(allocation, name)


def allocate_like(like: SSAValue, shape: Sequence[int], scope: str, name: str, body: Block) -> SSAValue:
    """A new buffer of a scope, allocated at the start of a body."""
    allocation = allocated(buffer_type(element_type_of(like), tuple(shape), text_attribute(scope)))
    give_buffer_name(allocation, name)
    Rewriter.insert_op(allocation, InsertPoint.at_start(body))
    return allocation.memref


def copy_block(
    name: str, source: SSAValue, reading: AccessAttr, target: SSAValue, writing: AccessAttr, shape: Sequence[int]
) -> BlockOp:
    """A block without loops yet that copies one buffer into another."""
    return BlockOp.get(
        name,
        loops=[],
        inputs=[source],
        output=target,
        domain=tuple(IterationVariable(extent) for extent in shape),
        bindings=AffineMap(0, 0, (AffineExpr.constant(0),) * len(shape)),
        accesses=[reading, writing],
        body=copy_body(element_type_of(source)),
    )
