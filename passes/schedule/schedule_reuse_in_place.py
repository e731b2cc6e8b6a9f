"""schedule-reuse-in-place: let elementwise accumulator blocks write where they read."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.affine_expressions import to_affine
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import bindings_of, guards_of
from vtac.analysis.nests.in_place import reuse_of
from vtac.analysis.nests.nest import enclosing_loops, extents_around
from vtac.dialects.schedule.attributes import AccessAttr, IterationAttr, IterationVariable
from vtac.dialects.schedule.declared import ALU
from vtac.dialects.schedule.payload import BlockOp
from vtac.rewriting.block_edits import rebind
from vtac.rewriting.walker import rewrite_once


class ReuseInPlace(RewritePattern):
    """One block on the ALU with an input that dies there: its output becomes that input."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BlockOp, rewriter: PatternRewriter) -> None:
        if not any(ALU.is_on(loop) for loop in enclosing_loops(op)):
            return
        reuse = reuse_of(op)
        if reuse is None:
            return
        output, allocation = op.buffers[-1], op.buffers[-1].owner
        if reuse.shift is not None:
            for user in dict.fromkeys(use.operation for use in output.uses):
                if isinstance(user, BlockOp):
                    _shift_accesses(user, output, reuse.shift, reuse.steps or [1] * len(reuse.shift))
        rewriter.replace_all_uses_with(output, op.buffers[reuse.position])
        if isinstance(allocation, AllocOp):
            rewriter.erase(allocation)


def _shift_accesses(user: BlockOp, buffer: SSAValue, shift: Sequence[Linear], steps: Sequence[int]) -> None:
    """Let the indices of a user's accesses to a buffer count in steps, and add what depends on outer loops."""
    extents = extents_around(user)
    bindings, guards = bindings_of(user, extents), guards_of(user, extents)
    variables: list[Hashable] = sorted(
        {variable for amount in shift for variable in amount.variables()}, key=lambda v: _depth_of(user, v)
    )
    first = len(user.variables)
    place = {variable: AffineExpr.dimension(first + number) for number, variable in enumerate(variables)}
    user.domain = IterationAttr((*user.variables, *(IterationVariable(extents[variable]) for variable in variables)))
    accesses: list[AccessAttr] = []
    for value, access in zip(user.buffers, user.accesses.data, strict=True):
        results = list(access.indices.results)
        if value is buffer:
            stepped = [result if step == 1 else result * step for result, step in zip(results, steps, strict=True)]
            results = [
                result if amount == Linear(0) else result + to_affine(amount, lambda variable: place[variable])
                for result, amount in zip(stepped, shift, strict=True)
            ]
        accesses.append(AccessAttr.get(AffineMap(first + len(variables), 0, tuple(results)), access.pad_value))
    user.accesses = ArrayAttr(accesses)
    rebind(user, [*bindings, *(Linear.variable(variable) for variable in variables)], guards)


def _depth_of(block: BlockOp, variable: Hashable) -> int:
    """How deep the loop of a variable stands around a block."""
    return [loop.induction_variable for loop in enclosing_loops(block)].index(variable)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class ScheduleReuseInPlace(ModulePass):
    """Merge the output buffer of an ALU block with an input that dies there.

    The input may be larger and live further out, where each iteration takes its own part; or be read in steps, when
    all else that reads it then reads between them (one row of each window, say). Rows of tiles stay side by side.
    Whether an input dies is asked of all its uses in the function (`analysis.in_place`).

    requires: compacted buffers.
    ensures:  ALU blocks whose input is read by nobody later work in place.
    declines: inputs that live on, arguments, and accesses that differ: left as they are.
    """

    name = "schedule-reuse-in-place"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, ReuseInPlace())
