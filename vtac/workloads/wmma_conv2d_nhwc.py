"""The fp16 convolution on plain NHWC images: the schedule cuts the tiles, nothing is packed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtac.workloads.linalg_text import affine_map, iterators, tensor
from vtac.workloads.wmma_conv2d import TILE, WARP, SeedTiling, WmmaConv2D

if TYPE_CHECKING:
    from vtac.schedule import BlockRef, LoopRef, Schedule

_VECTOR = 8
"""Halves that one 16-byte copy moves."""


@dataclass(frozen=True)
class NhwcConv2D(WmmaConv2D):
    """A square-kernel convolution of NHWC images with an HWIO kernel; sizes count scalars."""

    @property
    def data_shape(self) -> tuple[int, ...]:
        """(N, H, W, C)."""
        return (self.batch, self.height, self.width, self.in_channels)

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """(KH, KW, I, O)."""
        return (self.kernel, self.kernel, self.in_channels, self.out_channels)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(N, OH, OW, O)."""
        return (self.batch, self.out_height, self.out_width, self.out_channels)

    @property
    def packed(self) -> WmmaConv2D:
        """The same layer on packed tensors."""
        return WmmaConv2D(
            self.batch,
            self.height,
            self.width,
            self.in_channels,
            self.out_channels,
            self.kernel,
            self.padding,
            self.stride,
        )

    def text(self) -> str:
        """The program as linalg text."""
        data, kernel = tensor(self.data_shape, "f16"), tensor(self.kernel_shape, "f16")
        wide = tensor(self.output_shape, "f32")
        pad, source, padded = self._plain_pad(data)
        row, column = (f"{name} * {self.stride} + k{name}" for name in "hw")
        loops = "n, h, w, o, kh, kw, c"
        maps = [affine_map(loops, it) for it in (f"n, {row}, {column}, c", "kh, kw, c, o", "n, h, w, o")]
        return f"""func.func @conv2d(%data: {data}, %kernel: {kernel}) -> {wide} {{{pad}
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : {wide}
  %init = linalg.fill ins(%zero : f32) outs(%empty : {wide}) -> {wide}
  %output = linalg.generic {{indexing_maps = [{", ".join(maps)}], {iterators(4, 3)}}}
    ins({source}, %kernel : {padded}, {kernel}) outs(%init : {wide}) {{
  ^bb0(%x: f16, %w: f16, %acc: f32):
    %x32 = arith.extf %x : f16 to f32
    %w32 = arith.extf %w : f16 to f32
    %product = arith.mulf %x32, %w32 : f32
    %sum = arith.addf %acc, %product : f32
    linalg.yield %sum : f32
  }} -> {wide}
  func.return %output : {wide}
}}
"""

    def _plain_pad(self, data: str) -> tuple[str, str, str]:
        if not self.padding:
            return "", "%data", data
        n, height, width, channels = self.data_shape
        padded = tensor((n, height + 2 * self.padding, width + 2 * self.padding, channels), "f16")
        amount = f"[0, {self.padding}, {self.padding}, 0]"
        pad = f"""
  %pad_value = arith.constant 0.0 : f16
  %data_pad = tensor.pad %data low{amount} high{amount} {{
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index):
    tensor.yield %pad_value : f16
  }} : {data} to {padded}"""
        return pad, "%data_pad", padded

    def seed_tiling(self) -> SeedTiling:
        """That of the packed layer."""
        return self.packed.seed_tiling()

    def seed_schedule(self, tiling: SeedTiling | None = None) -> Schedule:
        """One pixel per block, shared tiles for one kernel row, as on packed tensors; vector copies of both inputs."""
        from vtac.schedule import Schedule

        tiling = self.seed_tiling() if tiling is None else tiling
        schedule = Schedule(self.text())
        conv = schedule.get_block("output")
        if self.padding:
            schedule.compute_inline(schedule.get_block("data_pad"))
        shared = [schedule.cache_read(conv, index, "shared") for index in (0, 1)]
        a = schedule.cache_read(conv, 0, "wmma.matrix_a")
        b = schedule.cache_read(conv, 1, "wmma.matrix_b")
        store = schedule.cache_write(conv, 0, "wmma.accumulator")
        schedule.compute_at(conv, _store_loops(schedule, store, tiling))
        step, inner = _multiply_loops(schedule, conv, tiling)
        schedule.compute_at(a, inner)
        n, h, w, c = schedule.get_loops(a)[-4:]
        n, row = schedule.split(n, factor=TILE)
        schedule.reorder(n, h, w, row, c)
        schedule.tensorize(row, "wmma.load_matrix_sync")
        schedule.compute_at(b, inner)
        *_, c, o = schedule.get_loops(b)
        o, column = schedule.split(o, factor=TILE)
        schedule.reorder(o, c, column)
        schedule.tensorize(c, "wmma.load_matrix_sync")
        for copy in shared:
            schedule.compute_at(copy, step)
            _share_copy(schedule, copy, tiling)
        return schedule


def _store_loops(schedule: Schedule, store: BlockRef, tiling: SeedTiling) -> LoopRef:
    """Blocks over pixels, images and channels; warps over a block's tiles; the warps' inner loop."""
    n, h, w, o = schedule.get_loops(store)
    pixel = schedule.fuse(h, w)
    n, row = schedule.split(n, factor=TILE)
    n, n_inner = schedule.split(n, factor=tiling.row_tiles)
    n_block, n = schedule.split(n, factor=tiling.row_warps)
    o, column = schedule.split(o, factor=TILE)
    o, o_inner = schedule.split(o, factor=tiling.column_tiles)
    o_block, o = schedule.split(o, factor=tiling.column_warps)
    schedule.reorder(pixel, n_block, o_block, n, o, n_inner, o_inner, row, column)
    indices = ("blockIdx.z", "blockIdx.x", "blockIdx.y", "threadIdx.y", "threadIdx.z")
    for loop, index in zip((pixel, n_block, o_block, n, o), indices, strict=True):
        schedule.bind(loop, index)
    schedule.tensorize(row, "wmma.store_matrix_sync")
    return o


def _multiply_loops(schedule: Schedule, conv: BlockRef, tiling: SeedTiling) -> tuple[LoopRef, LoopRef]:
    """One mma_sync per pair of fragments; the loop over kernel rows, and the innermost over a row's steps."""
    n, _, _, o, kh, kw, c = schedule.get_loops(conv)[-7:]
    n, row = schedule.split(n, factor=TILE)
    o, column = schedule.split(o, factor=TILE)
    c, lane = schedule.split(c, factor=TILE)
    c_outer, c_inner = schedule.split(c, factor=tiling.chunk)
    schedule.reorder(c_outer, kh, c_inner, kw, n, o, row, column, lane)
    schedule.tensorize(row, "wmma.mma_sync")
    return kh, kw


def _share_copy(schedule: Schedule, copy: BlockRef, tiling: SeedTiling) -> None:
    """Spread a copy to shared memory over the block's threads, 16 bytes each at a time."""
    *outer, innermost = schedule.get_loops(copy)[-4:]
    innermost, vector = schedule.split(innermost, factor=_VECTOR)
    schedule.vectorize(vector)
    _, rest = schedule.split(schedule.fuse(*outer, innermost), factor=tiling.row_warps * tiling.column_warps * WARP)
    row_warp, rest = schedule.split(rest, nparts=tiling.row_warps)
    column_warp, lane = schedule.split(rest, factor=WARP)
    for loop, index in ((row_warp, "threadIdx.y"), (column_warp, "threadIdx.z"), (lane, "threadIdx.x")):
        schedule.bind(loop, index)
