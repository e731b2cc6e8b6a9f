"""Poolings, and operations that move elements."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from fuzz.networks import Network, Node, Value, wrapped
from fuzz.operations.operation import draw_pads, pick
from fuzz.operations.text import iterators, maps, padded, started, windows
from fuzz.outcome import UnfitError


class Pool:
    """Max pooling of i8, or sums of i8 windows as i32."""

    feature = "pooling"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8", (4,))
        if source is None:
            return None
        whole = random.random() < 0.3
        return {
            "args": [source.name],
            "kind": random.choice(["max", "sum"]),
            "taps": list(source.shape[2:]) if whole else random.choice([[2, 2], [3, 3], [1, 2], [3, 2]]),
            "stride": 1 if whole else random.choice([1, 2, 2, 3]),
            "pads": [0] * 4 if whole else draw_pads(random, features),
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        largest = node["kind"] == "max"
        data, array = padded(network, f"{node['name']}_p", source, node["pads"], -128 if largest else 0)
        images = np.stack([image for row in windows(array, tuple(node["taps"]), node["stride"], 1) for image in row])
        found = images.max(0) if largest else wrapped(images.astype(np.int64).sum(0))
        result = Value(node["name"], found.shape, "i8" if largest else "i32")
        window = Value(f"{node['name']}_k", tuple(node["taps"]), result.element)
        name, stride = result.name, node["stride"]
        rows = f"n, c, h * {stride} + u, w * {stride} + v"
        body = (
            ["%y = arith.maxsi %acc, %a : i8"]
            if largest
            else ["%x = arith.extsi %a : i8 to i32", "%y = arith.addi %acc, %x : i32"]
        )
        lines = [
            *started(result, -128 if largest else 0),
            f"  %{window.name} = tensor.empty() : {window.kind}",
            f"  %{name} = linalg.generic {{{maps(rows, 'u, v', 'n, c, h, w', dims='n, c, h, w, u, v')}, "
            f"{iterators(4, 2)}}} ins(%{data.name}, %{window.name} : {data.kind}, {window.kind}) "
            f"outs(%{name}_i : {result.kind}) {{",
            f"  ^bb0(%a: i8, %b: {window.element}, %acc: {result.element}):",
            *(f"    {line}" for line in body),
            f"    linalg.yield %y : {result.element}",
            f"  }} -> {result.kind}",
        ]
        network.define(result, lines, found)


class Transpose:
    """Any order of the dimensions."""

    feature = "transpose"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, random.choice(["i8", "i8", "i32"]))
        if source is None:
            return None
        return {"args": [source.name], "order": random.sample(range(len(source.shape)), len(source.shape))}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        order = node["order"]
        array = np.ascontiguousarray(network.results[source.name].transpose(order))
        result = Value(node["name"], array.shape, source.element)
        lines = [
            f"  %{result.name}_e = tensor.empty() : {result.kind}",
            f"  %{result.name} = linalg.transpose ins(%{source.name} : {source.kind}) outs(%{result.name}_e : "
            f"{result.kind}) permutation = [{', '.join(map(str, order))}]",
        ]
        network.define(result, lines, array)


class Slice:
    """A part of a value, every element or every second one."""

    feature = "slice"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8")
        if source is None:
            return None
        offsets = [random.randrange(extent) if random.random() < 0.4 else 0 for extent in source.shape]
        return {"args": [source.name], "offsets": offsets, "steps": [random.choice([1, 1, 1, 2]) for _ in offsets]}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        offsets, steps = node["offsets"], node["steps"]
        if any(offset >= extent for offset, extent in zip(offsets, source.shape, strict=True)):
            raise UnfitError("a slice outside of its value")
        cut = tuple(slice(offset, None, step) for offset, step in zip(offsets, steps, strict=True))
        array = np.ascontiguousarray(network.results[source.name][cut])
        result = Value(node["name"], array.shape, source.element)
        shown = [", ".join(map(str, numbers)) for numbers in (offsets, array.shape, steps)]
        line = f"  %{result.name} = tensor.extract_slice %{source.name}[{shown[0]}] [{shown[1]}] [{shown[2]}] : "
        network.define(result, [f"{line}{source.kind} to {result.kind}"], array)


class Concatenate:
    """Two values of one rank side by side along the channels, by insertion into an empty tensor."""

    feature = "concatenate"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        first = pick(random, values, "i8")
        if first is None or len(first.shape) < 2:
            return None
        partners = [v for v in values if v.element == "i8" and _beside(first, v)]
        return {"args": [first.name, random.choice(partners).name]} if partners else None

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        first, second = args
        if not _beside(first, second):
            raise UnfitError("a concatenation of different shapes")
        array = np.concatenate([network.results[value.name] for value in args], 1)
        result = Value(node["name"], array.shape, "i8")
        lines, last, offset = [f"  %{result.name}_e = tensor.empty() : {result.kind}"], f"%{result.name}_e", 0
        for number, value in enumerate(args):
            rank = len(value.shape)
            offsets = ", ".join(["0", str(offset), *["0"] * (rank - 2)])
            target = f"%{result.name}" if number else f"%{result.name}_1"
            lines.append(
                f"  {target} = tensor.insert_slice %{value.name} into {last}[{offsets}] "
                f"[{', '.join(map(str, value.shape))}] [{', '.join(['1'] * rank)}] : {value.kind} into {result.kind}"
            )
            last, offset = target, offset + value.shape[1]
        network.define(result, lines, array)


def _beside(first: Value, second: Value) -> bool:
    return len(first.shape) == len(second.shape) >= 2 and all(
        a == b for i, (a, b) in enumerate(zip(first.shape, second.shape, strict=True)) if i != 1
    )


class Flatten:
    """All dimensions behind the first as one."""

    feature = "flatten"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8", (4,))
        return None if source is None or random.random() < 0.5 else {"args": [source.name]}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        if len(source.shape) != 4:
            raise UnfitError("only images are flattened")
        array = network.results[source.name].reshape(source.shape[0], -1)
        result = Value(node["name"], array.shape, source.element)
        line = f"  %{result.name} = tensor.collapse_shape %{source.name} [[0], [1, 2, 3]] : "
        network.define(result, [f"{line}{source.kind} into {result.kind}"], array)
