"""Convolutions of images packed in tiles (NHWCnc), as linalg and as numpy computes them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from nhwc_programs import Convolution

from vtac.evaluate.bfloat16 import to_bfloat16
from vtac.targets.cuda.arrays import Array

_DTYPES = {"f16": np.float16, "i8": np.int8}


@dataclass(frozen=True)
class PackedConvolution:
    """A plain convolution of whole tiles of `tile` images, channels and features.

    A tile of the kernel holds channels by features, or with `along_depth` features by channels.
    """

    plain: Convolution
    tile: tuple[int, int, int] = (16, 16, 16)
    along_depth: bool = False
    relu: bool = False

    @property
    def result_type(self) -> str:
        return "i32" if self.plain.element == "i8" else "f32"

    @property
    def sizes_of_product(self) -> tuple[int, int, int]:
        return self.plain.sizes_of_product

    def arrays(self) -> list[Array]:
        """Small integers, packed."""
        images, kernel = self.plain.arrays()
        n, c, f = self.tile
        space, taps = len(self.plain.sizes), len(self.plain.window)
        packed = _packed(images, (n, c), (0, space + 1))
        packed_kernel = _packed(kernel, (c, f), (taps, taps + 1))
        if self.along_depth:
            packed_kernel = np.ascontiguousarray(np.swapaxes(packed_kernel, -1, -2))
        return [self._of_type(one) for one in (packed, packed_kernel)]

    def _of_type(self, array: Array) -> Array:
        if self.plain.element == "bf16":
            return to_bfloat16(array.astype(np.float32))
        return array.astype(_DTYPES[self.plain.element])

    def wanted(self) -> Array:
        """What the convolution gives, packed."""
        result = self.plain.wanted(self.plain.arrays())
        result = np.maximum(result, 0) if self.relu else result
        n, _, f = self.tile
        made = _packed(result, (n, f), (0, len(self.plain.sizes) + 1))
        return made.astype(np.int32) if self.result_type == "i32" else made

    def text(self) -> str:
        """As linalg: padding, and a generic operation whose window positions are sums of loops."""
        plain, kind, wide = self.plain, self.plain.element, self.result_type
        (n, c, f), rank = self.tile, len(plain.sizes) + 4
        images, channels, features = plain.images // n, plain.channels // c, plain.features // f
        image = _tensor((images, *plain.sizes, channels, n, c), kind)
        padded = _tensor((images, *plain.padded, channels, n, c), kind)
        result = _tensor((images, *plain.results, features, n, f), wide)
        kernel = _tensor((*plain.window, channels, features, *((f, c) if self.along_depth else (c, f))), kind)
        low, high = ([0, *some, 0, 0, 0] for some in (plain.low, plain.high))
        zero = "0" if wide == "i32" else "0.0"
        lines = [
            f"func.func @f(%x: {image}, %w: {kernel}) -> {result} {{",
            f"  %none = arith.constant {zero} : {kind}",
            f"  %padded = tensor.pad %x low{low} high{high} {{",
            f"  ^bb0({', '.join(f'%{at}: index' for at in range(rank))}):",
            f"    tensor.yield %none : {kind}",
            f"  }} : {image} to {padded}",
            f"  %zero = arith.constant {zero} : {wide}",
            f"  %empty = tensor.empty() : {result}",
            f"  %start = linalg.fill ins(%zero : {wide}) outs(%empty : {result}) -> {result}",
            *self._products(padded, kernel, result),
            *(self._relu(result, rank) if self.relu else [f"  func.return %y : {result}"]),
            "}",
        ]
        return "\n".join(lines) + "\n"

    def _products(self, padded: str, kernel: str, result: str) -> list[str]:
        """The generic operation that multiplies and adds up; the types are texts."""
        plain, kind, wide = self.plain, self.plain.element, self.result_type
        space = len(plain.sizes)
        pixels, taps = [f"p{at}" for at in range(space)], [f"t{at}" for at in range(space)]
        every = zip(pixels, taps, plain.strides, plain.dilations, strict=True)
        places = [f"{pixel} * {stride} + {tap} * {apart}" for pixel, tap, stride, apart in every]
        loops = ", ".join(["n", *pixels, "o", "nn", "oo", "c", *taps, "cc"])
        lanes = ["oo", "cc"] if self.along_depth else ["cc", "oo"]
        indices = [["n", *places, "c", "nn", "cc"], [*taps, "c", "o", *lanes], ["n", *pixels, "o", "nn", "oo"]]
        maps = ", ".join(f"affine_map<({loops}) -> ({', '.join(one)})>" for one in indices)
        kinds = ", ".join(['"parallel"'] * (space + 4) + ['"reduction"'] * (space + 2))
        suffix, extend = ("i", "extsi") if wide == "i32" else ("f", "extf")
        return [
            f"  %y = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}",
            f"    ins(%padded, %w : {padded}, {kernel}) outs(%start : {result}) {{",
            f"  ^bb0(%a: {kind}, %b: {kind}, %s: {wide}):",
            f"    %c = arith.{extend} %a : {kind} to {wide}",
            f"    %d = arith.{extend} %b : {kind} to {wide}",
            f"    %m = arith.mul{suffix} %c, %d : {wide}",
            f"    %t = arith.add{suffix} %s, %m : {wide}",
            f"    linalg.yield %t : {wide}",
            f"  }} -> {result}",
        ]

    def _relu(self, result: str, rank: int) -> list[str]:
        """The tail: what is negative becomes zero."""
        dims = ", ".join(f"d{at}" for at in range(rank))
        identity = f"affine_map<({dims}) -> ({dims})>"
        kinds, wide = ", ".join(['"parallel"'] * rank), self.result_type
        largest = "maxsi" if wide == "i32" else "maximumf"
        return [
            f"  %r = linalg.generic {{indexing_maps = [{identity}, {identity}], iterator_types = [{kinds}]}}",
            f"    ins(%y : {result}) outs(%empty : {result}) {{",
            f"  ^bb0(%v: {wide}, %o: {wide}):",
            f"    %p = arith.{largest} %v, %zero : {wide}",
            f"    linalg.yield %p : {wide}",
            f"  }} -> {result}",
            f"  func.return %r : {result}",
        ]


def _packed(array: Array, tiles: tuple[int, int], dimensions: tuple[int, int]) -> Array:
    """Two dimensions cut into whole tiles, which become the last two dimensions."""
    first, second = dimensions
    shape = list(array.shape)
    cut = [*shape[:first], shape[first] // tiles[0], tiles[0], *shape[first + 1 : second]]
    apart = array.reshape([*cut, shape[second] // tiles[1], tiles[1]])
    assert apart.size == prod(shape)
    moved = np.moveaxis(apart, first + 1, -2)
    return np.ascontiguousarray(moved)


def _tensor(shape: tuple[int, ...], element: str) -> str:
    return f"tensor<{'x'.join(map(str, shape))}x{element}>"
