"""rasterize: blocks of a grid take their tiles in groups of rows, so that those that run together share more.

before, blocks 0 1 2 ... of 4 x 4 tiles   after rasterize(rows, columns, 2)
     0  1  2  3                                 0  2  4  6
     4  5  6  7                                 1  3  5  7
     8  9 10 11                                 8 10 12 14
    12 13 14 15                                 9 11 13 15

The grid stays as it is. Blocks with neighbouring numbers run at the same time: eight of them
read 1 row and 8 columns of tiles before, 2 rows and 4 columns after.
"""

from __future__ import annotations

from collections.abc import Hashable

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.nest import blocks_under, enclosing_loops
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.gpu_directives import RasterizeOp
from vtac.dialects.schedule.payload import ForOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal
from vtac.rewriting.block_edits import substitute_loop

_GRID = ("blockIdx.x", "blockIdx.y", "blockIdx.z")


@rewrites(RasterizeOp)
def rasterize(op: RasterizeOp, handles: Handles) -> None:
    """Permute the tiles among the blocks of the grid.

    requires: two loops of one nest bound to different blockIdx, with all that the outer one
              holds in the inner one; a group that divides the rows, so that the new order
              reaches every tile once.
    ensures:  each block of the grid computes one tile, another one than before; together they compute all.
    refused:  loops of different nests, and loops that do not run over blocks of the grid.
    """
    rows, columns = handles.loop(op.rows, op), handles.loop(op.columns, op)
    inner = _check(op, rows, columns)
    group = op.group.value.data
    slow, fast = sorted((rows, columns), key=lambda loop: loop.loop_kind.value, reverse=True)
    number = Linear.variable(slow.induction_variable) * fast.trip_count + Linear.variable(fast.induction_variable)
    extents: dict[Hashable, int] = {loop.induction_variable: loop.trip_count for loop in (rows, columns)}
    panel = group * columns.trip_count
    row = number.floor_divide(panel, extents) * group + number.modulo(group, extents)
    column = number.modulo(panel, extents).floor_divide(group, extents)
    for block in blocks_under(inner):
        substitute_loop(block, {rows.induction_variable: row, columns.induction_variable: column})


def _check(op: RasterizeOp, rows: ForOp, columns: ForOp) -> ForOp:
    """The inner one of the two loops."""
    for loop in (rows, columns):
        if loop.loop_kind.value not in _GRID:
            kind = "" if loop.loop_kind is LoopKind.SERIAL else f" ({loop.loop_kind.value})"
            raise refusal(
                op, f"loop {describe(loop)}{kind} does not run over blocks of the grid", "bind it to blockIdx first"
            )
    if rows.loop_kind is columns.loop_kind:
        raise refusal(op, f"both loops are bound to {rows.loop_kind.value}", "give two loops of one nest")
    inner, outer = (columns, rows) if rows in enclosing_loops(columns) else (rows, columns)
    if outer not in enclosing_loops(inner):
        raise refusal(
            op, f"loops {describe(rows)} and {describe(columns)} are not in one nest", "give two loops around one block"
        )
    outside = [block.block_name for block in blocks_under(outer) if block not in blocks_under(inner)]
    if outside:
        raise refusal(
            op,
            f"block '{outside[0]}' stands in loop {describe(outer)}, but not in loop {describe(inner)}",
            "move it into both with compute_at",
        )
    group = op.group.value.data
    if rows.trip_count % group:
        divisors = [str(size) for size in range(1, rows.trip_count + 1) if rows.trip_count % size == 0]
        raise refusal(
            op,
            f"groups of {group} rows do not divide loop {describe(rows)}",
            f"its divisors are {', '.join(divisors[-8:])}",
        )
    return inner
