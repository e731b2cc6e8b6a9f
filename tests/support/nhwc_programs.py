"""Convolutions of images with channels last, of one to three dimensions of space, and what numpy makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from vtac.targets.cuda.arrays import Array


@dataclass(frozen=True)
class Convolution:
    """Images of `sizes` and `channels`, `features` windows; strides, dilations and padding by dimension of space."""

    images: int
    sizes: tuple[int, ...]
    channels: int
    features: int
    window: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    element: str = "f16"

    @staticmethod
    def of(images: int, sizes: tuple[int, ...], window: tuple[int, ...], **options: int) -> Convolution:
        """Of 32 channels and features unless said otherwise; `stride`, `dilation` and `padding` of all dimensions."""
        strides, dilations = ((options.get(name, 1),) * len(sizes) for name in ("stride", "dilation"))
        padding = (options.get("padding", 0),) * len(sizes)
        channels, features = options.get("channels", 32), options.get("features", 32)
        return Convolution(images, sizes, channels, features, window, strides, dilations, padding, padding)

    @property
    def padded(self) -> tuple[int, ...]:
        return tuple(size + low + high for size, low, high in zip(self.sizes, self.low, self.high, strict=True))

    @property
    def results(self) -> tuple[int, ...]:
        """Pixels of the result along each dimension of space."""
        every = zip(self.padded, self.window, self.strides, self.dilations, strict=True)
        return tuple((size - (taps - 1) * apart - 1) // stride + 1 for size, taps, stride, apart in every)

    @property
    def sizes_of_product(self) -> tuple[int, int, int]:
        rows, taps = int(np.prod(self.results)), int(np.prod(self.window))
        return self.images * rows, self.features, taps * self.channels

    def arrays(self) -> list[Array]:
        random = np.random.default_rng(7)
        shapes = (self.images, *self.sizes, self.channels), (*self.window, self.channels, self.features)
        return [random.integers(-4, 5, shape).astype(np.float16) for shape in shapes]

    def wanted(self, arrays: list[Array]) -> Array:
        """The convolution, tap by tap, in float64."""
        images, kernel = (array.astype(np.float64) for array in arrays)
        margins = [(0, 0), *zip(self.low, self.high, strict=True), (0, 0)]
        padded, total = np.pad(images, margins), np.zeros((self.images, *self.results, self.features))
        for tap in product(*(range(taps) for taps in self.window)):
            every = zip(tap, self.dilations, self.strides, self.results, strict=True)
            spans = [slice(at * apart, at * apart + (n - 1) * stride + 1, stride) for at, apart, stride, n in every]
            total += padded[(slice(None), *spans)] @ kernel[tap]
        return total.astype(np.float32)

    def text(self) -> str:
        """As linalg: a generic operation, whose window positions are sums of loops."""
        space, kind = len(self.sizes), self.element
        image = _tensor((self.images, *self.sizes, self.channels), kind)
        padded = _tensor((self.images, *self.padded, self.channels), kind)
        kernel = _tensor((*self.window, self.channels, self.features), kind)
        result = _tensor((self.images, *self.results, self.features), "f32")
        pixels, taps = [f"p{at}" for at in range(space)], [f"t{at}" for at in range(space)]
        loops = ", ".join(["n", *pixels, "f", *taps, "c"])
        every = zip(pixels, taps, self.strides, self.dilations, strict=True)
        places = [f"{pixel} * {stride} + {tap} * {apart}" for pixel, tap, stride, apart in every]
        maps = [["n", *places, "c"], [*taps, "c", "f"], ["n", *pixels, "f"]]
        kinds = ['"parallel"'] * (space + 2) + ['"reduction"'] * (space + 1)
        low, high = ([0, *some, 0] for some in (self.low, self.high))
        block = ", ".join(f"%{at}: index" for at in range(space + 2))
        lines = [
            f"func.func @f(%x: {image}, %w: {kernel}) -> {result} {{",
            f"  %none = arith.constant 0.0 : {kind}",
            f"  %padded = tensor.pad %x low{low} high{high} {{",
            f"  ^bb0({block}):",
            f"    tensor.yield %none : {kind}",
            f"  }} : {image} to {padded}",
            "  %zero = arith.constant 0.0 : f32",
            f"  %empty = tensor.empty() : {result}",
            f"  %start = linalg.fill ins(%zero : f32) outs(%empty : {result}) -> {result}",
            "  %y = linalg.generic {indexing_maps = ["
            + ", ".join(f"affine_map<({loops}) -> ({', '.join(one)})>" for one in maps)
            + f"], iterator_types = [{', '.join(kinds)}]}}",
            f"    ins(%padded, %w : {padded}, {kernel}) outs(%start : {result}) {{",
            f"  ^bb0(%a: {kind}, %b: {kind}, %s: f32):",
            f"    %c = arith.extf %a : {kind} to f32",
            f"    %d = arith.extf %b : {kind} to f32",
            "    %m = arith.mulf %c, %d : f32",
            "    %t = arith.addf %s, %m : f32",
            "    linalg.yield %t : f32",
            f"  }} -> {result}",
            f"  func.return %y : {result}",
            "}",
        ]
        return "\n".join(lines) + "\n"


def _tensor(shape: tuple[int, ...], element: str) -> str:
    return f"tensor<{'x'.join(map(str, shape))}x{element}>"
