"""The fp16 convolution on plain images, of any size: the program packs, the schedule does it on the way."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from vtac.errors import CompileError
from vtac.workloads.linalg_text import tensor
from vtac.workloads.wmma_conv2d import CopiedBy, SeedTiling, WmmaConv2D
from vtac.workloads.wmma_tiles import TILE, VECTOR

LAYOUTS = ("nhwc", "nchw")
_STAGED_TILING = SeedTiling(2, 2, 2, 2, 2)
"""Its tiles and a block's results fit the 48 KiB of shared memory that every architecture has."""


@dataclass(frozen=True)
class PlainConv2D(WmmaConv2D):
    """A square-kernel convolution of NHWC images with an HWIO kernel, or of NCHW with OIHW; sizes count scalars.

    Batch and channels are filled up to whole tiles with zeros, and the result is cropped.
    """

    layout: str = "nhwc"

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise CompileError(f"layout '{self.layout}'; the layouts of plain images are {', '.join(LAYOUTS)}")
        for name in ("batch", "in_channels", "out_channels"):
            if getattr(self, name) < 1:
                raise CompileError(f"{name.replace('_', '-')} is {getattr(self, name)}; it must be positive")
        self.require_window()

    @property
    def data_shape(self) -> tuple[int, ...]:
        """(N, H, W, C) or (N, C, H, W)."""
        return self._images(self.in_channels, self.height, self.width)

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """(KH, KW, I, O) or (O, I, KH, KW)."""
        size, inputs, outputs = self.kernel, self.in_channels, self.out_channels
        return (size, size, inputs, outputs) if self.layout == "nhwc" else (outputs, inputs, size, size)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(N, OH, OW, O) or (N, O, OH, OW)."""
        return self._images(self.out_channels, self.out_height, self.out_width)

    def _images(self, channels: int, height: int, width: int) -> tuple[int, ...]:
        if self.layout == "nhwc":
            return (self.batch, height, width, channels)
        return (self.batch, channels, height, width)

    @property
    def tiles(self) -> WmmaConv2D:
        """The layer on packed tensors, in whole tiles."""
        batch, inputs, outputs = (-(-n // TILE) * TILE for n in (self.batch, self.in_channels, self.out_channels))
        return WmmaConv2D(batch, self.height, self.width, inputs, outputs, self.kernel, self.padding, self.stride)

    @property
    def product(self) -> str:
        return "tiles"

    @property
    def packs(self) -> tuple[str, ...]:
        return ("data_packed", "kernel_packed")

    @property
    def staged(self) -> bool:
        """Fragments are stored as whole tiles whose rows lie in a row: not in channels-first, nor cropped."""
        return self.layout == "nchw" or bool(self.batch % TILE or self.out_channels % TILE)

    @property
    def lanes(self) -> tuple[int, int]:
        """Those that divide the channels; channels first, a pixel's channels do not lie side by side."""
        if self.layout == "nchw":
            return 1, 1
        return gcd(self.in_channels, VECTOR), gcd(self.out_channels, VECTOR)

    def copies_vectors(self, *, kernel: bool) -> bool:
        """Whether 8 channels of an input lie side by side, all of them inside or none."""
        return self.layout == "nhwc" and (self.out_channels if kernel else self.in_channels) % VECTOR == 0

    def copied_by(self, *, kernel: bool) -> CopiedBy:
        return "rows" if self.copies_vectors(kernel=kernel) else "scalars"

    def text(self) -> str:
        """The program as linalg text."""
        data, kernel = tensor(self.data_shape, "f16"), tensor(self.kernel_shape, "f16")
        output, tiles = tensor(self.output_shape, "f32"), self.tiles
        images = "dims [0, 3] tiles [16, 16] order [0, 1, 2, 3]"
        filters = "dims [2, 3] tiles [16, 16] order [0, 1, 2, 3]"
        if self.layout == "nchw":
            images = "dims [0, 1] tiles [16, 16] order [0, 2, 3, 1]"
            filters = "dims [1, 0] tiles [16, 16] order [2, 3, 1, 0]"
        return f"""func.func @conv2d(%data: {data}, %kernel: {kernel}) -> {output} {{
  %data_packed = packing.pack %data {images} : {data} to {tensor(tiles.data_shape, "f16")}
  %kernel_packed = packing.pack %kernel {filters} : {kernel} to {tensor(tiles.kernel_shape, "f16")}
{tiles.computation("data_packed", "kernel_packed", "tiles").lstrip(chr(10))}
  %output = packing.unpack %tiles {images} : {tensor(tiles.output_shape, "f32")} to {output}
  func.return %output : {output}
}}
"""

    def seed_tiling(self) -> SeedTiling:
        """That of the packed layer; less where the result is staged in shared memory."""
        return self.tiles.tiling_within(_STAGED_TILING if self.staged else SeedTiling())
