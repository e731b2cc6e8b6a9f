"""Convolutions as generics, channels first or last, marked with a fold of their windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from vtac.workloads.linalg_text import MULTIPLY_ACCUMULATE, affine_map, iterators, tensor

T = TypeVar("T")
Pair = tuple[int, int]


@dataclass(frozen=True)
class FoldedConv:
    """`pads`: top, left, bottom, right; `fold`: rows and columns of the window; `last`: channels come last."""

    shape: tuple[int, int, int, int]
    features: int
    kernel: Pair
    strides: Pair
    dilations: Pair
    pads: tuple[int, int, int, int]
    fold: Pair
    last: bool

    @property
    def sizes(self) -> Pair:
        """Windows along both axes."""
        top, left, bottom, right = self.pads
        sizes = (self.shape[2] + top + bottom, self.shape[3] + left + right)
        height, width = (
            (size - dilation * (taps - 1) - 1) // stride + 1
            for size, taps, stride, dilation in zip(sizes, self.kernel, self.strides, self.dilations, strict=True)
        )
        return height, width

    @property
    def arguments(self) -> list[tuple[int, ...]]:
        """The shapes of data and weights."""
        return [self._order(self.shape), self._order((self.features, self.shape[1], *self.kernel))]

    def text(self) -> str:
        batch, channels, height, width = self.shape
        top, left, bottom, right = self.pads
        data = tensor(self._order((batch, channels, height, width)), "i8")
        padded = tensor(self._order((batch, channels, height + top + bottom, width + left + right)), "i8")
        weights = tensor(self._order((self.features, channels, *self.kernel)), "i8")
        result = tensor(self._order((batch, self.features, *self.sizes)), "i32")
        low, high = (", ".join(map(str, self._order((0, 0, *ends)))) for ends in ((top, left), (bottom, right)))
        fold = f"packing.fold = array<i64: {self.fold[0]}, {self.fold[1]}>"
        return f"""
func.func @layer(%data: {data}, %weights: {weights}) -> {result} {{
  %nothing = arith.constant 0 : i8
  %zero = arith.constant 0 : i32
  %padded = tensor.pad %data low[{low}] high[{high}] {{
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index):
    tensor.yield %nothing : i8
  }} : {data} to {padded}
  %empty = tensor.empty() : {result}
  %init = linalg.fill ins(%zero : i32) outs(%empty : {result}) -> {result}
  %conv = linalg.generic {{indexing_maps = [{self._maps()}], {iterators(4, 3)}}}
    ins(%padded, %weights : {padded}, {weights}) outs(%init : {result}) attrs = {{{fold}}} {{{MULTIPLY_ACCUMULATE}
  }} -> {result}
  func.return %conv : {result}
}}
"""

    def _maps(self) -> str:
        (down, across), (below, beside) = self.strides, self.dilations
        indices = (
            ("n", "c", f"y * {down} + a * {below}", f"x * {across} + b * {beside}"),
            ("f", "c", "a", "b"),
            ("n", "f", "y", "x"),
        )
        return ", ".join(affine_map("n, f, y, x, c, a, b", ", ".join(self._order(found))) for found in indices)

    def _order(self, dims: tuple[T, T, T, T]) -> tuple[T, ...]:
        return (dims[0], *dims[2:], dims[1]) if self.last else dims
