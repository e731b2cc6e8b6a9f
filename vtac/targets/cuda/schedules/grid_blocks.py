"""The blocks of a grid over a product: loops bound to blockIdx, their order, and clusters of neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vtac.schedule import LoopRef, Schedule
from vtac.targets.cuda.schedules.threads import tail_of
from vtac.targets.cuda.schedules.tiling import ProductTiling


@dataclass
class GridBlocks:
    """Binds a schedule's loops over blocks.

    Blocks of a cluster lie beside each other along rows, where they share their part of the columns' operand, or along
    columns, where they share that of the rows': whichever is the larger part.
    """

    script: Schedule
    tiling: ProductTiling
    raster: tuple[LoopRef, LoopRef, int] | None = None
    neighbours: LoopRef | None = None

    @property
    def tile(self) -> tuple[int, int, int]:
        """m, n and k of what the blocks of a cluster compute in a step: a product is filled up to multiples of it."""
        return self.tiling.cluster_block

    def split(self, rows: LoopRef, columns: LoopRef, sizes: Sequence[int]) -> tuple[list[LoopRef], LoopRef, LoopRef]:
        """Cut rows and columns of a product: the loops over blocks, outermost first, and those of one block."""
        script, (row_part, column_part, _), (row_tile, column_tile, _) = self.script, self.tiling.block, self.tile
        row_block, rows = script.split(rows, factor=row_tile, tail=tail_of(sizes[0], row_tile))
        column_block, columns = script.split(columns, factor=column_tile, tail=tail_of(sizes[1], column_tile))
        loops = [row_block, column_block]
        if self.tiling.cluster > 1 and self.tiling.shares_columns:
            self.neighbours, rows = script.split(rows, factor=row_part)
            loops.insert(1, self.neighbours)
        elif self.tiling.cluster > 1:
            self.neighbours, columns = script.split(columns, factor=column_part)
            loops.append(self.neighbours)
        return loops, rows, columns

    def bind(self, batch: Sequence[LoopRef], loops: Sequence[LoopRef]) -> None:
        """Bind the loops over a batch and over blocks."""
        script, group = self.script, self.tiling.group
        rows, columns = (loop for loop in loops if loop is not self.neighbours)
        for loop in batch:
            script.bind(loop, "blockIdx.z")
        script.bind(rows, "blockIdx.x")
        script.bind(columns, "blockIdx.y")
        group //= self.tiling.cluster if self.tiling.shares_columns else 1
        if group > 1 and rows.extent % group == 0 and not batch:
            self.raster = (rows, columns, group)

    def order(self) -> None:
        """Let blocks take their tiles in groups, and neighbours be clusters, once all else is where it belongs."""
        if self.raster is not None:
            self.script.rasterize(*self.raster)
        if self.neighbours is not None:
            self.script.cluster(self.neighbours)
