"""The schedule of the fp16 convolution for `mma.sync`: packed tiles as they are, swizzled, results in registers.

Blocks, warps and steps are those of the fast schedule: a block computes one pixel of several images, a step takes one
tap of several channel tiles, and steps whose tap lies in the padding are not taken. A tile of 16 x 16 halves stays as
it is packed, with the two 16-byte chunks of every other four rows exchanged: eight rows at one column then lie in all
banks. Every tile starts at a multiple of 512 bytes, so that a lane's address is the same in each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtac.dialects.gpu_hardware import ELEMENT_BYTES, GpuArchitecture, gpu_architecture
from vtac.dialects.mma.layouts import COLUMNS, CORE_BYTES, ROWS
from vtac.dialects.schedule.spellings import ThreadName
from vtac.errors import CompileError
from vtac.targets.cuda.schedules.roof import ranking
from vtac.targets.cuda.schedules.tiling import ProductSize
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_fast import FastTiling
from vtac.workloads.wmma_seed import Warps, spread
from vtac.workloads.wmma_tiles import TILE

if TYPE_CHECKING:
    from vtac.schedule import BlockRef, LoopRef, Schedule

_INTRINSIC = f"mma.m{ROWS}n{COLUMNS}k{TILE}"
_ROW_BYTES = TILE * ELEMENT_BYTES["f16"]
_WARPS: tuple[ThreadName, ThreadName] = ("threadIdx.y", "threadIdx.z")


def mma_tiling(layer: WmmaConv2D, architecture: str | GpuArchitecture = "sm_90") -> FastTiling:
    """The tiling of least estimated time that the layer divides into; raises `CompileError` where there is none."""
    record = gpu_architecture(architecture) if isinstance(architecture, str) else architecture
    tiles = layer.tiles
    (n, _, _, ic, _, _), o = tiles.data_shape, tiles.kernel_shape[3]
    sizes = (n * TILE, o * TILE, ic * TILE * layer.kernel * layer.kernel)
    pixels = layer.out_height * layer.out_width
    fragment = (ROWS, COLUMNS, 2 * CORE_BYTES // ELEMENT_BYTES["f16"])
    size = ProductSize(sizes, fragment, ELEMENT_BYTES["f16"], layer.lanes, pixels, staged=False)
    for _, one in ranking(size, record):
        rows, columns = one.row_tiles * one.row_warps, one.column_tiles * one.column_warps
        if one.stages > 1 and one.column_tiles % 2 == 0:
            tiling = FastTiling(rows, columns // 2, one.row_warps, one.column_warps, one.chunk, one.stages)
            if tiling.fits(layer):
                return tiling
    raise CompileError(
        f"no tiling for mma.sync fits {n} x {o} tiles of batch and output channels and {ic} of input channels on "
        f"{record.name}, which takes sm_80 or later and 2 steps or more: use the seed schedule"
    )


def mma_conv_schedule(layer: WmmaConv2D, tiling: FastTiling | None = None) -> Schedule:
    """Schedule a layer for `mma.sync` with `cp.async`."""
    from vtac.schedule import Schedule

    tiling = mma_tiling(layer) if tiling is None else tiling
    schedule = Schedule(layer.text())
    schedule.name = f"mma.sync, {tiling}"
    conv = schedule.get_block(layer.product)
    if layer.padding:
        schedule.compute_inline(schedule.get_block("data_pad"))
    schedule.compute_at(conv, _spread_results(schedule, layer, conv, tiling))
    step, inner, tile = _order_reduction(schedule, conv, tiling)
    if layer.padding and tiling.skip_taps:
        init = schedule.decompose_reduction(conv, step)
        schedule.tensorize(schedule.get_loops(init)[-2], _INTRINSIC)
        schedule.skip_padding(conv)
    copies = [schedule.cache_read(conv, at, "shared") for at in range(2)]
    for name in layer.packs:
        schedule.compute_inline(schedule.get_block(name))
    for at, scope in enumerate(("wmma.matrix_a", "wmma.matrix_b")):
        block = schedule.cache_read(conv, at, scope)
        schedule.compute_at(block, inner)
        schedule.tensorize(schedule.get_loops(block)[-2], "mma.ldmatrix")
    for copy, lanes in zip(copies, layer.lanes, strict=True):
        _share_copy(schedule, tiling, copy, step, lanes)
    schedule.tensorize(tile, _INTRINSIC)
    schedule.unroll(inner)
    schedule.pipeline(step, tiling.stages)
    return schedule


def _spread_results(schedule: Schedule, layer: WmmaConv2D, conv: BlockRef, tiling: FastTiling) -> LoopRef:
    """Blocks over pixels and tiles, warps over a block's tiles, results from registers; the warps' inner loop."""
    if layer.packs:
        schedule.set_scope(conv, 0, "wmma.accumulator")
        store = schedule.get_block("output")
    else:
        store = schedule.cache_write(conv, 0, "wmma.accumulator")
    n, h, w, o, row, column = schedule.get_loops(store)
    n_block, n = schedule.split(n, factor=tiling.rows)
    o_block, o = schedule.split(o, factor=tiling.columns)
    n, n_inner = schedule.split(n, nparts=tiling.row_warps)
    o, o_inner = schedule.split(o, nparts=tiling.column_warps)
    half, column = schedule.split(column, factor=COLUMNS)
    schedule.reorder(n_block, h, w, o_block, n, o, n_inner, o_inner, half, row, column)
    schedule.bind(schedule.fuse(n_block, h, w, o_block), "blockIdx.x")
    schedule.bind(n, _WARPS[0])
    schedule.bind(o, _WARPS[1])
    schedule.tensorize(row, "mma.store")
    return o


def _order_reduction(schedule: Schedule, conv: BlockRef, tiling: FastTiling) -> tuple[LoopRef, LoopRef, LoopRef]:
    """One loop over (channel chunk, tap); the chunk's tiles inside; then a warp's tiles, of 8 columns each."""
    *_, n, h, w, o, row, column, ic, kh, kw, k = schedule.get_loops(conv)
    outer, inner = schedule.split(ic, factor=tiling.chunk)
    half, column = schedule.split(column, factor=COLUMNS)
    schedule.reorder(outer, kh, kw, inner, n, h, w, o, half, row, column, k)
    return schedule.fuse(outer, kh, kw), inner, row


def _share_copy(schedule: Schedule, tiling: FastTiling, copy: BlockRef, step: LoopRef, lanes: int) -> None:
    """Copy a step's packed tiles with all threads, a tile's vectors by neighbouring threads."""
    schedule.swizzle(copy, _ROW_BYTES)
    schedule.compute_at(copy, step)
    *outer, row, lane = schedule.get_loops(copy)[-6:]
    if lanes > 1:
        lane, vector = schedule.split(lane, factor=lanes)
        schedule.vectorize(vector)
    warps: Warps = ((_WARPS[0], tiling.row_warps), (_WARPS[1], tiling.column_warps))
    spread(schedule, schedule.fuse(*outer, row, lane), warps)
