"""split: one loop into an outer and an inner one.

before: for i < 14                        after split(i, factor=7): for i_outer < 2
          block(i)                                                     for i_inner < 7
                                                                         block(i_outer * 7 + i_inner)
"""

from __future__ import annotations

from math import isqrt

from xdsl.rewriter import InsertPoint, Rewriter

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import bindings_of
from vtac.analysis.nests.nest import blocks_under, extents_around
from vtac.dialects.schedule.attributes import Tail
from vtac.dialects.schedule.loop_directives import SplitOp
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.limits import ITERATIONS
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, occupation, refusal
from vtac.rewriting.block_edits import restrict_loop, substitute_loop
from vtac.rewriting.edits import replace_nest
from vtac.rewriting.loop_copies import copy_apart

_MOST_DIVISORS = 16


@rewrites(SplitOp)
def split(op: SplitOp, handles: Handles) -> None:
    """Split a serial loop.

    requires: a factor (or nparts) of at least 1 and at most the extent; one that divides it,
              unless the tail strategy is `guard` (blocks get a bound, and it may be more than
              the extent) or `peel` (a second nest, its blocks named `*_tail`, runs the rest).
              What is given is kept exactly: the other extent is rounded up with `guard`, down
              with `peel`.
    ensures:  the same iterations in the same order, in two loops; with `peel` in a second nest after them.
    refused:  a loop that is bound, marked or mapped already; extents that leave a rest under the tail strategy
              `error`, with the divisors; a guard far beyond the loop.
    """
    loop = handles.loop(op.loop, op)
    if occupation(loop):
        raise refusal(
            op, f"loop {describe(loop)} is {occupation(loop)} already", "split loops before they are bound or annotated"
        )
    outer_extent, inner_extent = _extents(op, loop)
    rest = loop.trip_count - outer_extent * inner_extent
    if rest > 0:
        _peel(loop, outer_extent * inner_extent, rest, handles)
    outer, inner = _split_body(loop, outer_extent, inner_extent, guarded=rest < 0)
    handles.define_loop(op.outer, outer)
    handles.define_loop(op.inner, inner)


def _extents(op: SplitOp, loop: ForOp) -> tuple[int, int]:
    """Outer and inner extent; their product is the loop's, more with a guard, less with a peeled rest."""
    by_factor = op.factor is not None
    given = op.factor if op.factor is not None else op.nparts
    count = 0 if given is None else given.value.data
    what = f"{'factor' if by_factor else 'nparts'} {count}"
    if count < 1 or (count > loop.trip_count and op.tail_strategy is not Tail.GUARD):
        raise refusal(op, f"{what} for loop {describe(loop)}", f"1 to {loop.trip_count} is possible")
    other, rest = divmod(loop.trip_count, count)
    if rest and op.tail_strategy is Tail.ERROR:
        raise refusal(
            op,
            f"{what} does not divide loop {describe(loop)}: {rest} iteration{'s' if rest > 1 else ''} would remain",
            f"choose a divisor ({_divisors(loop.trip_count)}), or a tail strategy: guard or peel",
        )
    if rest and op.tail_strategy is Tail.GUARD:
        other += 1
        _refuse_padding(op, loop, other * count, what)
    return (other, count) if by_factor else (count, other)


def _divisors(extent: int) -> str:
    """The divisors of an extent in order, those in the middle left out where there are many."""
    small = [number for number in range(1, isqrt(extent) + 1) if extent % number == 0]
    found = list(dict.fromkeys([*small, *(extent // number for number in reversed(small))]))
    shown = [str(number) for number in found]
    return ", ".join(shown if len(shown) <= _MOST_DIVISORS else [*shown[:8], "...", *shown[-4:]])


def _refuse_padding(op: SplitOp, loop: ForOp, iterations: int, what: str) -> None:
    """A guard lets a loop run further than its extent, but not beyond what any nest may take."""
    found = ITERATIONS.refusal(iterations) if iterations > loop.trip_count else ""
    if found:
        raise refusal(op, f"{what} for loop {describe(loop)} makes {found}", f"{loop.trip_count} covers the loop")


def _split_body(loop: ForOp, outer_extent: int, inner_extent: int, *, guarded: bool) -> tuple[ForOp, ForOp]:
    outer = ForOp.get(outer_extent, f"{loop.loop_name}_outer")
    inner = ForOp.get(inner_extent, f"{loop.loop_name}_inner")
    outer.location = inner.location = loop.location
    variable = loop.induction_variable
    parts = Linear.variable(outer.induction_variable) * inner_extent + Linear.variable(inner.induction_variable)
    replace_nest([loop], [outer, inner])
    bound = [Linear(loop.trip_count - 1) - parts] if guarded else []
    for block in blocks_under(inner):
        substitute_loop(block, {variable: parts}, bound)
    return outer, inner


def _peel(loop: ForOp, start: int, rest: int, handles: Handles) -> None:
    """Run the last `rest` iterations in a nest of their own with its own buffers, right after the loop."""
    tail = copy_apart(loop)
    tail.rename(f"{loop.loop_name}_tail")
    Rewriter.insert_op(tail, InsertPoint.after(loop))
    restrict_loop(tail, start, rest)
    for block in blocks_under(tail):
        block.sym_name = type(block.sym_name)(handles.unique_block_name(f"{block.block_name}_tail"))
        if _never_starts(block):
            block.init = None


def _never_starts(block: BlockOp) -> bool:
    """True when some reduction variable cannot be 0, so that a block only continues."""
    extents = extents_around(block)
    return any(
        variable.reduction and value.bounds(extents)[0] > 0
        for variable, value in zip(block.variables, bindings_of(block, extents), strict=True)
    )
