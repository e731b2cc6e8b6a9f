"""Programs with a product for mma.sync: every operand type, both ways of b, batches, a convolution, tails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vtac.evaluate.bfloat16 import to_bfloat16
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.schedules.tiling import ProductTiling

_SUMS = {"f16": "f32", "bf16": "f32", "f32": "f32", "i8": "i32"}
_IDENTITY, _BY_COLUMN = "affine_map<(i, j) -> (i, j)>", "affine_map<(i, j) -> (j)>"


@dataclass(frozen=True)
class Case:
    """A program, its tiling (None: the one that `mma_schedule` finds), the sizes of its product."""

    text: str
    element: str
    sizes: tuple[int, int, int]
    tiling: ProductTiling | None = None
    transposed: bool = False
    batch: int = 0
    tail: bool = False
    image: bool = False
    unsigned: bool = False
    half_sums: bool = False

    def arrays(self) -> list[Array]:
        """Small whole numbers: bfloat16 as its bits."""
        (m, n, k), first = self.sizes, (self.batch,) if self.batch else ()
        shapes = [(*first, m, k), (*first, n, k) if self.transposed else (*first, k, n)]
        if self.image:
            shapes = [(2, 8, 8, 32), (3, 3, 32, 32)]
        random = np.random.default_rng(3)
        low, high = (0, 256) if self.unsigned else (-4, 5)
        found = [_stored(random.integers(low, high, shape), self.element) for shape in shapes]
        if self.tail:
            found += [random.integers(-9, 10, n).astype(np.float32), random.integers(-9, 10, (m, n)).astype(np.float16)]
        return found


def _stored(numbers: Array, element: str) -> Array:
    if element == "bf16":
        return to_bfloat16(numbers.astype(np.float32))
    return numbers.astype({"f16": np.float16, "f32": np.float32, "i8": np.int8}[element])


def wanted_of(case: Case, arrays: list[Array]) -> Array:
    """What numpy makes of a case, exactly."""
    left, right = (_widened(array, case) for array in arrays[:2])
    if case.image:
        padded = np.pad(left, ((0, 0), (1, 1), (1, 1), (0, 0)))
        taps = [padded[:, i : i + 8, j : j + 8] @ right[i, j] for i in range(3) for j in range(3)]
        return np.sum(taps, axis=0).astype(np.float32)
    found = left @ (right.swapaxes(-1, -2) if case.transposed else right)
    if not case.tail:
        return found.astype(np.int32 if case.element == "i8" else np.float16 if case.half_sums else np.float32)
    bias, rest = (array.astype(np.float64) for array in arrays[2:])
    return np.maximum(found + bias + rest, 0).astype(np.float16)


def _widened(array: Array, case: Case) -> NDArray[np.float64]:
    if case.element == "bf16":
        return (array.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return (array.view(np.uint8) if case.unsigned else array).astype(np.float64)


def product(
    sizes: tuple[int, int, int], element: str = "f16", tiling: ProductTiling | None = None, **options: bool | int
) -> Case:
    """A product of matrices, with options of `Case`."""
    made = Case("", element, sizes, tiling, **options)  # pyright: ignore[reportArgumentType]
    return Case(_text(made), element, sizes, tiling, **options)  # pyright: ignore[reportArgumentType]


def _text(case: Case) -> str:
    (m, n, k), kind, wide = case.sizes, case.element, "f16" if case.half_sums else _SUMS[case.element]
    each, z = (f"{case.batch}x", "z, ") if case.batch else ("", "")
    a, b = f"tensor<{each}{m}x{k}x{kind}>", f"tensor<{each}{f'{n}x{k}' if case.transposed else f'{k}x{n}'}x{kind}>"
    sums = f"tensor<{each}{m}x{n}x{wide}>"
    result = f"tensor<{m}x{n}xf16>" if case.tail else sums
    more = f", %bias: tensor<{n}xf32>, %rest: tensor<{m}x{n}xf16>" if case.tail else ""
    loops = f"{z}i, j, k"
    maps = [f"affine_map<({loops}) -> ({z}{one})>" for one in ("i, k", "j, k" if case.transposed else "k, j", "i, j")]
    parallel = ", ".join(['"parallel"'] * (3 if case.batch else 2))
    extend, multiply, add = ("extsi", "muli", "addi") if kind == "i8" else ("extf", "mulf", "addf")
    extend = "extui" if case.unsigned else extend
    widened = [f"    %{one}w = arith.{extend} %{one} : {kind} to {wide}" for one in "xy"] if kind != wide else []
    x, y = ("%xw", "%yw") if widened else ("%x", "%y")
    lines = [
        f"func.func @f(%a: {a}, %b: {b}{more}) -> {result} {{",
        f"  %zero = arith.constant {'0' if wide == 'i32' else '0.0'} : {wide}",
        f"  %empty = tensor.empty() : {sums}",
        f"  %start = linalg.fill ins(%zero : {wide}) outs(%empty : {sums}) -> {sums}",
        f'  %p = linalg.generic {{indexing_maps = [{", ".join(maps)}], iterator_types = [{parallel}, "reduction"]}}',
        f"    ins(%a, %b : {a}, {b}) outs(%start : {sums}) {{",
        f"  ^bb0(%x: {kind}, %y: {kind}, %s: {wide}):",
        *widened,
        f"    %m = arith.{multiply} {x}, {y} : {wide}",
        f"    %t = arith.{add} %s, %m : {wide}",
        f"    linalg.yield %t : {wide}",
        f"  }} -> {sums}",
        *(_tail(m, n) if case.tail else ()),
        f"  func.return {'%c' if case.tail else '%p'} : {result}",
        "}",
    ]
    body = "\n".join(lines) + "\n"
    return f"module attributes {{wmma.allow_tf32}} {{\n{body}}}\n" if kind == "f32" else body


def _tail(m: int, n: int) -> list[str]:
    maps = ", ".join((_IDENTITY, _BY_COLUMN, _IDENTITY, _IDENTITY))
    return [
        f"  %halves = tensor.empty() : tensor<{m}x{n}xf16>",
        f'  %c = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel", "parallel"]}}',
        f"    ins(%p, %bias, %rest : tensor<{m}x{n}xf32>, tensor<{n}xf32>, tensor<{m}x{n}xf16>)",
        f"    outs(%halves : tensor<{m}x{n}xf16>) {{",
        "  ^bb0(%x: f32, %y: f32, %r: f16, %o: f16):",
        "    %1 = arith.addf %x, %y : f32",
        "    %2 = arith.extf %r : f16 to f32",
        "    %3 = arith.addf %1, %2 : f32",
        "    %4 = arith.constant 0.0 : f32",
        "    %5 = arith.maximumf %3, %4 : f32",
        "    %6 = arith.truncf %5 : f32 to f16",
        "    linalg.yield %6 : f16",
        f"  }} -> tensor<{m}x{n}xf16>",
    ]


_CONVOLUTION = """func.func @f(%x: tensor<2x8x8x32xf16>, %w: tensor<3x3x32x32xf16>) -> tensor<2x8x8x32xf32> {
  %none = arith.constant 0.0 : f16
  %padded = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%1: index, %2: index, %3: index, %4: index):
    tensor.yield %none : f16
  } : tensor<2x8x8x32xf16> to tensor<2x10x10x32xf16>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x8x8x32xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x8x8x32xf32>) -> tensor<2x8x8x32xf32>
  %y = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%padded, %w : tensor<2x10x10x32xf16>, tensor<3x3x32x32xf16>) outs(%start : tensor<2x8x8x32xf32>)
    -> tensor<2x8x8x32xf32>
  func.return %y : tensor<2x8x8x32xf32>
}
"""

CASES: Mapping[str, Case] = {
    "plain": product((64, 64, 128)),
    "groups of rows": product((64, 32, 32), tiling=ProductTiling((16, 8, 16), 2, 4, 1, 1, 2, 1, 2)),
    "odd tiles of b": product((32, 48, 64), tiling=ProductTiling((16, 8, 16), 2, 3, 1, 2, 2, 2)),
    "b transposed": product((64, 64, 128), transposed=True),
    "batch": product((32, 32, 64), batch=3),
    "bias, residual, relu, cast": product((64, 64, 128), tail=True),
    "bf16": product((32, 32, 64), "bf16"),
    "sums of halves": product((32, 32, 64), half_sums=True),
    "tf32": product((32, 32, 32), "f32"),
    "tf32, b transposed": product((32, 32, 64), "f32", transposed=True),
    "s8": product((64, 32, 128), "i8"),
    "s8, b transposed": product((64, 32, 128), "i8", transposed=True),
    "u8, b transposed": product((32, 32, 64), "i8", transposed=True, unsigned=True),
    "convolution": Case(_CONVOLUTION, "f16", (128, 32, 288), image=True),
}
"""Programs by what is special about them."""
