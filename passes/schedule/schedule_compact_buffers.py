"""schedule-compact-buffers: shrink every intermediate buffer to what one use of it needs."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.affine_expressions import dimension, to_affine
from vtac.analysis.expressions.linear import ZERO, Extents, Linear, variables_of
from vtac.analysis.ir.walks import operations_under
from vtac.analysis.nests.accesses import bindings_of, guards_of
from vtac.analysis.nests.compaction import Compaction, plan_compaction
from vtac.analysis.nests.nest import Surroundings, child_holding, memref_type_of
from vtac.analysis.nests.stage import is_lowered
from vtac.analysis.types.buffer_types import buffer_type
from vtac.dialects.registers import InRegisters
from vtac.dialects.schedule.attributes import AccessAttr, IterationAttr, IterationVariable
from vtac.dialects.schedule.payload import BlockOp
from vtac.rewriting.block_edits import rebind
from vtac.rewriting.edits import move_op
from vtac.rewriting.walker import rewrite_once


@dataclass
class PlaceBuffer(RewritePattern):
    """One allocation, before its first use in the body that the plan names; gone when nothing uses it."""

    plan: Compaction

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp, rewriter: PatternRewriter) -> None:
        placement = self.plan.placements.get(op)
        if placement is None:
            rewriter.erase(op)
            return
        kind = memref_type_of(op.memref)
        small = buffer_type(kind.element_type, tuple(placement.shape), kind.memory_space)
        rewriter.replace_value_with_new_type(op.memref, small)
        move_op(op, InsertPoint.before(_first_use(placement.body, op.memref)), rewriter)


def _first_use(body: Block, buffer: SSAValue) -> Operation:
    """The first operation of a body that uses a buffer, however deep."""
    users = {child_holding(body, use.operation) for use in buffer.uses}
    return next(op for op in body.ops if op in users)


@dataclass
class NormaliseBlock(RewritePattern):
    """One block, with one iteration variable per loop of several iterations that it depends on."""

    plan: Compaction

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BlockOp, rewriter: PatternRewriter) -> None:
        _normalise(op, self.plan.indices[op], self.plan.around)
        rewriter.notify_op_modified(op)


def _normalise(block: BlockOp, expressions: list[list[Linear]], around: Surroundings) -> None:
    """Let a block access its buffers at indices over loop variables, one list per access."""
    extents = around.extents(block)
    reducing = _reducing(block, extents)
    bound = reducing | variables_of(expression for access in expressions for expression in access)
    loops = [variable for variable, extent in extents.items() if extent > 1 and variable in bound]
    place = {variable: dimension(position) for position, variable in enumerate(loops)}
    variables = [IterationVariable(extents[variable], variable in reducing) for variable in loops]
    if block.has_reduction and not any(variable.reduction for variable in variables):
        variables.append(IterationVariable(1, reduction=True))
    accesses: list[AccessAttr] = []
    for access, old in zip(expressions, block.accesses.data, strict=True):
        indices = tuple([to_affine(expression, place.__getitem__) for expression in access])
        accesses.append(AccessAttr.get(AffineMap(len(variables), 0, indices), old.pad_value))
    guards = guards_of(block, extents)
    block.domain = IterationAttr(tuple(variables))
    block.accesses = ArrayAttr(accesses)
    values = [Linear.variable(variable) for variable in loops]
    rebind(block, values + [ZERO] * (len(variables) - len(loops)), guards, extents)


def _reducing(block: BlockOp, extents: Extents) -> set[Hashable]:
    """The loops that the reduction variables of a block depend on."""
    if not block.has_reduction:
        return set()
    bound = zip(block.variables, bindings_of(block, extents), strict=True)
    return variables_of(value for variable, value in bound if variable.reduction)


def _has_fragments(function: FuncOp) -> bool:
    """Whether a function is one of memory and fragments, whose buffers are as small as they can be."""
    kinds = {type(op) for op in operations_under(function)}
    return any(kind.has_trait(InRegisters, value_if_unregistered=False) for kind in kinds)


@dataclass(frozen=True)
class ScheduleCompactBuffers(ModulePass):
    """Move each allocation into the innermost loop that holds all its uses, and shrink it.

    Blocks are brought to normal form: one iteration variable per loop that moves them. Where
    and how small each buffer is follows from a plan for the whole function (`analysis.compaction`).

    requires: no block has an init (schedule-decompose-reductions).
    ensures:  buffers hold the hull of the regions accessed per iteration of that loop;
              accesses are relative to it; buffers that nothing reads or writes are gone.
    declines: a block with an init; a buffer that others than blocks use, but in a function that is
              lowered wholly, or that has fragments already, which stays as it is.
    """

    name = "schedule-compact-buffers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and not is_lowered(function) and not _has_fragments(function):
                plan = plan_compaction(function)
                rewrite_once(function, PlaceBuffer(plan), NormaliseBlock(plan))
