"""The fast schedule of the fp16 convolution: a ring of copies under large warp tiles.

A block computes `rows` x `columns` tiles of one pixel; each step of its loop covers `chunk`
input-channel tiles of one kernel tap. Tilings are those of every product (`schedules/tiling.py`), ranked by the same
roofs. Shared tiles are plain matrices with an odd multiple of 8 halves as pitch, which threads fill in an order in
which they meet no bank twice, nor do fragment loads. Blocks of one pixel are neighbours, so that the second finds the
first's data in the cache. Copies of less than 4 bytes, where channels are odd or come first, wait in registers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARP_SIZE, GpuArchitecture, gpu_architecture
from vtac.errors import CompileError
from vtac.targets.cuda.schedules.roof import ranking
from vtac.targets.cuda.schedules.tiling import ProductSize
from vtac.targets.cuda.schedules.warp_loops import order_rows
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_seed import Warps, spread
from vtac.workloads.wmma_tiles import TILE, VECTOR

if TYPE_CHECKING:
    from vtac.schedule import BlockRef, LoopRef, Schedule


@dataclass(frozen=True)
class FastTiling:
    """Tiles of 16 per block, warps per block, input-channel tiles per step, pipeline stages.

    `skip_taps` leaves out steps whose tap lies in the padding; `double_buffer` loads the
    fragments of a step's next channel tile before the last ones multiply, which compilers do by themselves.
    """

    rows: int = 16
    columns: int = 8
    row_warps: int = 4
    column_warps: int = 2
    chunk: int = 2
    stages: int = 4
    skip_taps: bool = True
    double_buffer: bool = False

    def __str__(self) -> str:
        return f"{self.rows * TILE} x {self.columns * TILE} in steps of {self.chunk * TILE}, {self.stages} stages"

    def shared_bytes(self, *, staged: bool = False) -> int:
        """Shared memory of all stages, and of a block's result where that is staged."""
        data = self.rows * TILE * (self.chunk * TILE + VECTOR)
        kernel = self.chunk * TILE * (self.columns * TILE + VECTOR)
        result = 4 * self.rows * self.columns * TILE * TILE if staged else 0
        return 2 * self.stages * (data + kernel) + result

    def fits(self, layer: WmmaConv2D) -> bool:
        """Whole blocks and warps, and copies that keep every lane busy."""
        n, o, ic = layer.tiles.data_shape[0], layer.tiles.kernel_shape[3], layer.tiles.kernel_shape[2]
        steps = ic // self.chunk * layer.kernel * layer.kernel if ic % self.chunk == 0 else 0
        threads = self.row_warps * self.column_warps * WARP_SIZE
        return (
            n % self.rows == 0
            and o % self.columns == 0
            and self.rows % self.row_warps == 0
            and self.columns % self.column_warps == 0
            and steps >= self.stages
            and all(
                tiles * self.chunk * TILE * TILE % (lanes * threads) == 0
                for tiles, lanes in zip((self.rows, self.columns), layer.lanes, strict=True)
            )
        )


def candidates(layer: WmmaConv2D, record: GpuArchitecture) -> Iterator[FastTiling]:
    """The pipelined tilings of the space, that of least estimated time first: one product for each pixel."""
    tiles = layer.tiles
    (n, _, _, ic, _, _), o = tiles.data_shape, tiles.kernel_shape[3]
    sizes = (n * TILE, o * TILE, ic * TILE * layer.kernel * layer.kernel)
    pixels = layer.out_height * layer.out_width
    size = ProductSize(sizes, (TILE, TILE, TILE), ELEMENT_BYTES["f16"], layer.lanes, pixels, staged=layer.staged)
    for _, one in ranking(size, record):
        if one.stages > 1:
            rows, columns = one.row_tiles * one.row_warps, one.column_tiles * one.column_warps
            yield FastTiling(rows, columns, one.row_warps, one.column_warps, one.chunk, one.stages)


def choose_tiling(layer: WmmaConv2D, architecture: str | GpuArchitecture = "sm_90") -> FastTiling:
    """The tiling of least estimated time that the layer divides into and the architecture has room for.

    Raises `CompileError` where there is none.
    """
    record = gpu_architecture(architecture) if isinstance(architecture, str) else architecture
    for tiling in candidates(layer, record):
        if tiling.fits(layer) and tiling.shared_bytes(staged=layer.staged) <= record.shared_bytes_per_block:
            return tiling
    n, _, _, ic, _, _ = layer.tiles.data_shape
    o, taps = layer.tiles.kernel_shape[3], layer.kernel * layer.kernel
    raise CompileError(
        f"no tiling of the fast schedule fits {n} x {o} tiles of batch and output channels and {ic} of input channels "
        f"by {taps} taps on {record.name}, where a pipeline takes 2 steps or more: use the seed schedule"
    )


