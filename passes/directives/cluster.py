"""cluster: blocks of the grid, neighbours along an axis, that share what they bring to shared memory.

before: for i_outer < 4 (blockIdx.x)      after cluster(i_inner): for i_outer < 8 (blockIdx.x, clusters of 2)
          for i_inner < 2                                            block(i_outer floordiv 2, i_outer mod 2)
            block(i_outer, i_inner)
"""

from __future__ import annotations

from collections.abc import Hashable

from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.nests.accesses import bindings_of, guards_of
from vtac.analysis.nests.nest import blocks_under, extents_around, walk_payload
from vtac.dialects.clusters import FIRST_WITH_CLUSTERS, MOST_CLUSTER
from vtac.dialects.schedule.declared import CLUSTER
from vtac.dialects.schedule.gpu_directives import ClusterOp
from vtac.dialects.schedule.payload import ForOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.bind import check_independent
from vtac.passes.directives.handles import Handles, describe, occupation, refusal
from vtac.rewriting.block_edits import rebind
from vtac.rewriting.edits import discard, move_ops

_GRID = ("blockIdx.x", "blockIdx.y", "blockIdx.z")


@rewrites(ClusterOp)
def cluster(op: ClusterOp, handles: Handles) -> None:
    """Let a loop over blocks go up in the loop around, which is marked.

    requires: a plain loop of 2 to 8 iterations, alone in a loop that is bound to blockIdx, the only one of the function
              with that index; no other cluster; an architecture that has clusters, where one is given.
    ensures:  the loop around runs over all blocks, and says how many neighbours are a cluster.
    refused:  loops elsewhere, of other extents, or whose iterations add to one result; a second cluster.
    """
    loop = handles.loop(op.loop, op)
    around = _check(op, loop, handles)
    size = loop.trip_count
    extents: dict[Hashable, int] = {around.induction_variable: around.trip_count * size}
    number = Linear.variable(around.induction_variable)
    values: dict[Hashable, Linear] = {
        around.induction_variable: number.floor_divide(size, extents),
        loop.induction_variable: number.modulo(size, extents),
    }
    found = [(block, bindings_of(block), guards_of(block)) for block in blocks_under(loop)]
    around.trip_count *= size
    move_ops(list(loop.body.block.ops), InsertPoint.before(loop))
    for block, bindings, guards in found:
        inside = {**extents_around(block), around.induction_variable: around.trip_count}
        rebind(
            block,
            [value.substitute(values, inside) for value in bindings],
            [guard.substitute(values, inside) for guard in guards],
        )
    discard(loop)
    CLUSTER.set(around, size)


def _check(op: ClusterOp, loop: ForOp, handles: Handles) -> ForOp:
    """The loop around, over clusters."""
    if occupation(loop):
        raise refusal(op, f"loop {describe(loop)} is {occupation(loop)} already", "give a plain loop")
    around = loop.parent_op()
    if not isinstance(around, ForOp) or around.loop_kind.value not in _GRID:
        raise refusal(
            op,
            f"loop {describe(loop)} stands directly in no loop that is bound to blockIdx",
            "split a loop, bind the outer part to blockIdx.x, y or z, and give the inner one",
        )
    if around.body.block.first_op is not loop or around.body.block.last_op is not loop:
        raise refusal(
            op,
            f"loop {describe(loop)} is not the only thing in loop {describe(around)}",
            "move into it what stands beside it",
        )
    if not 1 < loop.trip_count <= MOST_CLUSTER:
        more = "; clusters of 16 are not portable" if loop.trip_count > MOST_CLUSTER else ""
        raise refusal(
            op,
            f"a cluster of {loop.trip_count} blocks",
            f"2 to {MOST_CLUSTER}, which every architecture with clusters has{more}",
        )
    _check_function(op, around, handles)
    check_independent(op, loop)
    return around


def _check_function(op: ClusterOp, around: ForOp, handles: Handles) -> None:
    """What else the function holds, and the architecture, allow a cluster."""
    loops = [one for one in walk_payload(handles.function) if isinstance(one, ForOp)]
    other = next((one for one in loops if CLUSTER.is_on(one)), None)
    if other is not None:
        raise refusal(op, f"loop {describe(other)} has clusters already", "give one axis of the grid")
    other = next((one for one in loops if one is not around and one.loop_kind is around.loop_kind), None)
    if other is not None:
        raise refusal(
            op,
            f"loop {describe(other)} is bound to {around.loop_kind.value}, too, and would have another extent",
            "give the axis of one loop",
        )
    record = architecture_of(handles.module)
    if record is not None and record.compute_capability < FIRST_WITH_CLUSTERS:
        raise refusal(op, f"{record.name} has no clusters", "compile for sm_90 or later")
