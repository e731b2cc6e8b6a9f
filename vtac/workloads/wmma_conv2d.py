"""2D convolution for tensor cores: fp16 in, fp32 accumulation, in tiles of 16 x 16 (NHWCnc)."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

from vtac.workloads.conv_window import ConvWindow
from vtac.workloads.linalg_text import affine_map, iterators, require_multiple, tensor

if TYPE_CHECKING:
    from vtac.schedule import BlockRef, Schedule

TILE = 16
WARP = 32


@dataclass(frozen=True)
class SeedTiling:
    """Warps per block, tiles per warp, and input-channel tiles per step."""

    row_warps: int = 4
    column_warps: int = 2
    row_tiles: int = 2
    column_tiles: int = 4
    chunk: int = 2


@dataclass(frozen=True)
class WmmaConv2D(ConvWindow):
    """A square-kernel convolution over packed tensors; sizes count scalars."""

    batch: int = 256
    height: int = 14
    width: int = 14
    in_channels: int = 256
    out_channels: int = 512
    kernel: int = 3
    padding: int = 1
    stride: int = 1

    def __post_init__(self) -> None:
        for name in ("batch", "in_channels", "out_channels"):
            require_multiple(name.replace("_", "-"), getattr(self, name), TILE, "the tile size")
        self.require_window()

    @property
    def data_shape(self) -> tuple[int, ...]:
        """(N, H, W, IC, n, ic)."""
        return (self.batch // TILE, self.height, self.width, self.in_channels // TILE, TILE, TILE)

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """(KH, KW, IC, OC, ic, oc)."""
        return (self.kernel, self.kernel, self.in_channels // TILE, self.out_channels // TILE, TILE, TILE)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(N, OH, OW, OC, n, oc)."""
        return (self.batch // TILE, self.out_height, self.out_width, self.out_channels // TILE, TILE, TILE)

    def text(self) -> str:
        """The program as linalg text."""
        data, kernel = tensor(self.data_shape, "f16"), tensor(self.kernel_shape, "f16")
        wide = tensor(self.output_shape, "f32")
        pad, source, padded = self._pad(data)
        row = f"h * {self.stride} + kh" if self.stride > 1 else "h + kh"
        column = f"w * {self.stride} + kw" if self.stride > 1 else "w + kw"
        loops = "n, h, w, o, nn, oo, ic, kh, kw, ii"
        maps = [
            affine_map(loops, it)
            for it in (f"n, {row}, {column}, ic, nn, ii", "kh, kw, ic, o, ii, oo", "n, h, w, o, nn, oo")
        ]
        return f"""func.func @conv2d(%data: {data}, %kernel: {kernel}) -> {wide} {{{pad}
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : {wide}
  %init = linalg.fill ins(%zero : f32) outs(%empty : {wide}) -> {wide}
  %output = linalg.generic {{indexing_maps = [{", ".join(maps)}], {iterators(6, 4)}}}
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

    def _pad(self, data: str) -> tuple[str, str, str]:
        if not self.padding:
            return "", "%data", data
        n, height, width, ic, row, lane = self.data_shape
        padded = tensor((n, height + 2 * self.padding, width + 2 * self.padding, ic, row, lane), "f16")
        amount = f"[0, {self.padding}, {self.padding}, 0, 0, 0]"
        pad = f"""
  %pad_value = arith.constant 0.0 : f16
  %data_pad = tensor.pad %data low{amount} high{amount} {{
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index, %p4: index, %p5: index):
    tensor.yield %pad_value : f16
  }} : {data} to {padded}"""
        return pad, "%data_pad", padded

    def seed_tiling(self) -> SeedTiling:
        """The default tiling, or the part of it that the layer divides into.

        The warps of a block share its copies: those along rows take tiles of columns, and
        those along columns tiles of rows.
        """
        most = SeedTiling()
        rows, chunks, columns = self.data_shape[0], self.kernel_shape[2], self.kernel_shape[3]
        row_tiles, column_tiles = gcd(rows, most.row_tiles), gcd(columns, most.column_tiles)
        row_warps = gcd(rows // row_tiles, column_tiles, most.row_warps)
        column_warps = gcd(columns // column_tiles, row_tiles, most.column_warps)
        return SeedTiling(row_warps, column_warps, row_tiles, column_tiles, gcd(chunks, most.chunk))

    def seed_schedule(self, tiling: SeedTiling | None = None) -> Schedule:
        """One pixel per block, shared tiles for one kernel row, 2 x 4 tiles per warp."""
        from vtac.schedule import Schedule

        tiling = self.seed_tiling() if tiling is None else tiling
        schedule = Schedule(self.text())
        conv = schedule.get_block("output")
        if self.padding:
            schedule.compute_inline(schedule.get_block("data_pad"))
        data_shared = schedule.cache_read(conv, 0, "shared")
        kernel_shared = schedule.cache_read(conv, 1, "shared")
        a = schedule.cache_read(conv, 0, "wmma.matrix_a")
        b = schedule.cache_read(conv, 1, "wmma.matrix_b")
        store = schedule.cache_write(conv, 0, "wmma.accumulator")
        n, h, w, o, nn, oo = schedule.get_loops(store)
        pixel = schedule.fuse(h, w)
        n, n_inner = schedule.split(n, factor=tiling.row_tiles)
        n_block, n = schedule.split(n, factor=tiling.row_warps)
        o, o_inner = schedule.split(o, factor=tiling.column_tiles)
        o_block, o = schedule.split(o, factor=tiling.column_warps)
        schedule.reorder(pixel, n_block, o_block, n, o, n_inner, o_inner, nn, oo)
        indices = ("blockIdx.z", "blockIdx.x", "blockIdx.y", "threadIdx.y", "threadIdx.z")
        for loop, index in zip((pixel, n_block, o_block, n, o), indices, strict=True):
            schedule.bind(loop, index)
        schedule.compute_at(conv, o)
        *_, n, h, w, o, row, column, ic, kh, kw, k = schedule.get_loops(conv)
        ic_outer, ic_inner = schedule.split(ic, factor=tiling.chunk)
        schedule.reorder(ic_outer, kh, ic_inner, kw, n, o, row, column, k)
        for block in (a, b):
            schedule.compute_at(block, kw)
            schedule.tensorize(schedule.get_loops(block)[-2], "wmma.load_matrix_sync")
        schedule.compute_at(data_shared, kh)
        schedule.compute_at(kernel_shared, kh)
        _share_copy(schedule, data_shared, tiling, axis=-6, lanes=None)
        _share_copy(schedule, kernel_shared, tiling, axis=-3, lanes=WARP)
        schedule.tensorize(nn, "wmma.store_matrix_sync")
        schedule.tensorize(row, "wmma.mma_sync")
        return schedule


def _share_copy(schedule: Schedule, copy: BlockRef, tiling: SeedTiling, axis: int, lanes: int | None) -> None:
    """Spread a copy to shared memory over the block's threads.

    Warps take parts of dimension `axis`; the lanes of a warp take a tile's scalars one by
    one, or with `lanes` as one vector each.
    """
    loops = schedule.get_loops(copy)
    outer, rest = schedule.split(loops[axis], nparts=tiling.row_warps)
    inner, _ = schedule.split(rest, nparts=tiling.column_warps)
    scalars = schedule.fuse(loops[-2], loops[-1])
    schedule.bind(outer, "threadIdx.y")
    schedule.bind(inner, "threadIdx.z")
    if lanes is None:
        _, lane = schedule.split(scalars, factor=WARP)
    else:
        lane, vector = schedule.split(scalars, nparts=lanes)
        schedule.vectorize(vector)
    schedule.bind(lane, "threadIdx.x")
