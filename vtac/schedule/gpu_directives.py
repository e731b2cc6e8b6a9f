"""Directives of fast kernels for tensor cores: shared memory, copies that run ahead, and blocks that are products."""

from __future__ import annotations

from collections.abc import Sequence

from vtac.dialects.schedule import gpu_directives as gpu
from vtac.dialects.schedule.spellings import AsyncName
from vtac.schedule.recording import Recording
from vtac.schedule.references import BlockRef, LoopRef
from vtac.text.excerpts import pointed_methods


@pointed_methods
class GpuDirectives(Recording):
    """The methods that only kernels for GPUs want."""

    def transform_layout(self, block: BlockRef, order: Sequence[int]) -> None:
        """Permute the dimensions of a block's output buffer: new dimension i is old order[i]."""
        self.direct(gpu.TransformLayoutOp, block=block, order=order)

    def storage_align(self, block: BlockRef, dimension: int, factor: int, offset: int) -> None:
        """Make the stride of a dimension of a block's output `offset` modulo `factor` elements."""
        self.direct(gpu.StorageAlignOp, block=block, dimension=dimension, factor=factor, offset=offset)

    def swizzle(self, block: BlockRef, bytes: int, panels: bool = False) -> None:
        """Let 16-byte chunks change places within each 32, 64 or 128 `bytes` of a row of a block's shared output.

        With `panels` wider rows are cut into panels of so many bytes, as `wgmma` reads them, or of 16.
        """
        self.direct(gpu.SwizzleOp, block=block, bytes=bytes, panels=panels)

    def pipeline(self, loop: LoopRef, stages: int, async_: AsyncName | None = None) -> None:
        """Run a loop's copies to shared memory `stages - 1` iterations ahead.

        By threads, or, with `async_="tma"`, as bulk copies of what is tensorized as "tma.load".
        """
        self.direct(gpu.PipelineOp, loop=loop, stages=stages, async_=async_)

    def specialize(self, loop: LoopRef, producers: int, consumers: int) -> None:
        """Have `producers` more warps ask for a loop's bulk copies, and all others, the `consumers`, use them."""
        self.direct(gpu.SpecializeOp, loop=loop, producers=producers, consumers=consumers)

    def cluster(self, loop: LoopRef) -> None:
        """Let the blocks of a loop be a cluster: neighbours along the blockIdx that the loop around is bound to.

        Boxes that do not depend on the loop are then asked for in parts, one by each block, and come to all of them.
        The loop around runs over all blocks afterwards; `loop` is no more.
        """
        self.direct(gpu.ClusterOp, loop=loop)

    def rasterize(self, rows: LoopRef, columns: LoopRef, group: int) -> None:
        """Let blocks of the grid take their tiles in groups of `group` rows, for the sake of the cache."""
        self.direct(gpu.RasterizeOp, rows=rows, columns=columns, group=group)

    def implicit_gemm(
        self, block: BlockRef, tile: Sequence[int], order: Sequence[int] | None = None
    ) -> tuple[BlockRef, BlockRef, BlockRef]:
        """Compute a contraction as one matrix product over copies of its operands, filled up to multiples of a tile.

        `tile` is [m, n, k]. Rows, columns and k walk the block's iteration variables in `order`, outermost first;
        without it as the dimensions of the output and the block's reductions follow each other. Returns the blocks
        that copy the first operand, the second, and the product to where it belongs; `block` is the product then.
        """
        a, b, store = self._blocks(self.direct(gpu.ImplicitGemmOp, block=block, tile=tile, order=order))
        return a, b, store

    def rfactor(self, block: BlockRef, loop: LoopRef) -> BlockRef:
        """Reduce each iteration of a reduction loop into an element of its own, and these into the result.

        Returns the block of the parts; `block` adds them up, in a nest of its own after it.
        """
        return self._blocks(self.direct(gpu.RfactorOp, block=block, loop=loop))[0]

    def fuse_variables(self, block: BlockRef, groups: Sequence[Sequence[int]]) -> None:
        """Let one iteration variable of a block run over each group of its variables, outermost first."""
        self.direct(gpu.FuseVariablesOp, block=block, groups=groups)
