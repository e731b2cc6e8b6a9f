"""Products and convolutions in plain linalg, as frontends print them, for tests of default CUDA schedules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vtac.targets.cuda.arrays import Array
from vtac.workloads.linalg_text import affine_map, iterators, tensor

_WIDE = {"f16": "f32", "bf16": "f32", "i8": "i32"}


@dataclass(frozen=True)
class Contraction:
    """One named operation with zero padding before it, and a bias, relu and truncation after it.

    `result` is the output's shape, `features` the dimension of it that a bias follows.
    """

    operation: str
    data: tuple[int, ...]
    kernel: tuple[int, ...]
    result: tuple[int, ...]
    element: str = "f16"
    stride: int = 1
    pad: tuple[int, ...] = ()
    features: int = 1
    bias: bool = False
    relu: bool = False
    narrow: bool = False

    def text(self) -> str:
        """The program."""
        wide = _WIDE[self.element]
        data, kernel, out = (
            tensor(self.data, self.element),
            tensor(self.kernel, self.element),
            tensor(self.result, wide),
        )
        bias = f", %bias: {tensor((self.result[self.features],), wide)}" if self.bias else ""
        steps = [*self._pad(data), *self._product(wide), *self._tail(wide)]
        final = tensor(self.result, self.element if self.narrow else wide)
        return "\n".join(
            [
                f"func.func @layer(%data: {data}, %kernel: {kernel}{bias}) -> {final} {{",
                f"  %zero = arith.constant {_zero(self.element)} : {self.element}",
                f"  %wide_zero = arith.constant {_zero(wide)} : {wide}",
                f"  %empty = tensor.empty() : {out}",
                *steps,
                "}\n",
            ]
        )

    def _padded(self) -> tuple[int, ...]:
        return tuple(size + 2 * pad for size, pad in zip(self.data, self.pad or (0,) * len(self.data), strict=True))

    def _pad(self, data: str) -> list[str]:
        if not any(self.pad):
            return []
        indices = ", ".join(f"%p{d}: index" for d in range(len(self.data)))
        amount = list(self.pad)
        return [
            f"  %padded = tensor.pad %data low{amount} high{amount} {{\n  ^bb0({indices}):",
            f"    tensor.yield %zero : {self.element}\n  }} : {data} to {tensor(self._padded(), self.element)}",
        ]

    def _product(self, wide: str) -> list[str]:
        out, window = tensor(self.result, wide), ""
        if self.operation.startswith("conv"):
            window = f" {{dilations = dense<1> : vector<2xi64>, strides = dense<{self.stride}> : vector<2xi64>}}"
        operands = f"{tensor(self._padded(), self.element)}, {tensor(self.kernel, self.element)}"
        return [
            f"  %init = linalg.fill ins(%wide_zero : {wide}) outs(%empty : {out}) -> {out}",
            f"  %product = linalg.{self.operation}{window} ins(%{'padded' if any(self.pad) else 'data'}, %kernel : "
            f"{operands}) outs(%init : {out}) -> {out}",
        ]

    def _tail(self, wide: str) -> list[str]:
        real = wide == "f32"
        lines: list[str] = []
        value, kind = "%product", tensor(self.result, wide)
        if self.bias:
            lines += self._elementwise(
                "biased", value, wide, wide, f"arith.{'addf' if real else 'addi'} %x, %y : {wide}"
            )
            value = "%biased"
        if self.relu:
            maximum = f"arith.{'maximumf' if real else 'maxsi'} %x, %wide_zero : {wide}"
            lines += self._elementwise("positive", value, wide, wide, maximum)
            value = "%positive"
        if self.narrow:
            truncation = f"arith.{'truncf' if real else 'trunci'} %x : {wide} to {self.element}"
            lines += self._elementwise("narrow", value, wide, self.element, truncation)
            value, kind = "%narrow", tensor(self.result, self.element)
        return [*lines, f"  func.return {value} : {kind}"]

    def _elementwise(self, name: str, value: str, wide: str, result: str, operation: str) -> list[str]:
        loops = ", ".join(f"d{d}" for d in range(len(self.result)))
        same, source, target = affine_map(loops, loops), tensor(self.result, wide), tensor(self.result, result)
        maps, inputs, types, arguments = [same, same], value, source, f"%x: {wide}"
        if name == "biased":
            maps.insert(1, affine_map(loops, f"d{self.features}"))
            inputs, types = f"{value}, %bias", f"{source}, {tensor((self.result[self.features],), wide)}"
            arguments += f", %y: {wide}"
        return [
            f"  %{name}_empty = tensor.empty() : {target}",
            f"  %{name} = linalg.generic {{indexing_maps = [{', '.join(maps)}], {iterators(len(self.result))}}}",
            f"    ins({inputs} : {types}) outs(%{name}_empty : {target}) {{",
            f"  ^bb0({arguments}, %o: {result}):",
            f"    %r = {operation}",
            f"    linalg.yield %r : {result}\n  }} -> {target}",
        ]

    def inputs(self, seed: int = 0) -> list[Array]:
        """Small whole numbers, which every order of summation adds up to the same."""
        random = np.random.default_rng(seed)
        narrow, wide = (np.int8, np.int32) if self.element == "i8" else (np.float16, np.float32)
        arrays: list[Array] = [random.integers(-3, 4, shape).astype(narrow) for shape in (self.data, self.kernel)]
        if self.bias:
            arrays.append(random.integers(-9, 10, (self.result[self.features],)).astype(wide))
        return arrays


def matmul(
    m: int,
    n: int,
    k: int,
    element: str = "f16",
    *,
    transposed: bool = False,
    bias: bool = False,
    relu: bool = False,
    narrow: bool = False,
) -> Contraction:
    """A matrix product; the second operand n x k when it is transposed."""
    operation, kernel = ("matmul_transpose_b", (n, k)) if transposed else ("matmul", (k, n))
    return Contraction(operation, (m, k), kernel, (m, n), element, bias=bias, relu=relu, narrow=narrow)


def convolution(
    layout: str,
    sizes: tuple[int, int, int, int],
    features: int,
    window: tuple[int, int],
    element: str = "f16",
    stride: int = 1,
    pad: int = 0,
    **tail: bool,
) -> Contraction:
    """A convolution of `sizes` = (images, channels, height, width); the layout is that of linalg's name."""
    images, channels, height, width = sizes
    rows, columns = (
        (size + 2 * pad - reach) // stride + 1 for size, reach in zip((height, width), window, strict=True)
    )
    axes = {"n": images, "c": channels, "h": height, "w": width}
    reach = {"f": features, "c": channels, "h": window[0], "w": window[1]}
    outputs = {"n": images, "c": features, "h": rows, "w": columns}
    images_layout, kernel_layout = layout.split("_")
    return Contraction(
        f"conv_2d_{layout}",
        tuple(axes[letter] for letter in images_layout),
        tuple(reach[letter] for letter in kernel_layout),
        tuple(outputs[letter] for letter in images_layout),
        element,
        stride,
        tuple(pad if letter in "hw" else 0 for letter in images_layout),
        images_layout.index("c"),
        **tail,
    )


def _zero(element: str) -> str:
    return "0" if element.startswith("i") else "0.0"
