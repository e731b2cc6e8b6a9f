"""Shapes that nobody tuned for, as programs on floats with their results by numpy: ones, primes, extremes, windows.

Numbers are small and whole, so that sums are exact in f32 in any order and results must be equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from vtac.workloads.float_text import FloatProgram
from vtac.workloads.tensor_text import Tensor

Array = NDArray[np.generic]
_SIZES = (1, 2, 3, 5, 7, 8, 13, 16, 17, 31, 32, 33, 47, 64, 65, 97, 127, 128, 131)
_EXTREMES = ((4096, 1, 64), (1, 4096, 32), (1, 1, 4096), (2048, 3, 5), (3, 1021, 16), (257, 16, 1))
_MOST_PRODUCTS = 1 << 21


@dataclass(frozen=True)
class Untuned:
    """A program, its inputs, and what numpy makes of them."""

    name: str
    text: str
    inputs: tuple[Array, ...]
    expected: Array


def untuned(number: int) -> Untuned:
    """The program of a number, always the same one."""
    random = np.random.default_rng(number)
    kinds = list(_KINDS)
    return _KINDS[kinds[number % len(kinds)]](random)


def _whole(random: np.random.Generator, shape: tuple[int, ...], element: str) -> Array:
    return random.integers(-4, 5, shape).astype(np.float16 if element == "f16" else np.float32)


def _element(random: np.random.Generator) -> str:
    return "f16" if random.random() < 0.75 else "f32"


def _shown(random: np.random.Generator, most: int, count: int) -> tuple[int, ...]:
    """Sizes of which the product is at most a number."""
    while True:
        sizes = tuple(int(random.choice(_SIZES)) for _ in range(count))
        if np.prod(sizes, dtype=np.int64) <= most:
            return sizes


def _product(random: np.random.Generator) -> Untuned:
    extreme = random.random() < 0.3
    m, n, k = _EXTREMES[random.integers(len(_EXTREMES))] if extreme else _shown(random, _MOST_PRODUCTS, 3)
    element, by_rows = _element(random), bool(random.random() < 0.3)
    program = FloatProgram("product")
    a = program.argument("a", (m, k), element)
    b = program.argument("b", (n, k) if by_rows else (k, n), element)
    c = program.product(Tensor("c", (m, n), "f32"), (a, "i, k"), (b, "j, k" if by_rows else "k, j"), "i, j")
    left, right = _whole(random, a.shape, element), _whole(random, b.shape, element)
    wide = right.astype(np.float32)
    expected = left.astype(np.float32) @ (wide.T if by_rows else wide)
    name = f"product {m} x {n} x {k}, {element}{', b transposed' if by_rows else ''}"
    return Untuned(name, program.text(c), (left, right), expected)


def _batch(random: np.random.Generator) -> Untuned:
    batch, m, n, k = _shown(random, _MOST_PRODUCTS, 4)
    element = _element(random)
    program = FloatProgram("batch")
    a, b = program.argument("a", (batch, m, k), element), program.argument("b", (batch, k, n), element)
    c = program.product(Tensor("c", (batch, m, n), "f32"), (a, "g, i, k"), (b, "g, k, j"), "g, i, j")
    left, right = _whole(random, a.shape, element), _whole(random, b.shape, element)
    expected = left.astype(np.float32) @ right.astype(np.float32)
    return Untuned(f"{batch} products {m} x {n} x {k}, {element}", program.text(c), (left, right), expected)


def _convolution(random: np.random.Generator) -> Untuned:
    """NHWC, with strides, dilations and groups of channels; without padding."""
    rows, columns = (int(random.integers(1, 4)) for _ in range(2))
    stride, dilation = int(random.integers(1, 4)), int(random.integers(1, 3))
    groups = int(random.choice((1, 1, 2, 5)))
    images, high, wide = (int(random.integers(1, most)) for most in (3, 7, 9))
    inputs, outputs = (int(random.choice((1, 3, 8, 16, 17, 33))) for _ in range(2))
    tall, broad = ((size - 1) * stride + (taps - 1) * dilation + 1 for size, taps in ((high, rows), (wide, columns)))
    element = _element(random)
    program = FloatProgram("convolution")
    x = program.argument("x", (images, tall, broad, groups, inputs), element)
    w = program.argument("w", (groups, rows, columns, inputs, outputs), element)
    y = program.product(
        Tensor("y", (images, high, wide, groups, outputs), "f32"),
        (x, f"n, y * {stride} + r * {dilation}, x * {stride} + s * {dilation}, g, c"),
        (w, "g, r, s, c, f"),
        "n, y, x, g, f",
    )
    data, weights = _whole(random, x.shape, element), _whole(random, w.shape, element)
    expected = np.zeros(y.shape, np.float32)
    for r in range(rows):
        for s in range(columns):
            top, left = r * dilation, s * dilation
            seen = data[:, top : top + (high - 1) * stride + 1 : stride, left : left + (wide - 1) * stride + 1 : stride]
            expected += np.einsum(
                "nyxgc,gcf->nyxgf", seen.astype(np.float32), weights[:, r, s].astype(np.float32), optimize=False
            )
    name = (
        f"convolution {images} x {tall} x {broad}, {groups} x {inputs} -> {groups} x {outputs}, {rows} x {columns} "
        f"stride {stride} dilation {dilation}, {element}"
    )
    return Untuned(name, program.text(y), (data, weights), expected)


def _odd_product(random: np.random.Generator) -> Untuned:
    """Rows of both operands end within a vector of 16 bytes; several steps, more than one block."""
    m, n, k = (int(random.integers(40, most)) for most in (150, 150, 260))
    n, k = (size + (size % 8 == 0) for size in (n, k))
    program = FloatProgram("odd")
    by_columns = bool(random.random() < 0.3)
    a, b = program.argument("a", (k, m) if by_columns else (m, k)), program.argument("b", (k, n))
    c = program.product(Tensor("c", (m, n), "f32"), (a, "k, i" if by_columns else "i, k"), (b, "k, j"), "i, j")
    left, right = _whole(random, a.shape, "f16"), _whole(random, b.shape, "f16")
    wide = left.astype(np.float32)
    expected = (wide.T if by_columns else wide) @ right.astype(np.float32)
    name = f"product {m} x {n} x {k}, rows that end within a vector{', a transposed' if by_columns else ''}"
    return Untuned(name, program.text(c), (left, right), expected)


def _channels_first(random: np.random.Generator) -> Untuned:
    """NCHW with OIHW: neighbours in memory are pixels; channels of any number."""
    images, high, wide = (int(random.integers(1, most)) for most in (3, 9, 13))
    inputs, outputs = (int(random.choice((1, 3, 8, 17, 34, 65))) for _ in range(2))
    taps = int(random.integers(1, 4))
    program = FloatProgram("channels_first")
    x = program.argument("x", (images, inputs, high + taps - 1, wide + taps - 1))
    w = program.argument("w", (outputs, inputs, taps, taps))
    y = program.product(
        Tensor("y", (images, outputs, high, wide), "f32"), (x, "n, c, y + r, x + s"), (w, "f, c, r, s"), "n, f, y, x"
    )
    data, weights = _whole(random, x.shape, "f16"), _whole(random, w.shape, "f16")
    expected = np.zeros(y.shape, np.float32)
    for r in range(taps):
        for s in range(taps):
            seen = data[:, :, r : r + high, s : s + wide].astype(np.float32)
            expected += np.einsum("ncyx,fc->nfyx", seen, weights[:, :, r, s].astype(np.float32), optimize=False)
    name = f"convolution {images} x {high} x {wide}, {inputs} -> {outputs}, {taps} x {taps}, NCHW"
    return Untuned(name, program.text(y), (data, weights), expected)


def _rows(random: np.random.Generator) -> Untuned:
    shape = _shown(random, 1 << 16, int(random.integers(2, 4)))
    program = FloatProgram("rows")
    x = program.argument("x", shape, "f32")
    axis = int(random.integers(len(shape)))
    dims = [f"d{at}" for at in range(len(shape))]
    kept = tuple(size for at, size in enumerate(shape) if at != axis)
    left = ", ".join(dim for at, dim in enumerate(dims) if at != axis)
    y = program.reduce(Tensor("y", kept, "f32"), [(x, ", ".join(dims))], left, "%y = arith.addf %acc, %a0 : f32")
    data = _whole(random, shape, "f32")
    return Untuned(f"sums of {shape} along {axis}", program.text(y), (data,), data.sum(axis, dtype=np.float32))


_KINDS: Mapping[str, Callable[[np.random.Generator], Untuned]] = MappingProxyType(
    {
        "product": _product,
        "convolution": _convolution,
        "batch": _batch,
        "rows": _rows,
        "odd product": _odd_product,
        "channels first": _channels_first,
    }
)
