"""The directives of a default schedule: a product in shared tiles and fragments, its tail from shared memory."""

from __future__ import annotations

from xdsl.dialects.builtin import Float16Type

from vtac.analysis.nests.nest import element_type_of
from vtac.analysis.tensor_cores.padded_steps import PaddedSteps, padded_steps
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.cuda.schedules.grid_blocks import GridBlocks
from vtac.targets.cuda.schedules.lanes import moves_vectors, walked_fastest
from vtac.targets.cuda.schedules.product_blocks import ProductBlocks
from vtac.targets.cuda.schedules.product_matrices import as_matrices, payload_block
from vtac.targets.cuda.schedules.shape import ProductShape, gather_tail
from vtac.targets.cuda.schedules.tiling import RESULT_PAD, ProductTiling
from vtac.targets.cuda.schedules.warp_loops import (
    VECTOR_BYTES,
    bind_warps,
    multiply_fragments,
    order_rows,
    spread_over_threads,
)


class ProductScheduler:
    """Schedules one product with what stands around it.

    A block computes a tile of the product, step by step of k: its threads copy tiles of both
    operands to shared memory, its warps multiply fragments of them. The result passes through
    shared memory, from where all threads take it through the tail to where it belongs.
    """

    def __init__(self, schedule: Schedule, blocks: ProductBlocks, shape: ProductShape, tiling: ProductTiling) -> None:
        self.script = schedule
        self.blocks = blocks
        self.shape = shape
        self.tiling = tiling
        self.grid = GridBlocks(schedule, tiling)

    def schedule(self) -> None:
        """Record the directives."""
        script, blocks = self.script, self.blocks
        for name in blocks.pads:
            script.compute_inline(script.get_block(name))
        product = script.get_block(blocks.product)
        a, b, store = as_matrices(script, product, self.grid.tile)
        result = gather_tail(script, blocks, store)
        copies = ((a, int(not self.shape.a_by_rows)), (b, int(not self.shape.b_by_depth)))
        rows, columns, depth = self.tiling.block
        parts = ((rows, depth), (depth, columns))
        lanes = [self._lanes(copy, fastest, part) for (copy, fastest), part in zip(copies, parts, strict=True)]
        fragments = [script.cache_read(product, at, f"wmma.matrix_{role}") for at, role in enumerate("ab")]
        for copy, fastest in copies:
            script.set_scope(copy, 0, "shared")
            if fastest == 0:
                script.transform_layout(copy, [0, 2, 1] if self.shape.is_batch else [1, 0])
        accumulators = script.cache_write(product, 0, "wmma.accumulator")
        script.set_scope(accumulators, 0, "shared")
        if not isinstance(element_type_of(payload_block(script, accumulators).output), Float16Type):
            # Four rows of 32 bytes are stored at a time: rows an odd multiple of 32 bytes apart meet no bank twice.
            script.storage_align(accumulators, int(self.shape.is_batch), 2 * RESULT_PAD, RESULT_PAD)
        self._share_result(result, accumulators)
        *_, rows, columns = script.get_loops(accumulators)
        script.compute_at(product, bind_warps(script, self.tiling, self.tiling.fragment, rows, columns))
        step, inner = multiply_fragments(script, self.tiling, self.tiling.fragment, product, *fragments)
        for (copy, fastest), count in zip(copies, lanes, strict=True):
            self._share_copy(copy, step, fastest, count)
        self._skip_padding(product, step)
        self._pipeline(step, inner)
        self.grid.order()

    def _lanes(self, copy: BlockRef, fastest: int, part: tuple[int, int]) -> int:
        """Elements that one thread copies at a time: a vector, unless threads would be idle then."""
        block, lanes = payload_block(self.script, copy), VECTOR_BYTES // self.blocks.element_bytes
        lanes = self.tiling.lanes(part[0] * part[1] // self.tiling.block[2], lanes)
        while lanes > 1 and not moves_vectors(block, fastest, part[fastest], lanes):
            lanes //= 2
        return lanes

    def _share_result(self, result: BlockRef, accumulators: BlockRef) -> None:
        """Give blocks their part of the result; a block's threads take turns at its elements, side by side."""
        script = self.script
        script.fuse_variables(result, self.shape.groups)
        block = payload_block(script, result)
        by_rows = walked_fastest(block, len(block.inputs)) == 0
        *batch, rows, columns = script.get_loops(result)
        loops, rows, columns = self.grid.split(rows, columns, self.shape.sizes)
        inside = (columns, rows) if by_rows else (rows, columns)
        script.reorder(*batch, *loops, *inside)
        self.grid.bind(batch, loops)
        script.compute_at(accumulators, loops[-1])
        spread_over_threads(script, self.tiling, script.fuse(*inside))

    def _share_copy(self, copy: BlockRef, step: LoopRef, fastest: int, lanes: int) -> None:
        """Copy a step's tile of an operand with all threads, neighbours in memory by neighbouring threads."""
        script, width = self.script, self.blocks.element_bytes
        if width > 1:
            # Rows an odd multiple of 16 bytes apart: a fragment's rows meet no bank twice.
            script.storage_align(copy, int(self.shape.is_batch), 2 * VECTOR_BYTES // width, VECTOR_BYTES // width)
        script.compute_at(copy, step)
        *_, outer, inner = script.get_loops(copy)
        if fastest == 0:
            outer, inner = inner, outer
            script.reorder(outer, inner)
        rows = order_rows(script, outer, inner.extent * width)
        if lanes > 1:
            inner, vector = script.split(inner, factor=lanes)
            script.vectorize(vector)
        spread_over_threads(script, self.tiling, script.fuse(*rows, inner))

    def _skip_padding(self, product: BlockRef, step: LoopRef) -> None:
        """Leave out steps in which all that a block copies of an operand is padding, such as a tap beside an image."""
        found = padded_steps(payload_block(self.script, product))
        if isinstance(found, PaddedSteps):
            self.script.decompose_reduction(product, step)
            self.script.skip_padding(product)

    def _pipeline(self, step: LoopRef, inner: LoopRef) -> None:
        """Copy ahead of the product, as many steps as the tiling has room for."""
        stages = min(self.tiling.stages, step.extent)
        if stages > 1:
            self.script.pipeline(step, stages)
            self.script.unroll(inner)
