"""Forms that frontends print around operations: upsampling, images out of rows, arithmetic on tensors, loops."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuzz.networks import Network, Node, Value, wrapped
from fuzz.operations.images import draw_layout
from fuzz.operations.operation import pick
from fuzz.operations.steps import meaning_of
from fuzz.operations.text import iterators, maps
from fuzz.outcome import UnfitError

_REPEATED = {
    "nchw": ("n, c, h, w", "n, c, h, i, w, j", "[[0], [1], [2, 3], [4, 5]]", (2, 3)),
    "nhwc": ("n, h, w, c", "n, h, i, w, j, c", "[[0], [1, 2], [3, 4], [5]]", (1, 2)),
}
"""Where an image is read, all loops over it and its repetitions, what becomes one dimension, and rows and columns."""


class Upsample:
    """Each row and column several times: the nearest of a larger image's."""

    feature = "upsample"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8", (4,))
        if source is None:
            return None
        factors = random.choice([[2, 2], [2, 2], [1, 2], [3, 1], [2, 3]])
        return {"args": [source.name], "layout": draw_layout(random, features), "factors": factors}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        if len(source.shape) != 4:
            raise UnfitError("upsampling of what is no image")
        read, loops, groups, axes = _REPEATED[node["layout"]]
        array, wide = network.results[source.name], list[int]()
        for dim, extent in enumerate(source.shape):
            wide += [extent, node["factors"][axes.index(dim)]] if dim in axes else [extent]
        for dim, factor in zip(axes, node["factors"], strict=True):
            array = np.repeat(array, factor, dim)
        result, name = Value(node["name"], array.shape, source.element), node["name"]
        repeated = Value(f"{name}_r", tuple(wide), source.element)
        access = maps(read, loops, dims=loops)
        lines = [
            f"  %{name}_e = tensor.empty() : {repeated.kind}",
            f"  %{name}_r = linalg.generic {{{access}, {iterators(6)}}} ins(%{source.name} : {source.kind}) "
            f"outs(%{name}_e : {repeated.kind}) {{",
            f"  ^bb0(%a: {source.element}, %o: {source.element}):",
            f"    linalg.yield %a : {source.element}",
            f"  }} -> {repeated.kind}",
            f"  %{name} = tensor.collapse_shape %{name}_r {groups} : {repeated.kind} into {result.kind}",
        ]
        network.define(result, lines, array)


class Unflatten:
    """Rows as images: channels, rows and columns out of one dimension."""

    feature = "flatten"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8", (2,))
        sizes = [
            (h, w) for h in (1, 2, 3, 4) for w in (1, 2, 4) if source is not None and source.shape[1] % (h * w) == 0
        ]
        return None if source is None else {"args": [source.name], "size": list(random.choice(sizes))}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        rows, columns = node["size"]
        if len(source.shape) != 2 or source.shape[1] % (rows * columns):
            raise UnfitError("rows that are no images of that size")
        shape = (source.shape[0], source.shape[1] // (rows * columns), rows, columns)
        result = Value(node["name"], shape, source.element)
        line = f"  %{result.name} = tensor.expand_shape %{source.name} [[0], [1, 2, 3]] output_shape {list(shape)} : "
        network.define(result, [f"{line}{source.kind} into {result.kind}"], network.results[source.name].reshape(shape))


class TensorArithmetic:
    """An operation of `arith` on whole tensors: two values of one shape, or one and a constant."""

    feature = "tensor_arithmetic"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i32")
        if source is None:
            return None
        partners = [value.name for value in values if (value.shape, value.element) == (source.shape, "i32")]
        operator = random.choice(["addi", "addi", "subi", "maxsi", "minsi", "shrsi", "muli", "select"])
        number = random.choice([1, 3, 7]) if operator in ("shrsi", "muli") else random.choice([0, 1, -70000, 5])
        pair = operator not in ("shrsi", "muli") and random.random() < 0.5
        return {
            "args": [source.name, *([random.choice(partners)] if pair else [])],
            "operator": operator,
            "number": number,
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        first, name, operator = args[0], node["name"], node["operator"]
        if len({value.shape for value in args}) > 1 or any(value.element != "i32" for value in args):
            raise UnfitError("arithmetic on different shapes")
        array: NDArray[Any] = network.results[first.name]
        result, second = Value(name, first.shape, "i32"), f"%{args[-1].name}"
        other: NDArray[Any] = network.results[args[-1].name]
        lines: list[str] = []
        if len(args) == 1:
            lines, second = [f"  %{name}_c = arith.constant dense<{node['number']}> : {first.kind}"], f"%{name}_c"
            other = np.full(first.shape, node["number"], np.int32)
        if operator == "select":
            flags = f"tensor<{'x'.join([*map(str, first.shape), 'i1'])}>"
            lines.append(f"  %{name}_p = arith.cmpi sgt, %{first.name}, {second} : {first.kind}")
            lines.append(f"  %{name} = arith.select %{name}_p, %{first.name}, {second} : {flags}, {first.kind}")
            network.define(result, lines, np.where(array > other, array, other))
            return
        lines.append(f"  %{name} = arith.{operator} %{first.name}, {second} : {first.kind}")
        network.define(result, lines, wrapped(meaning_of(operator, array, other)))


class Loop:
    """`scf.for` of constant bounds around a sum, which a value goes through in every iteration."""

    feature = "loops"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i32")
        if source is None:
            return None
        return {
            "args": [source.name],
            "trips": random.choice([0, 1, 2, 3, 5]),
            "step": random.choice([1, 1, 2]),
            "number": random.choice([1, -3, 100000]),
            "indexed": random.random() < 0.5,
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        name, trips, step = node["name"], node["trips"], node["step"]
        if source.element != "i32" or (node["indexed"] and not 0 < trips * step <= source.shape[0]):
            raise UnfitError("more iterations than there are slices")
        array: NDArray[Any] = network.results[source.name]
        shape = (1, *source.shape[1:]) if node["indexed"] else source.shape
        result = Value(name, shape, "i32")
        ends = [
            f"  %{name}_{end} = arith.constant {at} : index"
            for end, at in zip("abs", (0, trips * step, step), strict=True)
        ]
        start, total = f"%{source.name}", array.astype(np.int64)
        body = [f"    %{name}_y = arith.addi %{name}_t, %{name}_c : {result.kind}"]
        if node["indexed"]:
            ends.append(f"  %{name}_0 = arith.constant dense<{node['number']}> : {result.kind}")
            start, total = f"%{name}_0", node["number"] + total[: trips * step : step].sum(0, keepdims=True)
            rest = ", ".join(["0"] * (len(shape) - 1))
            offsets = f"[%{name}_i{', ' * bool(rest)}{rest}]"
            body = [
                f"    %{name}_x = tensor.extract_slice %{source.name}{offsets} {list(shape)} {[1] * len(shape)} : "
                f"{source.kind} to {result.kind}",
                f"    %{name}_y = arith.addi %{name}_t, %{name}_x : {result.kind}",
            ]
        else:
            ends.append(f"  %{name}_c = arith.constant dense<{node['number']}> : {result.kind}")
            total = total + trips * node["number"]
        head = f"  %{name} = scf.for %{name}_i = %{name}_a to %{name}_b step %{name}_s "
        head += f"iter_args(%{name}_t = {start}) -> ({result.kind}) {{"
        network.define(result, [*ends, head, *body, f"    scf.yield %{name}_y : {result.kind}", "  }"], wrapped(total))
