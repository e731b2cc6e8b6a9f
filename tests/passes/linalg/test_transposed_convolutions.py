"""Transposed convolutions of every stride, padding, dilation and kernel: split, they are what scattering gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from xdsl.dialects import tensor
from xdsl.dialects.builtin import ModuleOp

from vtac.evaluate import evaluate
from vtac.passes.linalg.split_transposed_convolutions import SplitTransposedConvolutions
from vtac.text.context import make_context
from vtac.text.source import parse


@dataclass(frozen=True)
class Transposed:
    """Along rows and columns each: extent, kernel, stride, padding, output padding, dilation, stride behind."""

    extent: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    beyond: tuple[int, int]
    dilation: tuple[int, int]
    behind: tuple[int, int]
    pads_by_insertion: bool
    zero_point: int

    @property
    def whole(self) -> tuple[int, ...]:
        """Extents of the data with zeros between and around."""
        return tuple(
            (n - 1) * s + 1 + 2 * (d * (k - 1) - p) + b
            for n, s, d, k, p, b in zip(
                self.extent, self.stride, self.dilation, self.kernel, self.padding, self.beyond, strict=True
            )
        )

    @property
    def result(self) -> tuple[int, ...]:
        return tuple(
            (n - d * (k - 1) - 1) // s + 1
            for n, d, k, s in zip(self.whole, self.dilation, self.kernel, self.behind, strict=True)
        )

    def text(self) -> str:
        (h, w), (kh, kw), (oh, ow) = self.extent, self.kernel, self.result
        low = [d * (k - 1) - p for d, k, p in zip(self.dilation, self.kernel, self.padding, strict=True)]
        apart = [(n - 1) * s + 1 for n, s in zip(self.extent, self.stride, strict=True)]
        around = self.whole if self.pads_by_insertion else apart
        first = low if self.pads_by_insertion else [0, 0]
        high = [n - a - b for n, a, b in zip(self.whole, apart, low, strict=True)]
        inner, whole = (f"tensor<1x2x{a}x{b}xi8>" for a, b in (around, self.whole))
        steps = f"[1, 2, {h}, {w}] [1, 1, {self.stride[0]}, {self.stride[1]}]"
        pad = (
            "  %p = tensor.pad %wide "
            f"low[0, 0, {low[0]}, {low[1]}] high[0, 0, {high[0]}, {high[1]}] {{\n"
            "  ^bb0(%a: index, %b: index, %c: index, %d: index):\n    tensor.yield %z : i8\n"
            f"  }} : {inner} to {whole}\n"
        )
        named = "_q" if self.zero_point else ""
        points = (", %zp, %none", ", i32, i32") if self.zero_point else ("", "")
        kinds = f"tensor<1x3x{oh}x{ow}xi32>"
        return (
            f"func.func @net(%x: tensor<1x2x{h}x{w}xi8>, %w: tensor<3x2x{kh}x{kw}xi8>, %bias: tensor<3xi32>)\n"
            f"    -> {kinds} {{\n"
            f"  %z = arith.constant {self.zero_point} : i8\n  %zp = arith.constant {self.zero_point} : i32\n"
            f"  %none = arith.constant 0 : i32\n  %e = tensor.empty() : {inner}\n"
            f"  %f = linalg.fill ins(%z : i8) outs(%e : {inner}) -> {inner}\n"
            f"  %wide = tensor.insert_slice %x into %f[0, 0, {first[0]}, {first[1]}] {steps} : "
            f"tensor<1x2x{h}x{w}xi8> into {inner}\n"
            f"{'' if self.pads_by_insertion else pad}"
            f"  %t = tensor.empty() : {kinds}\n"
            f"  %s = linalg.broadcast ins(%bias : tensor<3xi32>) outs(%t : {kinds}) dimensions = [0, 2, 3]\n"
            f"  %y = linalg.conv_2d_nchw_fchw{named} {{dilations = dense<[{self.dilation[0]}, {self.dilation[1]}]> : "
            f"tensor<2xi64>, strides = dense<[{self.behind[0]}, {self.behind[1]}]> : tensor<2xi64>}}\n"
            f"      ins(%{'wide' if self.pads_by_insertion else 'p'}, %w{points[0]} : {whole}, "
            f"tensor<3x2x{kh}x{kw}xi8>{points[1]}) outs(%s : {kinds}) -> {kinds}\n  func.return %y : {kinds}\n}}\n"
        )

    def expected(self, x: NDArray[np.int8], w: NDArray[np.int8], bias: NDArray[np.int32]) -> NDArray[np.int32]:
        """Every element scattered over the results, by the taps in reverse; then every so many-th result."""
        data, taps = x[0].astype(np.int32) - self.zero_point, w[:, :, ::-1, ::-1].astype(np.int32)
        extents = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(
            self.extent, self.stride, self.dilation, self.kernel, strict=True)]  # fmt: skip
        full = np.zeros((3, extents[0] + self.beyond[0], extents[1] + self.beyond[1]), np.int32)
        for row, column in np.ndindex(*self.extent):
            for tap in np.ndindex(*self.kernel):
                at = (
                    row * self.stride[0] + tap[0] * self.dilation[0],
                    column * self.stride[1] + tap[1] * self.dilation[1],
                )
                full[:, at[0], at[1]] += taps[:, :, tap[0], tap[1]] @ data[:, row, column]
        size = [(n - 1) * s + 1 for n, s in zip(self.result, self.behind, strict=True)]
        top, left = self.padding
        cut = full[:, top : top + size[0] : self.behind[0], left : left + size[1] : self.behind[1]]
        return (cut + bias[:, None, None])[None]


@st.composite
def cases(draw: st.DrawFn) -> Transposed:
    def pair(low: int, high: int) -> tuple[int, int]:
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    kernel, dilation, stride = pair(1, 4), pair(1, 2), pair(1, 3)
    reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    padding = (draw(st.integers(0, reach[0])), draw(st.integers(0, reach[1])))
    beyond = (draw(st.integers(0, stride[0] - 1)), draw(st.integers(0, stride[1] - 1)))
    found = Transposed(
        pair(1, 4),
        kernel,
        stride,
        padding,
        beyond,
        dilation,
        pair(1, 2),
        draw(st.booleans()),
        draw(st.sampled_from([0, -7])),
    )
    return found if min(found.result) > 0 and max(stride) > 1 else PLAIN


PLAIN = Transposed((3, 2), (4, 3), (2, 3), (1, 1), (0, 1), (1, 1), (1, 1), False, 0)


def split(text: str) -> ModuleOp:
    module = parse(text)
    SplitTransposedConvolutions().apply(make_context(), module)
    module.verify()
    return module


@settings(max_examples=60)
@given(cases(), st.integers(0, 1 << 30))
def test_split_convolutions_scatter(case: Transposed, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.integers(-128, 128, (1, 2, *case.extent), dtype=np.int8)
    w = random.integers(-128, 128, (3, 2, *case.kernel), dtype=np.int8)
    bias = random.integers(-1000, 1000, 3, dtype=np.int32)
    before, after = (evaluate(module, x, w, bias) for module in (parse(case.text()), split(case.text())))
    np.testing.assert_array_equal(cast("NDArray[np.int32]", before), case.expected(x, w, bias))
    np.testing.assert_array_equal(before, after)


def test_a_border_of_another_number_is_declined() -> None:
    text = PLAIN.text().replace("tensor.yield %z : i8", "%n = arith.constant 3 : i8\n    tensor.yield %n : i8")
    assert not any(isinstance(op, tensor.ExtractSliceOp) for op in split(text).walk())


@pytest.mark.parametrize("number", [1, -7])
def test_another_number_between_than_the_zero_point_is_declined(number: int) -> None:
    text = PLAIN.text().replace("%z = arith.constant 0 : i8", f"%z = arith.constant {number} : i8")
    assert not any(isinstance(op, tensor.ExtractSliceOp) for op in split(text).walk())
