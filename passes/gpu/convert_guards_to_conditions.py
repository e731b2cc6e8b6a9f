"""convert-guards-to-conditions: what a kernel's guards leave out is skipped by scf.if.

before: for k                             after: for k
          for i: copy(i, k) where g(k) >= 0          if g(k) >= 0
          for j: use(j, k)  where g(k) >= 0            for i: copy(i, k)
                                                     if g(k) >= 0
                                                       for j: use(j, k)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.bulk_copies.box_stores import STORE_BOX
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.accesses import bindings_of, guards_of, guards_without_unit_loops
from vtac.analysis.nests.nest import blocks_under, enclosing_loops, extents_around
from vtac.analysis.tensor_cores.fragment_plans import intrinsic_of
from vtac.analysis.tensor_cores.mma_tiles import MATRIX_STORE, STORE
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.declared import TENSORIZE
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import CompileError
from vtac.rewriting.block_edits import rebind
from vtac.rewriting.edits import discard, insert_ops, take_from_nest, wrap
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once

Guards = tuple[Linear, ...]
_BY_ELEMENT = (STORE, MATRIX_STORE, STORE_BOX)
"""Intrinsics that see to guards themselves."""


class SimplifyGuard(RewritePattern):
    """A block whose guard never holds -> nothing; other guards are written without loops of one iteration."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BlockOp, rewriter: PatternRewriter) -> None:
        guards = guards_without_unit_loops(op)
        if not guards:
            return
        extents = extents_around(op)
        if any(guard.bounds(extents)[1] < 0 for guard in guards):
            take_from_nest(op, rewriter)
            discard(op, rewriter)
            return
        rebind(op, bindings_of(op), guards)
        rewriter.notify_op_modified(op)


class GuardStatements(RewritePattern):
    """The statements of one body whose guards are settled around them -> the same under tests of these guards.

    Statements that share their guards share the test.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp | ForOp, rewriter: PatternRewriter) -> None:
        if any(intrinsic_of(loop) in _BY_ELEMENT for loop in _loops_with(op)):
            return
        if isinstance(op, ForOp):
            _refuse_parts(op)
        tests: dict[Guards, SSAValue] = {}
        for child in [child for region in op.regions for body in region.blocks for child in body.ops]:
            blocks = blocks_under(child) if isinstance(child, ForOp | BlockOp) else []
            guards = _settled_outside(child, blocks)
            if guards and guards not in tests:
                tests[guards] = _test(child, guards, rewriter)
            if guards:
                _skip_unless(tests[guards], child, blocks, guards, rewriter)


def _loops_with(op: FuncOp | ForOp) -> list[ForOp]:
    """The loops around an operation, and itself."""
    return [*enclosing_loops(op), op] if isinstance(op, ForOp) else []


def _settled_outside(child: Operation, blocks: Sequence[BlockOp]) -> Guards:
    """Guards of every block in a statement that only depend on loops around the statement."""
    if all(block.guard is None for block in blocks):
        return ()
    around = {loop.induction_variable for loop in enclosing_loops(child)}
    first, *others = [guards_of(block) for block in blocks]
    return tuple(g for g in first if g.variables() <= around and all(g in other for other in others))


def _test(child: Operation, guards: Guards, rewriter: PatternRewriter) -> SSAValue:
    """Whether all guards hold, worked out before a statement."""
    values = HostValues(extents_around(child))
    verdict = values.at_least(values.value(guards[0]), 0)
    for guard in guards[1:]:
        verdict = values.both(verdict, values.at_least(values.value(guard), 0))
    for op in values.operations:
        op.location = child.location
    insert_ops(values.operations, InsertPoint.before(child), rewriter)
    return verdict


def _skip_unless(
    verdict: SSAValue, child: Operation, blocks: Sequence[BlockOp], guards: Guards, rewriter: PatternRewriter
) -> None:
    """Put a statement under a test of its guards, and take these from its blocks."""
    for block in blocks:
        rebind(block, bindings_of(block), [guard for guard in guards_of(block) if guard not in guards])
    choice = scf.IfOp(verdict, [], [scf.YieldOp()])
    choice.location = child.location
    wrap([child], choice, rewriter)


def _refuse_parts(loop: ForOp) -> None:
    """What one instruction does cannot be skipped in part; results in registers are computed element by element."""
    whole = (
        "tile"
        if TENSORIZE.is_on(loop) and TENSORIZE.get(loop) not in _BY_ELEMENT
        else "vector"
        if loop.loop_kind is LoopKind.VECTORIZED
        else ""
    )
    guarded = [block for block in blocks_under(loop) if block.guard is not None] if whole else []
    if guarded:
        raise CompileError(
            f"a guard of block '{guarded[0].block_name}' holds for a part of a {whole} only (loop '{loop.loop_name}'): "
            "pad to whole tiles, or stage the tile in shared memory and guard its copy",
            location_of(guarded[0]),
        )


@dataclass(frozen=True)
class ConvertGuardsToConditions(ModulePass):
    """Test each guard once, around the largest statement that it decides as a whole.

    requires: compacted buffers.
    ensures:  no block has a guard; statements of one body that share their guards share the
              test, and stay separate, so that barriers and pipelines can come between them.
    declines: a guard that holds for a part of a tile or of a vector; of results in registers (mma.store, mma.stmatrix),
              which are computed element by element, and of boxes (tma.store), which end with their array, guards stay
              on the block.
    """

    name = "convert-guards-to-conditions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, SimplifyGuard())
        rewrite_once(op, GuardStatements())
