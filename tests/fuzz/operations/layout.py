"""Operations that move elements: transposes, slices, insertions, concatenations."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import cast

import numpy as np

from fuzz.networks import Network, Node, Value
from fuzz.operations.operation import pick_any
from fuzz.operations.text import started
from fuzz.outcome import UnfitError


class Transpose:
    """Any order of the dimensions."""

    feature = "transpose"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick_any(random, values)
        if source is None:
            return None
        rank = len(source.shape)
        usual = [[0, 2, 3, 1], [0, 3, 1, 2]] if rank == 4 else [list(range(rank))[::-1]]
        order = random.choice(usual) if random.random() < 0.5 else random.sample(range(rank), rank)
        return {"args": [source.name], "order": order}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        order = node["order"]
        if len(order) != len(source.shape):
            raise UnfitError("an order of other dimensions")
        array = np.ascontiguousarray(network.results[source.name].transpose(order))
        result = Value(node["name"], array.shape, source.element)
        lines = [
            f"  %{result.name}_e = tensor.empty() : {result.kind}",
            f"  %{result.name} = linalg.transpose ins(%{source.name} : {source.kind}) outs(%{result.name}_e : "
            f"{result.kind}) permutation = {order}",
        ]
        network.define(result, lines, array)


class Slice:
    """A part of a value, every element or every second one."""

    feature = "slice"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick_any(random, values)
        if source is None:
            return None
        offsets = [random.randrange(extent) if random.random() < 0.4 else 0 for extent in source.shape]
        return {"args": [source.name], "offsets": offsets, "steps": [random.choice([1, 1, 1, 2]) for _ in offsets]}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        offsets, steps = node["offsets"], node["steps"]
        if len(offsets) != len(source.shape) or any(o >= e for o, e in zip(offsets, source.shape, strict=True)):
            raise UnfitError("a slice outside of its value")
        cut = tuple(slice(offset, None, step) for offset, step in zip(offsets, steps, strict=True))
        array = np.ascontiguousarray(network.results[source.name][cut])
        result = Value(node["name"], array.shape, source.element)
        line = f"  %{result.name} = tensor.extract_slice %{source.name}{offsets} {list(array.shape)} {steps} : "
        network.define(result, [f"{line}{source.kind} to {result.kind}"], array)


class Insert:
    """A value put into a larger tensor of one number: padding at any side, with elements between."""

    feature = "insert"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick_any(random, values)
        if source is None:
            return None
        rank = len(source.shape)
        return {
            "args": [source.name],
            "offsets": [random.choice([0, 0, 0, 1, 3]) for _ in range(rank)],
            "steps": [random.choice([1, 1, 1, 1, 2]) for _ in range(rank)],
            "more": [random.choice([0, 0, 0, 1, 2]) for _ in range(rank)],
            "number": random.choice([0, 0, 1, -128]),
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        offsets, steps, more = node["offsets"], node["steps"], node["more"]
        if len(offsets) != len(source.shape):
            raise UnfitError("an insertion of another rank")
        ends = [o + (e - 1) * s + 1 for o, e, s in zip(offsets, source.shape, steps, strict=True)]
        shape = tuple(end + extra for end, extra in zip(ends, more, strict=True))
        result = Value(node["name"], shape, source.element)
        array = np.full(shape, node["number"], network.results[source.name].dtype)
        array[tuple(slice(o, e, s) for o, e, s in zip(offsets, ends, steps, strict=True))] = network.results[
            source.name
        ]
        line = f"  %{result.name} = tensor.insert_slice %{source.name} into %{result.name}_i{offsets} "
        line += f"{list(source.shape)} {steps} : {source.kind} into {result.kind}"
        network.define(result, [*started(result, node["number"]), line], array)


class Concatenate:
    """Two values side by side along any dimension: by `tensor.concat`, or inserted into an empty tensor."""

    feature = "concatenate"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        first = pick_any(random, values)
        if first is None:
            return None
        rank = len(first.shape)
        channels = random.choice([1, rank - 1]) if rank > 1 else 0
        dim = random.randrange(rank) if "anywhere" in features and random.random() < 0.5 else channels
        others = [value for value in values if _beside(first, value, dim)]
        return {
            "args": [first.name, random.choice(others).name],
            "dim": dim,
            "form": random.choice(["concat", "insert"]),
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        dim = cast(int, node["dim"])
        if dim >= len(args[0].shape) or not _beside(args[0], args[1], dim):
            raise UnfitError("values that cannot stand side by side")
        array = np.concatenate([network.results[value.name] for value in args], dim)
        result = Value(node["name"], array.shape, args[0].element)
        if node["form"] == "concat":
            names = ", ".join(f"%{value.name}" for value in args)
            kinds = ", ".join(value.kind for value in args)
            line = f"  %{result.name} = tensor.concat dim({dim}) {names} : ({kinds}) -> {result.kind}"
            network.define(result, [line], array)
            return
        lines, last, offset = [f"  %{result.name}_e = tensor.empty() : {result.kind}"], f"%{result.name}_e", 0
        for number, value in enumerate(args):
            offsets = [offset if at == dim else 0 for at in range(len(value.shape))]
            target = f"%{result.name}" if number else f"%{result.name}_1"
            lines.append(
                f"  {target} = tensor.insert_slice %{value.name} into {last}{offsets} {list(value.shape)} "
                f"{[1] * len(offsets)} : {value.kind} into {result.kind}"
            )
            last, offset = target, offset + value.shape[dim]
        network.define(result, lines, array)


def _beside(first: Value, second: Value, dim: int) -> bool:
    return (
        first.element == second.element
        and len(first.shape) == len(second.shape)
        and all(a == b for i, (a, b) in enumerate(zip(first.shape, second.shape, strict=True)) if i != dim)
    )
