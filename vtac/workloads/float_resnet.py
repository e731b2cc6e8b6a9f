"""Residual blocks and whole residual networks in f16, NHWC: as linalg text, and in float64 as a reference."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vtac.workloads.float_text import FloatProgram
from vtac.workloads.tensor_text import Tensor, padded

Array = NDArray[np.generic]
Reals = NDArray[np.float64]
_WIDE = "%b = arith.extf %a1 : f16 to f32\n    %s = arith.addf %a0, %b : f32"
_RELU = "%zero = arith.constant 0.0 : f32\n    %r = arith.maximumf %s, %zero : f32\n    "


@dataclass(frozen=True)
class FloatResNet:
    """A residual network: a stem, if `stem` features are given, then stages of blocks of two 3x3 convolutions, a head.

    `stages` are features and blocks of each; each stage but the first halves the image. The stem is a 7x7 convolution
    with stride 2 and a 3x3 maximum with stride 2; the head, if there are `classes`, an average and a product.
    """

    image: tuple[int, int, int, int]
    stages: tuple[tuple[int, int], ...]
    stem: int = 0
    classes: int = 0

    def text(self) -> str:
        """The network as one function: of the image, and of kernels and biases in order."""
        return _ResNetText(self).text()

    def inputs(self, seed: int = 0) -> list[Array]:
        """Normally distributed arguments; kernels are scaled so that features keep their size."""
        generator = np.random.default_rng(seed)
        found: list[Array] = []
        for one in _shapes(self):
            values = generator.standard_normal(one.shape)
            if len(one.shape) == 4 and found:
                values /= math.sqrt(math.prod(one.shape[:3]) / 2)
            elif len(one.shape) == 2:
                values /= math.sqrt(one.shape[0])
            found.append((values if len(one.shape) != 1 else values / 8).astype(np.float16))
        return found

    def reference(self, arrays: list[Array]) -> Reals:
        """The result in float64."""
        return _Reference(self, [array.astype(np.float64) for array in arrays]).result()


def _shapes(network: FloatResNet) -> list[Tensor]:
    """The arguments of a network."""
    text = _ResNetText(network)
    text.text()
    return text.program.arguments


@dataclass
class _ResNetText:
    """Writes the function of a network."""

    network: FloatResNet
    program: FloatProgram = field(default_factory=lambda: FloatProgram("resnet"))
    count: int = 0

    def text(self) -> str:
        network = self.network
        x = self.program.argument("image", network.image)
        if network.stem:
            x = self._largest(self._convolved(x, network.stem, 7, 2, 3, relu=True))
        for number, (features, blocks) in enumerate(network.stages):
            for block in range(blocks):
                x = self._block(x, features, 2 if number and not block else 1)
        return self.program.text(self._head(x) if network.classes else x)

    def _block(self, x: Tensor, features: int, stride: int) -> Tensor:
        inner = self._convolved(x, features, 3, stride, 1, relu=True)
        around = x
        if stride > 1 or x.shape[3] != features:
            around = self._convolved(x, features, 1, stride, 0, relu=False)
        return self._convolved(inner, features, 3, 1, 1, relu=True, around=around)

    def _convolved(
        self, x: Tensor, features: int, size: int, stride: int, pad: int, *, relu: bool, around: Tensor | None = None
    ) -> Tensor:
        """A convolution with bias, a residual and relu where they are asked for, rounded to f16."""
        program, name = self.program, f"c{self.count}"
        self.count += 1
        w = program.argument(f"{name}_kernel", (size, size, x.shape[3], features))
        bias = program.argument(f"{name}_bias", (features,))
        source = x
        if pad:
            source, line = padded(f"{name}_padded", x, (pad,) * 4, "0.0", rows=1)
            program.lines.append(line)
        n, height, width, _ = x.shape
        shape = (n, (height + 2 * pad - size) // stride + 1, (width + 2 * pad - size) // stride + 1, features)
        step = f" * {stride}" if stride > 1 else ""
        where = f"n, y{step} + r, x{step} + s, c"
        sums = program.product(Tensor(f"{name}_sums", shape, "f32"), (source, where), (w, "r, s, c, f"), "n, y, x, f")
        reads, body = [(sums, "n, y, x, f"), (bias, "f")], _WIDE
        if around is not None:
            reads.append((around, "n, y, x, f"))
            body = (
                f"{_WIDE.replace('%s', '%t')}\n    %w = arith.extf %a2 : f16 to f32\n    %s = arith.addf %t, %w : f32"
            )
        value = "%r" if relu else "%s"
        body = f"{body}\n    {_RELU if relu else ''}%y = arith.truncf {value} : f32 to f16"
        return program.map(Tensor(name, shape, "f16"), reads, body)

    def _largest(self, x: Tensor) -> Tensor:
        """3x3 maxima with stride 2, the image's edge padded with minus infinity."""
        source, line = padded("edge", x, (1,) * 4, "0xFC00", rows=1)
        self.program.lines.append(line)
        n, height, width, features = x.shape
        shape = (n, (height - 1) // 2 + 1, (width - 1) // 2 + 1, features)
        loops = [(source, "n, y * 2 + r, x * 2 + s, c")]
        window = self.program.empty("window", (3, 3))
        return self.program.reduce(
            Tensor("pooled", shape, "f16"),
            [*loops, (window, "r, s")],
            "n, y, x, c",
            "%y = arith.maximumf %acc, %a0 : f16",
            "0xFC00",
        )

    def _head(self, x: Tensor) -> Tensor:
        """The average of each feature, and a product of these."""
        program, (n, height, width, features) = self.program, x.shape
        body = "%w = arith.extf %a0 : f16 to f32\n    %y = arith.addf %acc, %w : f32"
        total = program.reduce(Tensor("total", (n, features), "f32"), [(x, "n, y, x, c")], "n, c", body)
        count = f"%k = arith.constant {1 / (height * width):.17e} : f32\n    %m = arith.mulf %a0, %k : f32\n    "
        mean = program.map(
            Tensor("mean", (n, features), "f16"), [(total, "n, c")], f"{count}%y = arith.truncf %m : f32 to f16"
        )
        w = program.argument("head_kernel", (features, self.network.classes))
        bias = program.argument("head_bias", (self.network.classes,))
        scores = program.product(
            Tensor("scores", (n, self.network.classes), "f32"), (mean, "n, c"), (w, "c, f"), "n, f"
        )
        return program.map(
            Tensor("result", scores.shape, "f32"), [(scores, "n, f"), (bias, "f")], f"{_WIDE.replace('%s', '%y')}"
        )


@dataclass
class _Reference:
    """Computes a network in float64, its arguments taken in order."""

    network: FloatResNet
    arrays: list[Reals]

    def result(self) -> Reals:
        network = self.network
        x = self.arrays.pop(0)
        if network.stem:
            x = self._largest(np.maximum(self._convolved(x, 2, 3), 0))
        for number, (features, blocks) in enumerate(network.stages):
            for block in range(blocks):
                x = self._block(x, features, 2 if number and not block else 1)
        if not network.classes:
            return x
        weights, bias = self.arrays.pop(0), self.arrays.pop(0)
        return x.mean(axis=(1, 2)) @ weights + bias

    def _block(self, x: Reals, features: int, stride: int) -> Reals:
        inner = np.maximum(self._convolved(x, stride, 1), 0)
        around = self._convolved(x, stride, 0) if stride > 1 or x.shape[3] != features else x
        return np.maximum(self._convolved(inner, 1, 1) + around, 0)

    def _convolved(self, x: Reals, stride: int, pad: int) -> Reals:
        kernel, bias = self.arrays.pop(0), self.arrays.pop(0)
        wide = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(wide, kernel.shape[:2], axis=(1, 2))
        return np.einsum("nyxcrs,rscf->nyxf", windows[:, ::stride, ::stride], kernel, optimize=True) + bias

    def _largest(self, x: Reals) -> Reals:
        wide = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
        windows = np.lib.stride_tricks.sliding_window_view(wide, (3, 3), axis=(1, 2))
        return windows[:, ::2, ::2].max(axis=(-1, -2))
