"""2D convolution for tensor cores: fp16 in, fp32 accumulation, in tiles of 16 x 16 (NHWCnc)."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING, Literal, TypeAlias

from vtac.workloads.conv_window import ConvWindow
from vtac.workloads.linalg_text import affine_map, iterators, named, require_multiple, tensor
from vtac.workloads.wmma_tiles import TILE, VECTOR

if TYPE_CHECKING:
    from vtac.schedule import Schedule

CopiedBy: TypeAlias = Literal["scalars", "packed", "rows"]
"""Scalar by scalar, in vectors of a packed tile, or in vectors of its rows."""


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

    @property
    def tiles(self) -> WmmaConv2D:
        """The layer on packed tensors: what the kernel computes."""
        return self

    @property
    def product(self) -> str:
        """The name of the block that multiplies."""
        return "output"

    @property
    def packs(self) -> tuple[str, ...]:
        """The blocks that pack the data and the kernel; none when the arguments are packed."""
        return ()

    def copied_by(self, *, kernel: bool) -> CopiedBy:
        """How a warp's lanes copy a tile of the data or of the kernel to shared memory."""
        return "packed" if kernel else "scalars"

    @property
    def lanes(self) -> tuple[int, int]:
        """Halves of the data and of the kernel that one copy moves: as many, up to 16 bytes, as lie side by side."""
        return VECTOR, VECTOR

    @property
    def staged(self) -> bool:
        """Whether the result passes through shared memory on its way to the layout of the output."""
        return False

    def text(self) -> str:
        """The program as linalg text."""
        data, kernel = tensor(self.data_shape, "f16"), tensor(self.kernel_shape, "f16")
        output = tensor(self.output_shape, "f32")
        return f"""func.func @conv2d(%data: {data}, %kernel: {kernel}) -> {output} {{{self.computation()}
  func.return %output : {output}
}}
"""

    def computation(self, data_name: str = "data", kernel_name: str = "kernel", result: str = "output") -> str:
        """The convolution of packed tensors of those names."""
        data, kernel = tensor(self.data_shape, "f16"), tensor(self.kernel_shape, "f16")
        wide = tensor(self.output_shape, "f32")
        pad, source, padded = self._pad(f"%{data_name}", data)
        row = f"h * {self.stride} + kh" if self.stride > 1 else "h + kh"
        column = f"w * {self.stride} + kw" if self.stride > 1 else "w + kw"
        loops = "n, h, w, o, nn, oo, ic, kh, kw, ii"
        maps = [
            affine_map(loops, it)
            for it in (f"n, {row}, {column}, ic, nn, ii", "kh, kw, ic, o, ii, oo", "n, h, w, o, nn, oo")
        ]
        return f"""{pad}
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : {wide}
  %init = linalg.fill ins(%zero : f32) outs(%empty : {wide}) -> {wide}
  %{result} = linalg.generic {{indexing_maps = [{", ".join(maps)}], {iterators(6, 4)}}}
    ins({source}, %{kernel_name} : {padded}, {kernel}) outs(%init : {wide}) {named(result)} {{
  ^bb0(%x: f16, %w: f16, %acc: f32):
    %x32 = arith.extf %x : f16 to f32
    %w32 = arith.extf %w : f16 to f32
    %product = arith.mulf %x32, %w32 : f32
    %sum = arith.addf %acc, %product : f32
    linalg.yield %sum : f32
  }} -> {wide}"""

    def _pad(self, source: str, data: str) -> tuple[str, str, str]:
        if not self.padding:
            return "", source, data
        n, height, width, ic, row, lane = self.data_shape
        padded = tensor((n, height + 2 * self.padding, width + 2 * self.padding, ic, row, lane), "f16")
        amount = f"[0, {self.padding}, {self.padding}, 0, 0, 0]"
        pad = f"""
  %pad_value = arith.constant 0.0 : f16
  %data_pad = tensor.pad {source} low{amount} high{amount} {{
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index, %p4: index, %p5: index):
    tensor.yield %pad_value : f16
  }} {{schedule.name = "data_pad"}} : {data} to {padded}"""
        return pad, "%data_pad", padded

    def seed_tiling(self) -> SeedTiling:
        """The tutorial's tiling, or the part of it that the layer divides into."""
        return self.tiling_within(SeedTiling())

    def tiling_within(self, most: SeedTiling) -> SeedTiling:
        """The part of a tiling that the layer divides into.

        The warps of a block share its copies: those along rows take tiles of columns, and
        those along columns tiles of rows.
        """
        rows, chunks, columns = self.data_shape[0], self.kernel_shape[2], self.kernel_shape[3]
        row_tiles, column_tiles = gcd(rows, most.row_tiles), gcd(columns, most.column_tiles)
        row_warps = gcd(rows // row_tiles, column_tiles, most.row_warps)
        column_warps = gcd(columns // column_tiles, row_tiles, most.column_warps)
        return SeedTiling(row_warps, column_warps, row_tiles, column_tiles, gcd(chunks, most.chunk))

    def seed_schedule(self, tiling: SeedTiling | None = None) -> Schedule:
        """One pixel per block, shared tiles for one kernel row, 2 x 4 tiles per warp."""
        from vtac.workloads.wmma_seed import seed_schedule

        return seed_schedule(self, self.seed_tiling() if tiling is None else tiling)
