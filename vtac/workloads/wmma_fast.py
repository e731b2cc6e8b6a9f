"""The fast schedule of the fp16 convolution: a ring of asynchronous copies under large warp tiles.

A block computes `rows` x `columns` tiles of one pixel; each step of its loop covers `chunk`
input-channel tiles of one kernel tap. Shared tiles are plain matrices with an odd multiple of
8 halves as pitch, so that fragment loads meet no bank twice. Blocks of one pixel are
neighbours, so that the second finds the first's data in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtac.dialects.gpu_hardware import WARP_SIZE, GpuArchitecture, gpu_architecture
from vtac.errors import CompileError
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_conv2d_plain import PlainConv2D
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
        warps = self.row_warps * self.column_warps
        data_lanes = TILE // self.column_warps * self.chunk * TILE // VECTOR
        kernel_lanes = TILE // warps * self.columns * TILE // VECTOR if TILE % warps == 0 else 0
        return (
            n % self.rows == 0
            and o % self.columns == 0
            and self.rows % self.row_warps == 0
            and self.columns % self.column_warps == 0
            and steps >= self.stages
            and data_lanes % WARP_SIZE == 0
            and kernel_lanes > 0
            and kernel_lanes % WARP_SIZE == 0
        )


def candidates() -> Iterator[FastTiling]:
    """Tilings from the largest to the smallest, deeper pipelines first."""
    shapes = (
        (16, 8, 4, 2),
        (8, 8, 2, 2),
        (8, 4, 2, 2),
        (4, 4, 2, 2),
        (4, 4, 1, 1),
        (2, 2, 1, 1),
        (1, 2, 1, 1),
        (1, 1, 1, 1),
    )
    for rows, columns, row_warps, column_warps in shapes:
        for chunk in (2, 1):
            for stages in (4, 3, 2):
                yield FastTiling(rows, columns, row_warps, column_warps, chunk, stages)


def choose_tiling(layer: WmmaConv2D, architecture: str | GpuArchitecture = "sm_90") -> FastTiling:
    """The largest tiling that the layer divides into and the architecture has room for."""
    record = gpu_architecture(architecture) if isinstance(architecture, str) else architecture
    _require_vectors(layer)
    for tiling in candidates():
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
    _require_vectors(layer)
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
    _stage(schedule, data, kernel, step, tiling)
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


def _require_vectors(layer: WmmaConv2D) -> None:
    """Asynchronous copies move 16 bytes that lie side by side."""
    if not isinstance(layer, PlainConv2D):
        return
    if layer.layout != "nhwc":
        raise CompileError(
            f"the fast schedule copies {VECTOR} channels at a time, and in layout {layer.layout} they do not lie side "
            "by side: use layout nhwc or packed, or the seed schedule"
        )
    for name, size in (("in-channels", layer.in_channels), ("out-channels", layer.out_channels)):
        if size % VECTOR:
            raise CompileError(
                f"the fast schedule copies {VECTOR} channels at a time: {name} is {size}, and a multiple of {VECTOR} "
                "is required: use the seed schedule"
            )


def _order_reduction(schedule: Schedule, conv: BlockRef, tiling: FastTiling) -> tuple[LoopRef, LoopRef, LoopRef]:
    """One loop over (channel chunk, tap); the chunk's tiles inside; then a warp's tiles."""
    *_, n, h, w, o, row, column, ic, kh, kw, k = schedule.get_loops(conv)
    ic_outer, ic_inner = schedule.split(ic, factor=tiling.chunk)
    schedule.reorder(ic_outer, kh, kw, ic_inner, n, h, w, o, row, column, k)
    return schedule.fuse(ic_outer, kh, kw), ic_inner, row


def _stage(schedule: Schedule, data: BlockRef, kernel: BlockRef, step: LoopRef, tiling: FastTiling) -> None:
    """Shared tiles as matrices: rows x (ic, lane) for the data, (ic, lane) x columns for the kernel."""
    schedule.transform_layout(data, [1, 2, 0, 4, 3, 5])
    schedule.transform_layout(kernel, [0, 1, 2, 4, 3, 5])
    for block in (data, kernel):
        schedule.storage_align(block, 3, 2 * VECTOR, VECTOR)
        schedule.compute_at(block, step)
    n, h, w, ic, row, lane = schedule.get_loops(data)[-6:]
    half, vector = schedule.split(lane, factor=VECTOR)
    schedule.reorder(n, h, w, row, ic, half, vector)
    warp_row, _ = schedule.split(n, nparts=tiling.row_warps)
    warp_column, row = schedule.split(row, nparts=tiling.column_warps)
    _spread_lanes(schedule, (row, ic, half), vector, warp_row, warp_column)
    kh, kw, ic, o, row, lane = schedule.get_loops(kernel)[-6:]
    half, vector = schedule.split(lane, factor=VECTOR)
    schedule.reorder(kh, kw, ic, row, o, half, vector)
    warp_row, row = schedule.split(row, nparts=tiling.row_warps)
    warp_column, row = schedule.split(row, nparts=tiling.column_warps)
    _spread_lanes(schedule, (row, o, half), vector, warp_row, warp_column)


def _spread_lanes(
    schedule: Schedule, scalars: tuple[LoopRef, ...], vector: LoopRef, warp_row: LoopRef, warp_column: LoopRef
) -> None:
    """Neighbouring lanes copy neighbouring 16-byte vectors."""
    _, lane = schedule.split(schedule.fuse(*scalars), factor=WARP_SIZE)
    schedule.bind(warp_row, "threadIdx.z")
    schedule.bind(warp_column, "threadIdx.y")
    schedule.vectorize(vector)
    schedule.bind(lane, "threadIdx.x")
