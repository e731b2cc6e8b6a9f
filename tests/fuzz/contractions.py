"""Products and convolutions of f16, bf16 and i8 with what may stand around them on tensor cores, and their meaning.

Numbers are small and whole, so that sums are exact in f32 in any order; only a last truncation rounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fuzz.case import Payload
from fuzz.extrema import larger, smaller
from fuzz.networks import Node, Value
from fuzz.operations.images import Window, from_nchw, in_layout, placed, to_nchw
from fuzz.operations.text import generic, iterators, letters, maps, reduction
from fuzz.outcome import UnfitError
from vtac.evaluate.bfloat16 import to_bfloat16

WIDE = {"f16": "f32", "bf16": "f32", "i8": "i32"}
_NAMES = {"fcuv": "nchw_fchw", "uvcf": "nhwc_hwcf", "fuvc": "nhwc_fhwc"}


@dataclass
class Kernel:
    """A function under construction, and the numbers of its last value."""

    element: str
    arguments: list[Value] = field(default_factory=list[Value])
    arrays: list[NDArray[Any]] = field(default_factory=list[NDArray[Any]])
    lines: list[str] = field(default_factory=list[str])
    seed: int = 0

    @property
    def wide(self) -> str:
        return WIDE[self.element]

    @property
    def is_real(self) -> bool:
        return self.wide == "f32"

    def argument(self, name: str, shape: list[int], element: str, bound: int = 3) -> tuple[Value, NDArray[Any]]:
        """One more argument, and its numbers."""
        value = Value(name, tuple(shape), element)
        self.seed += 1
        numbers = np.random.default_rng(self.seed).integers(-bound, bound + 1, shape)
        self.arguments.append(value)
        self.arrays.append(as_stored(numbers.astype(np.float64), element))
        return value, numbers.astype(np.float64)

    def number(self, value: float, element: str) -> str:
        """As text."""
        return f"{value:.1f}" if element in ("f16", "bf16", "f32") else str(int(value))

    def text(self, result: Value) -> str:
        given = ", ".join(f"%{value.name}: {value.kind}" for value in self.arguments)
        head = f"func.func @layer({given}) -> {result.kind} {{"
        return "\n".join([head, *self.lines, f"  func.return %{result.name} : {result.kind}", "}", ""])


def as_stored(numbers: NDArray[np.float64], element: str) -> NDArray[Any]:
    """Numbers as callers see them: bfloat16 as uint16; integers wrap."""
    if element == "bf16":
        return to_bfloat16(numbers.astype(np.float32))
    if element in ("f16", "f32"):
        return numbers.astype(np.float16 if element == "f16" else np.float32)
    return numbers.astype(np.int64).astype(np.int8 if element == "i8" else np.int32)


def build_kernel(payload: Payload) -> tuple[str, list[NDArray[Any]], NDArray[Any]]:
    """The text of a payload, its arguments, and what numpy says. Raises `UnfitError` for what fits no image."""
    kernel = Kernel(cast(str, payload["type"]))
    node = cast(Node, payload["node"])
    value, numbers = (_product if node["kind"] == "product" else _convolution)(kernel, node)
    for position, step in enumerate(cast("list[Node]", payload["tail"])):
        value, numbers = _tail(kernel, value, numbers, step, position)
    return kernel.text(value), kernel.arrays, as_stored(numbers, value.element)


Computed = tuple[Value, NDArray[np.float64]]


def _started(kernel: Kernel, shape: tuple[int, ...], node: Node, axis: int) -> NDArray[np.float64]:
    """`%start`: zeros, or a bias along an axis; its numbers as they broadcast."""
    start = Value("start", shape, kernel.wide)
    kernel.lines.append(f"  %start_e = tensor.empty() : {start.kind}")
    if not node["bias"]:
        zero = kernel.number(0, kernel.wide)
        kernel.lines += [
            f"  %start_c = arith.constant {zero} : {kernel.wide}",
            f"  %start = linalg.fill ins(%start_c : {kernel.wide}) outs(%start_e : {start.kind}) -> {start.kind}",
        ]
        return np.zeros([1] * len(shape))
    bias, numbers = kernel.argument("bias", [shape[axis]], kernel.wide, 9)
    others = [dim for dim in range(len(shape)) if dim != axis]
    kernel.lines.append(
        f"  %start = linalg.broadcast ins(%bias : {bias.kind}) outs(%start_e : {start.kind}) dimensions = {others}"
    )
    return numbers.reshape([-1 if dim == axis else 1 for dim in range(len(shape))])


def _product(kernel: Kernel, node: Node) -> Computed:
    m, n, k = node["sizes"]
    flips = node["flips"]
    a, left = kernel.argument("a", [k, m] if flips[0] else [m, k], kernel.element)
    b, right = kernel.argument("b", [n, k] if flips[1] else [k, n], kernel.element)
    total = (left.T if flips[0] else left) @ (right.T if flips[1] else right)
    total = total.T if flips[2] else total
    start = _started(kernel, total.shape, node, 1)
    result = Value("product", total.shape, kernel.wide)
    if node["form"] == "named" and not flips[0] and not flips[2]:
        op = "linalg.matmul_transpose_b" if flips[1] else "linalg.matmul"
        kernel.lines.append(
            f"  %product = {op} ins(%a, %b : {a.kind}, {b.kind}) outs(%start : {result.kind}) -> {result.kind}"
        )
        return result, total + start
    pairs = [("m", "k"), ("k", "n"), ("m", "n")]
    access = [", ".join(pair[::-1] if flip else pair) for pair, flip in zip(pairs, flips, strict=True)]
    kinds = maps(*access, dims="m, n, k")
    kernel.lines += reduction(result, [a, b], kinds, iterators(2, 1), _body(kernel), "start")
    return result, total + start


def _body(kernel: Kernel) -> list[str]:
    extend, multiply, add = ("extf", "mulf", "addf") if kernel.is_real else ("extsi", "muli", "addi")
    given, wide = kernel.element, kernel.wide
    return [
        f"%e0 = arith.{extend} %a0 : {given} to {wide}",
        f"%e1 = arith.{extend} %a1 : {given} to {wide}",
        f"%m = arith.{multiply} %e0, %e1 : {wide}",
        f"%y = arith.{add} %acc, %m : {wide}",
    ]


def _convolution(kernel: Kernel, node: Node) -> Computed:
    layout, order, window = node["layout"], node["order"], Window.of(node)
    batch, channels, rows, columns = node["sizes"]
    shape = [batch, rows, columns, channels] if layout == "nhwc" else [batch, channels, rows, columns]
    data, numbers = kernel.argument("data", shape, kernel.element)
    data, numbers = _padded(kernel, data, numbers, node)
    extents = {"f": node["features"], "c": channels, "u": window.taps[0], "v": window.taps[1]}
    weights, filters = kernel.argument("weights", [extents[letter] for letter in order], kernel.element)
    taps = window.over(to_nchw(numbers, layout))
    canonical = filters.transpose([order.index(letter) for letter in "fcuv"])
    total = sum(np.tensordot(canonical[:, :, u, v], part, axes=(1, 1)).transpose(1, 0, 2, 3) for u, v, part in taps)
    found = from_nchw(np.asarray(total), layout)
    start = _started(kernel, found.shape, node, 3 if layout == "nhwc" else 1)
    result = Value("product", found.shape, kernel.wide)
    if node["form"] == "named":
        kernel.lines.append(
            f"  %product = linalg.conv_2d_{_NAMES[order]} {window.attributes} ins(%{data.name}, %weights : "
            f"{data.kind}, {weights.kind}) outs(%start : {result.kind}) -> {result.kind}"
        )
        return result, found + start
    access = maps(
        in_layout(layout, "n", "c", *window.places),
        ", ".join(order),
        in_layout(layout, "n", "f", "h", "w"),
        dims="n, f, h, w, c, u, v",
    )
    kernel.lines += reduction(result, [data, weights], access, iterators(4, 3), _body(kernel), "start")
    return result, found + start


def _padded(kernel: Kernel, data: Value, numbers: NDArray[np.float64], node: Node) -> Computed:
    if not any(node["pads"]):
        return data, numbers
    top, left, bottom, right = node["pads"]
    low, high = placed(node["layout"], 0, top, left), placed(node["layout"], 0, bottom, right)
    padded = np.pad(numbers, list(zip(low, high, strict=True)))
    result = Value("padded", padded.shape, data.element)
    kernel.lines += [
        f"  %pad = arith.constant {kernel.number(0, data.element)} : {data.element}",
        f"  %padded = tensor.pad %data low{low} high{high} {{",
        "  ^bb0(%q0: index, %q1: index, %q2: index, %q3: index):",
        f"    tensor.yield %pad : {data.element}",
        f"  }} : {data.kind} to {result.kind}",
    ]
    return result, padded


_REAL = {"add": "addf", "sub": "subf", "mul": "mulf", "max": "maximumf", "min": "minimumf"}
_WHOLE = {"add": "addi", "sub": "subi", "mul": "muli", "max": "maxsi", "min": "minsi"}
_MEANINGS = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "max": larger, "min": smaller}


def _tail(kernel: Kernel, value: Value, numbers: NDArray[np.float64], step: Node, position: int) -> Computed:
    """One elementwise operation: with a number, with an argument along some dimensions, or a truncation."""
    wide, name = kernel.wide, f"t{position}"
    if step["op"] == "narrow":
        result = Value(name, value.shape, kernel.element)
        cast_op = "truncf" if kernel.is_real else "trunci"
        body = [f"%y = arith.{cast_op} %a0 : {wide} to {kernel.element}"]
        kernel.lines += generic(result, [(value, letters(len(value.shape)))], body)
        return result, numbers
    op = (_REAL if kernel.is_real else _WHOLE)[step["op"]]
    result, operands = Value(name, value.shape, wide), [(value, letters(len(value.shape)))]
    if step["dims"] is None:
        other = np.asarray(float(step["number"]))
        body = [
            f"%c = arith.constant {kernel.number(step['number'], wide)} : {wide}",
            f"%y = arith.{op} %a0, %c : {wide}",
        ]
    else:
        dims = cast("list[int]", step["dims"])
        if any(dim >= len(value.shape) for dim in dims):
            raise UnfitError("an operand along a dimension that is gone")
        operand, given = kernel.argument(f"o{position}", [value.shape[dim] for dim in dims], wide, 9)
        other = given.reshape([extent if dim in dims else 1 for dim, extent in enumerate(value.shape)])
        operands.append((operand, ", ".join(f"d{dim}" for dim in dims)))
        body = [f"%y = arith.{op} %a0, %a1 : {wide}"]
    kernel.lines += generic(result, operands, body)
    return result, _MEANINGS[step["op"]](numbers, other)
