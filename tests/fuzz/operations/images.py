"""Images in either layout, what stands around them, and the windows that pass over them.

Meanings are computed on NCHW arrays; `LAYOUTS` says where batch, channels, rows and columns stand in the text's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuzz.networks import Array, Network, Node, Value
from fuzz.operations.text import started
from fuzz.outcome import UnfitError

LAYOUTS = {"nchw": (0, 1, 2, 3), "nhwc": (0, 3, 1, 2)}


def draw_layout(random: Random, features: frozenset[str]) -> str:
    """NCHW, or mostly NHWC in cases that have it."""
    return "nhwc" if "channels_last" in features and random.random() < 0.85 else "nchw"


def channels_of(value: Value, layout: str) -> int:
    return value.shape[LAYOUTS[layout][1]]


def to_nchw(array: NDArray[Any], layout: str) -> NDArray[Any]:
    return array.transpose(LAYOUTS[layout])


def from_nchw(array: NDArray[Any], layout: str) -> NDArray[Any]:
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1) if layout == "nhwc" else array)


def in_layout(layout: str, batch: object, channels: object, rows: object, columns: object) -> str:
    """Four indices in the order of a layout."""
    order = (batch, rows, columns, channels) if layout == "nhwc" else (batch, channels, rows, columns)
    return ", ".join(map(str, order))


def placed(layout: str, outer: int, rows: int, columns: int) -> list[int]:
    """Numbers for the dimensions of an image: `outer` for batch and channels."""
    return [outer, rows, columns, outer] if layout == "nhwc" else [outer, outer, rows, columns]


@dataclass(frozen=True)
class Window:
    """Taps, strides and dilations along rows and columns."""

    taps: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]

    @staticmethod
    def of(node: Node) -> Window:
        return Window(*(tuple(node[name]) for name in ("taps", "strides", "dilations")))

    @property
    def attributes(self) -> str:
        """As named operations have them."""
        return (
            f"{{dilations = dense<{list(self.dilations)}> : tensor<2xi64>, "
            f"strides = dense<{list(self.strides)}> : tensor<2xi64>}}"
        )

    @property
    def places(self) -> tuple[str, str]:
        """Row and column of the data in a map over h, w, u, v."""
        (a, b), (c, d) = self.strides, self.dilations
        return f"h * {a} + u * {c}", f"w * {b} + v * {d}"

    def over(self, images: NDArray[Any]) -> list[tuple[int, int, NDArray[Any]]]:
        """For each tap its shifted NCHW images. Raises `UnfitError` where the window does not fit."""
        extents = [
            (images.shape[2 + i] - self.dilations[i] * (self.taps[i] - 1) - 1) // self.strides[i] + 1 for i in (0, 1)
        ]
        if min(extents) < 1:
            raise UnfitError("a window larger than its image")
        return [
            (u, v, images[:, :, u * self.dilations[0] :: self.strides[0], v * self.dilations[1] :: self.strides[1]][
                :, :, : extents[0], : extents[1]
            ])
            for u in range(self.taps[0])
            for v in range(self.taps[1])
        ]  # fmt: skip


def draw_window(random: Random, features: frozenset[str], taps: Sequence[list[int]]) -> Node:
    """Window parameters; rows and columns differ in cases that have it."""
    stride = random.choice([1, 1, 2, 3]) if "strides" in features else 1
    dilation = random.choice([1, 1, 2, 3]) if "dilation" in features else 1
    uneven = "uneven" in features and random.random() < 0.5
    return {
        "taps": random.choice(list(taps)),
        "strides": [stride, random.choice([1, 2, 3]) if uneven and "strides" in features else stride],
        "dilations": [dilation, random.choice([1, 2]) if uneven and "dilation" in features else dilation],
        "pads": draw_pads(random, features),
    }


def draw_pads(random: Random, features: frozenset[str]) -> list[int]:
    """Top, left, bottom, right; sometimes up to and beyond the 4 bits that an instruction has for them."""
    if "pads" not in features:
        return [0, 0, 0, 0]
    if "limits" in features and random.random() < 0.1:
        return [random.choice([0, 14, 15, 16, 17]) for _ in range(4)]
    return [1] * 4 if random.random() < 0.5 else [random.randrange(3) for _ in range(4)]


def padded(network: Network, name: str, value: Value, node: Node, number: int) -> tuple[Value, Array]:
    """An image with a number around rows and columns."""
    array, pads, layout = network.results[value.name], node["pads"], node["layout"]
    if not any(pads):
        return value, array
    top, left, bottom, right = pads
    low, high = placed(layout, 0, top, left), placed(layout, 0, bottom, right)
    shape = tuple(extent + a + b for extent, a, b in zip(value.shape, low, high, strict=True))
    result = Value(name, shape, value.element)
    network.lines += [
        f"  %{name}_z = arith.constant {number} : {value.element}",
        f"  %{name} = tensor.pad %{value.name} low{low} high{high} {{",
        "  ^bb0(%q0: index, %q1: index, %q2: index, %q3: index):",
        f"    tensor.yield %{name}_z : {value.element}",
        f"  }} : {value.kind} to {result.kind}",
    ]
    return result, np.pad(array, list(zip(low, high, strict=True)), constant_values=number)


def stretched(network: Network, name: str, value: Value, node: Node, number: int) -> Value:
    """An image with `node["stretch"] - 1` rows and columns of a number between its own: the way to a transposed
    convolution."""
    step, layout = node["stretch"], node["layout"]
    if step == 1:
        return value
    steps = placed(layout, 1, step, step)
    shape = tuple((extent - 1) * by + 1 for extent, by in zip(value.shape, steps, strict=True))
    result = Value(name, shape, value.element)
    array = np.full(shape, number, network.results[value.name].dtype)
    array[tuple(slice(None, None, by) for by in steps)] = network.results[value.name]
    lines = [
        *started(result, number),
        f"  %{name} = tensor.insert_slice %{value.name} into %{name}_i[0, 0, 0, 0] {list(value.shape)} {steps} : "
        f"{value.kind} into {result.kind}",
    ]
    return network.define(result, lines, array)
