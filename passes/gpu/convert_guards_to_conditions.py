"""convert-guards-to-conditions: what a kernel's guards leave out is skipped by scf.if.

before: for k                             after: for k
          for i: copy(i, k) where g(k) >= 0          if g(k) >= 0
          for j: use(j, k)  where g(k) >= 0            for i: copy(i, k)
                                                     if g(k) >= 0
                                                       for j: use(j, k)
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from vtac.analysis.accesses import bindings_of, guards_of, guards_without_unit_loops, rebind
from vtac.analysis.linear import Linear
from vtac.analysis.locations import location_of
from vtac.analysis.nest import blocks_under, discard, enclosing_loops, extents_around
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.declared import TENSORIZE
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import CompileError
from vtac.rewriting.edits import take_from_nest
from vtac.rewriting.index_values import HostValues


@dataclass(frozen=True)
class ConvertGuardsToConditions(ModulePass):
    """Test each guard once, around the largest statement that it decides as a whole.

    requires: compacted buffers.
    ensures:  no block has a guard; statements of one body that share their guards share the
              test, and stay separate, so that barriers and pipelines can come between them.
    declines: a guard that holds for a part of a tile or of a vector.
    """

    name = "convert-guards-to-conditions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and any(block.guard is not None for block in blocks_under(function)):
                for block in blocks_under(function):
                    _simplify(block)
                _convert(function.body.block)


def _simplify(block: BlockOp) -> None:
    """Drop a block whose guard never holds; write the guards without loops of one iteration."""
    extents = extents_around(block)
    guards = guards_without_unit_loops(block)
    if any(guard.bounds(extents)[1] < 0 for guard in guards):
        take_from_nest(block)
        discard(block)
    elif guards:
        rebind(block, bindings_of(block), guards)


def _convert(body: Block) -> None:
    tests: dict[tuple[Linear, ...], SSAValue] = {}
    for child in list(body.ops):
        blocks = blocks_under(child) if isinstance(child, ForOp | BlockOp) else []
        if not any(block.guard is not None for block in blocks):
            continue
        guards = _settled_outside(child, blocks)
        if guards:
            _wrap(body, child, guards, tests)
        if isinstance(child, ForOp):
            _refuse_parts(child, blocks)
            _convert(child.body.block)


def _settled_outside(child: Operation, blocks: list[BlockOp]) -> tuple[Linear, ...]:
    """Guards of every block in a statement that only depend on loops around the statement."""
    around = {loop.induction_variable for loop in enclosing_loops(child)}
    first, *others = [guards_of(block) for block in blocks]
    return tuple(g for g in first if g.variables() <= around and all(g in other for other in others))


def _wrap(body: Block, child: Operation, guards: tuple[Linear, ...], tests: dict[tuple[Linear, ...], SSAValue]) -> None:
    """Put a statement under a test of its guards, and take these from its blocks."""
    if guards not in tests:
        values = HostValues(extents_around(child))
        verdict: SSAValue | None = None
        for guard in guards:
            verdict = values.both(verdict, values.at_least(values.value(guard), 0))
        if verdict is None:
            raise ValueError("no guard to test")
        for op in values.operations:
            op.location = child.location
            body.insert_op_before(op, child)
        tests[guards] = verdict
    for block in blocks_under(child):
        rebind(block, bindings_of(block), [guard for guard in guards_of(block) if guard not in guards])
    choice = scf.IfOp(tests[guards], [], [scf.YieldOp()])
    choice.location = child.location
    body.insert_op_before(choice, child)
    child.detach()
    inside = choice.true_region.block
    last = inside.last_op
    if last is None:
        raise ValueError("a condition without a body")
    inside.insert_op_before(child, last)


def _refuse_parts(loop: ForOp, blocks: list[BlockOp]) -> None:
    """What one instruction does cannot be skipped in part."""
    whole = "tile" if TENSORIZE.is_on(loop) else "vector" if loop.loop_kind is LoopKind.VECTORIZED else ""
    guarded = [block for block in blocks if block.guard is not None]
    if whole and guarded:
        raise CompileError(
            f"a guard of block '{guarded[0].block_name}' holds for a part of a {whole} only (loop '{loop.loop_name}'): "
            "pad to whole tiles, or stage the tile in shared memory and guard its copy",
            location_of(guarded[0]),
        )