def fast_schedule(layer: WmmaConv2D, tiling: FastTiling | None = None) -> Schedule:
    """Schedule a layer for tensor cores with `cp.async`."""
    from vtac.schedule import Schedule

    tiling = choose_tiling(layer) if tiling is None else tiling
    schedule = Schedule(layer.text())
    schedule.name = f"fast, {tiling}"
    conv = schedule.get_block(layer.product)
    if layer.padding:
        schedule.compute_inline(schedule.get_block("data_pad"))
    warp_column, store_tile = _spread_blocks(schedule, layer, conv, tiling)
    schedule.compute_at(conv, warp_column)
    step, inner, mma_tile = _order_reduction(schedule, conv, tiling)
    if layer.padding and tiling.skip_taps:
        _skip_taps(schedule, conv, step)
    data = schedule.cache_read(conv, 0, "shared")
    kernel = schedule.cache_read(conv, 1, "shared")
    for name in layer.packs:
        schedule.compute_inline(schedule.get_block(name))
    for index, scope in enumerate(("wmma.matrix_a", "wmma.matrix_b")):
        block = schedule.cache_read(conv, index, scope)
        schedule.compute_at(block, inner)
        schedule.tensorize(schedule.get_loops(block)[-2], "wmma.load_matrix_sync")
        if tiling.double_buffer and tiling.chunk > 1:
            schedule.double_buffer(block)
    _stage(schedule, data, kernel, step, tiling, layer.lanes)
    schedule.tensorize(store_tile, "wmma.store_matrix_sync")
    schedule.tensorize(mma_tile, "wmma.mma_sync")
    schedule.unroll(inner)
    schedule.pipeline(step, tiling.stages)
    return schedule


def _skip_taps(schedule: Schedule, conv: BlockRef, step: LoopRef) -> None:
    """A block's pixels are one: a tap of it that reads padding does so in all of its tiles."""
    init = schedule.decompose_reduction(conv, step)
    schedule.tensorize(schedule.get_loops(init)[-2], "wmma.fill_fragment")
    schedule.skip_padding(conv)


def _spread_blocks(
    schedule: Schedule, layer: WmmaConv2D, conv: BlockRef, tiling: FastTiling
) -> tuple[LoopRef, LoopRef]:
    """Blocks over pixels and tiles, warps over a block's tiles; the warps' inner loop and the tile.

    Where the result is staged, the block's threads take it from shared memory to the output.
    """
    if layer.packs and not layer.staged:
        schedule.set_scope(conv, 0, "wmma.accumulator")
        store = schedule.get_block("output")
    else:
        store = schedule.cache_write(conv, 0, "wmma.accumulator")
    output = store
    if layer.staged:
        schedule.set_scope(store, 0, "shared")
        output = schedule.get_block("output")
    n, h, w, o, row, column = schedule.get_loops(output)
    n_block, n = schedule.split(n, factor=tiling.rows)
    o_block, o = schedule.split(o, factor=tiling.columns)
    schedule.reorder(n_block, h, w, o_block, n, o, row, column)
    block = schedule.fuse(n_block, h, w, o_block)
    schedule.bind(block, "blockIdx.x")
    if layer.staged:
        schedule.compute_at(store, block)
        warps: Warps = (("threadIdx.z", tiling.row_warps), ("threadIdx.y", tiling.column_warps))
        spread(schedule, schedule.fuse(n, o, row, column), warps)
        *_, n, _, _, o, row, column = schedule.get_loops(store)
    n, n_inner = schedule.split(n, nparts=tiling.row_warps)
    o, o_inner = schedule.split(o, nparts=tiling.column_warps)
    schedule.reorder(n, o, n_inner, o_inner, row, column)
    schedule.bind(n, "threadIdx.z")
    schedule.bind(o, "threadIdx.y")
    return o, row


def _order_reduction(schedule: Schedule, conv: BlockRef, tiling: FastTiling) -> tuple[LoopRef, LoopRef, LoopRef]:
    """One loop over (channel chunk, tap); the chunk's tiles inside; then a warp's tiles."""
    *_, n, h, w, o, row, column, ic, kh, kw, k = schedule.get_loops(conv)
    ic_outer, ic_inner = schedule.split(ic, factor=tiling.chunk)
    schedule.reorder(ic_outer, kh, kw, ic_inner, n, h, w, o, row, column, k)
    return schedule.fuse(ic_outer, kh, kw), ic_inner, row


def _stage(
    schedule: Schedule, data: BlockRef, kernel: BlockRef, step: LoopRef, tiling: FastTiling, lanes: tuple[int, int]
) -> None:
    """Shared tiles as matrices: rows x (ic, lane) for the data, (ic, lane) x columns for the kernel."""
    schedule.transform_layout(data, [1, 2, 0, 4, 3, 5])
    schedule.transform_layout(kernel, [0, 1, 2, 4, 3, 5])
    for block in (data, kernel):
        schedule.storage_align(block, 3, 2 * VECTOR, VECTOR)
        schedule.compute_at(block, step)
    n, h, w, ic, row, lane = schedule.get_loops(data)[-6:]
    schedule.reorder(h, w, n, row, ic, lane)
    _share_copy(schedule, tiling, schedule.fuse(n, row), ic, lane, lanes[0])
    *_, ic, o, row, lane = schedule.get_loops(kernel)
    schedule.reorder(ic, row, o, lane)
    _share_copy(schedule, tiling, schedule.fuse(ic, row), o, lane, lanes[1])


def _share_copy(
    schedule: Schedule, tiling: FastTiling, rows: LoopRef, tiles: LoopRef, lane: LoopRef, lanes: int
) -> None:
    """Copy a matrix of rows of several tiles with all threads; neighbouring threads take neighbouring vectors."""
    ordered = order_rows(schedule, rows, tiles.extent * TILE * ELEMENT_BYTES["f16"])
    if lanes > 1:
        lane, vector = schedule.split(lane, factor=lanes)
        schedule.vectorize(vector)
    warps: Warps = (("threadIdx.z", tiling.row_warps), ("threadIdx.y", tiling.column_warps))
    spread(schedule, schedule.fuse(*ordered, tiles, lane), warps)
