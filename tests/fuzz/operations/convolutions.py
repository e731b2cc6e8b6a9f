"""Convolutions: by groups, by channel, of stretched images, with zero points; named and generic, in both layouts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fuzz.networks import Array, Network, Node, Value
from fuzz.operations.images import (
    Window,
    channels_of,
    draw_layout,
    draw_window,
    from_nchw,
    in_layout,
    padded,
    stretched,
    to_nchw,
)
from fuzz.operations.operation import parameter, pick
from fuzz.operations.starts import draw_start, finish
from fuzz.operations.text import iterators, maps, named, product_body, reduction, scalar
from fuzz.outcome import UnfitError

_TAPS = ([1, 1], [3, 3], [3, 3], [2, 2], [1, 3], [5, 5], [3, 1])
_NAMES = {"fcuv": "nchw_fchw", "uvcf": "nhwc_hwcf", "fuvc": "nhwc_fhwc"}
"""Orders of weights (features, channels, taps) and the named operations that have them."""
_DEPTHWISE = {"nchw": ("cuv", "nchw_chw"), "nhwc": ("uvc", "nhwc_hwc")}


class Convolution:
    """A convolution in groups of channels, `groups` 1 for the usual one."""

    feature = "convolution"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8", (4,))
        if source is None:
            return None
        layout = draw_layout(random, features)
        channels = channels_of(source, layout)
        groups = 1
        if "groups" in features and random.random() < 0.4:
            groups = random.choice([g for g in range(1, channels + 1) if channels % g == 0])
        per_group = random.choice([1, 1, 2, 4]) if groups > 1 else random.choice([1, 3, 4, 7, 8, 9, 16, 17])
        zeros = _draw_zeros(random, features)
        return {
            "args": [source.name],
            "layout": layout,
            **draw_window(random, features, _TAPS),
            "stretch": random.choice([1, 2, 3]) if "stretch" in features and random.random() < 0.4 else 1,
            "groups": groups,
            "channels": groups * per_group,
            "order": "fcuv" if layout == "nchw" else random.choice(["uvcf", "fuvc"]),
            "form": random.choice(["named", "named", "generic"]) if "generic" in features else "named",
            "zeros": list(zeros),
            "weights": parameter(random, features),
            "start": draw_start(random, features),
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        layout, groups = node["layout"], node["groups"]
        data, array = _prepared(network, node, args[0])
        channels = channels_of(data, layout)
        if channels % groups or node["channels"] % groups or len(data.shape) != 4:
            raise UnfitError("groups that do not divide the channels")
        order = node["order"]
        extents = {"f": node["channels"], "c": channels // groups, "u": node["taps"][0], "v": node["taps"][1]}
        shape = [extents[letter] for letter in order]
        weights, numbers = network.parameter(f"{node['name']}_w", shape, "i8", node["weights"])
        kernel = numbers.transpose([order.index(letter) for letter in "fcuv"])
        total = from_nchw(_convolved(to_nchw(array, layout), kernel, node), layout)
        finish(network, node, total, 3 if layout == "nhwc" else 1, partial(_written, node, data, weights))


def _draw_zeros(random: Random, features: frozenset[str]) -> tuple[int, int]:
    """Zero points of data and weights."""
    if "zero_points" not in features or random.random() < 0.5:
        return 0, 0
    return random.choice([-128, -3, 5, 127]), random.choice([0, 0, 0, 1, -128, 2])


def _prepared(network: Network, node: Node, source: Value) -> tuple[Value, Array]:
    if len(source.shape) != 4:
        raise UnfitError("a convolution of what is no image")
    wide = stretched(network, f"{node['name']}_s", source, node, node["zeros"][0])
    return padded(network, f"{node['name']}_p", wide, node, node["zeros"][0])


def _convolved(images: NDArray[Any], kernel: NDArray[Any], node: Node) -> NDArray[np.int64]:
    """NCHW images and (F, C / G, U, V) weights to sums; in double precision, which holds them exactly."""
    groups, (zero, weight_zero) = node["groups"], node["zeros"]
    per_group, share = images.shape[1] // groups, kernel.shape[0] // groups
    taps = Window.of(node).over(images)
    total = np.zeros((images.shape[0], kernel.shape[0], *taps[0][2].shape[2:]))
    for group in range(groups):
        block = slice(group * per_group, (group + 1) * per_group)
        rows = slice(group * share, (group + 1) * share)
        for u, v, shifted in taps:
            part = shifted[:, block].astype(np.float64) - zero
            product = np.tensordot(kernel[rows, :, u, v].astype(np.float64) - weight_zero, part, axes=(1, 1))
            total[:, rows] += product.transpose(1, 0, 2, 3)
    return total.astype(np.int64)


def _written(node: Node, data: Value, weights: Value, result: Value, start: str) -> list[str]:
    zero, weight_zero = node["zeros"]
    window = Window.of(node)
    if node["form"] == "named" and node["groups"] == 1 and result.element == "i32":
        op = f"linalg.conv_2d_{_NAMES[node['order']]}"
        if not zero and not weight_zero:
            return named(result, op, [data, weights], start, attributes=window.attributes)
        name = result.name
        scalars = [scalar(f"{name}_zx", zero), scalar(f"{name}_zw", weight_zero)]
        quantised = named(
            result,
            f"{op}_q",
            [data, weights],
            start,
            attributes=window.attributes,
            scalars=[f"{name}_zx", f"{name}_zw"],
        )
        return [*scalars, *quantised]
    share = node["channels"] // node["groups"]
    per_group = weights.shape[cast(str, node["order"]).index("c")]
    channel = "c" if node["groups"] == 1 else f"(f floordiv {share}) * {per_group} + c"
    access = maps(
        in_layout(node["layout"], "n", channel, *window.places),
        ", ".join(node["order"]),
        in_layout(node["layout"], "n", "f", "h", "w"),
        dims="n, f, h, w, c, u, v",
    )
    body = product_body((zero, weight_zero), result.element)
    return reduction(result, [data, weights], access, iterators(4, 3), body, start)


class Depthwise:
    """One filter per channel, by name or as a generic."""

    feature = "depthwise"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8", (4,))
        if source is None:
            return None
        return {
            "args": [source.name],
            "layout": draw_layout(random, features),
            **draw_window(random, features, _TAPS[1:]),
            "stretch": 1,
            "form": random.choice(["named", "named", "generic"]) if "generic" in features else "named",
            "zeros": list(_draw_zeros(random, features)),
            "weights": parameter(random, features),
            "start": draw_start(random, features),
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        layout = node["layout"]
        data, array = _prepared(network, node, args[0])
        order = _DEPTHWISE[layout][0]
        extents = {"c": channels_of(data, layout), "u": node["taps"][0], "v": node["taps"][1]}
        shape = [extents[letter] for letter in order]
        weights, numbers = network.parameter(f"{node['name']}_w", shape, "i8", node["weights"])
        kernel = numbers.transpose([order.index(letter) for letter in "cuv"])[:, None]
        whole = {**node, "groups": extents["c"]}
        total = from_nchw(_convolved(to_nchw(array, layout), kernel, whole), layout)
        finish(network, node, total, 3 if layout == "nhwc" else 1, partial(_by_channel, node, data, weights))


def _by_channel(node: Node, data: Value, weights: Value, result: Value, start: str) -> list[str]:
    layout, (zero, weight_zero) = node["layout"], node["zeros"]
    order, suffix = _DEPTHWISE[layout]
    window, name = Window.of(node), result.name
    is_quantised = bool(zero or weight_zero)
    if node["form"] == "named" and result.element == "i32" and (layout == "nhwc" or not is_quantised):
        op = f"linalg.depthwise_conv_2d_{suffix}"
        if not is_quantised:
            return named(result, op, [data, weights], start, attributes=window.attributes)
        scalars = [scalar(f"{name}_zx", zero), scalar(f"{name}_zw", weight_zero)]
        names = [f"{name}_zx", f"{name}_zw"]
        return [
            *scalars,
            *named(result, f"{op}_q", [data, weights], start, attributes=window.attributes, scalars=names),
        ]
    access = maps(
        in_layout(layout, "n", "c", *window.places),
        ", ".join(order),
        in_layout(layout, "n", "c", "h", "w"),
        dims="n, c, h, w, u, v",
    )
    body = product_body((zero, weight_zero), result.element)
    return reduction(result, [data, weights], access, iterators(4, 2), body, start)
