"""Poolings: by name and as generics, of i8 and i32, and reductions over whole dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuzz.networks import Network, Node, Value, wrapped
from fuzz.operations.images import Window, draw_layout, draw_window, from_nchw, in_layout, padded, placed, to_nchw
from fuzz.operations.operation import pick, pick_any
from fuzz.operations.text import iterators, letters, maps, named, reduction, started
from fuzz.outcome import UnfitError

_LOWEST = {"i8": -128, "i32": -(1 << 31)}


class Pool:
    """The largest element of each window, or the sum as i32 (averages are sums that are requantised)."""

    feature = "pooling"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, random.choice(["i8", "i8", "i8", "i32"]), (4,))
        if source is None:
            return None
        layout = draw_layout(random, features)
        node: Node = {
            "args": [source.name],
            "layout": layout,
            "kind": random.choice(["max", "sum"]),
            **draw_window(random, features, ([2, 2], [3, 3], [1, 2], [3, 2])),
            "form": random.choice(["named", "generic"]) if "generic" in features else "named",
        }
        if random.random() < 0.3:
            rows, columns = source.shape[1:3] if layout == "nhwc" else source.shape[2:]
            node |= {"taps": [rows, columns], "strides": [1, 1], "dilations": [1, 1], "pads": [0] * 4}
        return node

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        if len(source.shape) != 4:
            raise UnfitError("a pooling of what is no image")
        largest = node["kind"] == "max"
        number = _LOWEST[source.element] if largest else 0
        data, array = padded(network, f"{node['name']}_p", source, node, number)
        window = Window.of(node)
        images = np.stack([shifted for _, _, shifted in window.over(to_nchw(array, node["layout"]))])
        found = from_nchw(images.max(0) if largest else wrapped(images.astype(np.int64).sum(0)), node["layout"])
        result = Value(node["name"], found.shape, source.element if largest else "i32")
        shape = Value(f"{node['name']}_k", tuple(node["taps"]), result.element)
        lines = [*started(result, number), f"  %{shape.name} = tensor.empty() : {shape.kind}"]
        network.define(result, [*lines, *_pooled(node, data, shape, result)], found)


def _pooled(node: Node, data: Value, shape: Value, result: Value) -> list[str]:
    layout, window, start = node["layout"], Window.of(node), f"{result.name}_i"
    if node["form"] == "named" and data.element == result.element:
        op = f"linalg.pooling_{layout}_{node['kind']}"
        return named(result, op, [data, shape], start, attributes=window.attributes)
    access = maps(
        in_layout(layout, "n", "c", *window.places),
        "u, v",
        in_layout(layout, "n", "c", "h", "w"),
        dims="n, c, h, w, u, v",
    )
    body = _body(node["kind"], data.element, result.element)
    return reduction(result, [data, shape], access, iterators(4, 2), body, start)


def _body(kind: str, given: str, element: str) -> list[str]:
    if kind == "max":
        return [f"%y = arith.maxsi %acc, %a0 : {element}"]
    if given == element:
        return [f"%y = arith.addi %acc, %a0 : {element}"]
    return ["%w = arith.extsi %a0 : i8 to i32", "%y = arith.addi %acc, %w : i32"]


class Reduce:
    """Sums or largest elements over whole dimensions: global means, sums of rows."""

    feature = "reductions"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick_any(random, values)
        if source is None or len(source.shape) < 2:
            return None
        rank = len(source.shape)
        dims = random.sample(range(rank), random.randint(1, rank - 1))
        if rank == 4 and random.random() < 0.7:
            dims = [dim for dim, kept in enumerate(placed(draw_layout(random, features), 0, 1, 1)) if kept]
        return {
            "args": [source.name],
            "dims": sorted(dims),
            "kind": random.choice(["sum", "sum", "max"]),
            "kept": random.random() < 0.3,
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        dims, largest = tuple(node["dims"]), node["kind"] == "max"
        rank = len(source.shape)
        if rank <= len(dims) or rank <= max(dims):
            raise UnfitError("a reduction of all dimensions")
        array: NDArray[Any] = network.results[source.name]
        if largest:
            found = array.max(axis=dims, keepdims=node["kept"])
        else:
            found = wrapped(array.astype(np.int64).sum(axis=dims, keepdims=node["kept"]))
        result = Value(node["name"], found.shape, source.element if largest else "i32")
        kept = [f"d{dim}" if dim not in dims else "0" for dim in range(rank)]
        out = ", ".join(kept if node["kept"] else [one for one in kept if one != "0"])
        kinds = ", ".join('"reduction"' if dim in dims else '"parallel"' for dim in range(rank))
        access = maps(letters(rank), out, dims=letters(rank))
        body = _body(node["kind"], source.element, result.element)
        lines = reduction(result, [source], access, f"iterator_types = [{kinds}]", body, f"{result.name}_i")
        network.define(result, [*started(result, _LOWEST[source.element] if largest else 0), *lines], found)
