"""Schedules of products whose operands come as boxes in bulk copies, for `mma.sync` and for `wgmma`."""

from __future__ import annotations

from vtac.schedule import BlockRef, LoopRef
from vtac.targets.cuda.schedules.lanes import run_along
from vtac.targets.cuda.schedules.mma_products import MmaProductScheduler
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.product_matrices import payload_block
from vtac.targets.cuda.schedules.wgmma_products import WgmmaProductScheduler

_PANELS = (128, 64, 32, 16)


class BoxCopies(ProductScheduler):
    """What bulk copies change of a schedule of a product: each operand's tile of a step is one box, or some panels."""

    def _lanes(self, copy: BlockRef, fastest: int, part: tuple[int, int]) -> int:
        """Boxes are asked for by one thread, not by so many elements each."""
        return 1

    def _run(self, copy: BlockRef, fastest: int, row: int) -> int:
        """Elements of a row that one box has, or several of its panels: of one tile of a packed operand."""
        return run_along(payload_block(self.script, copy), fastest, row)

    def _share_copy(self, copy: BlockRef, step: LoopRef, fastest: int, lanes: int) -> None:
        """Bring a step's tile of an operand as boxes."""
        script = self.script
        script.compute_at(copy, step)
        *_, first, outer, inner = script.get_loops(copy)
        if fastest == 0:
            outer, inner = inner, outer
            script.reorder(outer, inner)
        script.tensorize(first if self.shape.is_batch else outer, "tma.load")

    def _pipeline(self, step: LoopRef, inner: LoopRef) -> None:
        """Ask for the boxes of later steps ahead, by the block's warps or by warps of their own."""
        self.script.pipeline(step, min(self.tiling.stages, step.extent), async_="tma")
        if self.tiling.producers:
            self.script.specialize(step, self.tiling.producers, self.tiling.warps)
        self.script.unroll(inner)


class TmaMmaScheduler(BoxCopies, MmaProductScheduler):
    """Schedules a product for `mma.sync`, its operands in boxes."""

    def _swizzle(self, copy: BlockRef, fastest: int, part: tuple[int, int]) -> None:
        """Let chunks change places as boxes have them: within rows of at most 128 bytes, in panels of wider ones.

        Rows that are no multiple of 32 bytes lie as they are, but for those of several boxes, whose panels are chunks.
        """
        width = self.blocks.element_bytes
        run_bytes, row_bytes = (count * width for count in (self._run(copy, fastest, part[fastest]), part[fastest]))
        swizzle = next(one for one in _PANELS if run_bytes % one == 0)
        if swizzle > _PANELS[-1] or run_bytes < row_bytes:
            self.script.swizzle(copy, swizzle, panels=row_bytes > swizzle)


class TmaWgmmaScheduler(BoxCopies, WgmmaProductScheduler):
    """Schedules a product for `wgmma`, its operands in boxes."""
