"""Operations that take elements at known places: `tensor.extract` at computed indices, channels in turn."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import cast

import numpy as np

from fuzz.networks import Network, Node, Value
from fuzz.operations.operation import pick, pick_any
from fuzz.operations.text import iterators, letters, maps
from fuzz.outcome import UnfitError


class Gather:
    """Elements along one dimension: each of them several times, backwards, or those of a constant list."""

    feature = "gather"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick_any(random, values)
        if source is None or not source.shape:
            return None
        dim = random.randrange(len(source.shape))
        extent = source.shape[dim]
        form = random.choice(["repeat", "repeat", "flip", "list"])
        count = random.randint(1, min(2 * extent, 40))
        places = [random.randrange(extent) for _ in range(count)] if form == "list" else []
        return {"args": [source.name], "dim": dim, "form": form, "times": random.choice([2, 2, 3]), "places": places}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        dim, times, rank = cast(int, node["dim"]), cast(int, node["times"]), len(source.shape)
        if dim >= rank:
            raise UnfitError("a dimension that is gone")
        extent = source.shape[dim]
        places = {
            "repeat": [at // times for at in range(extent * times)],
            "flip": [extent - 1 - at for at in range(extent)],
            "list": [place % extent for place in node["places"]],
        }[node["form"]]
        array = np.ascontiguousarray(network.results[source.name].take(places, dim))
        result = Value(node["name"], array.shape, source.element)
        network.define(result, _extracting(source, result, node, places), array)


class Shuffle:
    """Channels as a grid, transposed: those of each group in turn."""

    feature = "shuffle"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8")
        if source is None or len(source.shape) not in (2, 4):
            return None
        dim = 1 if random.random() < 0.7 else len(source.shape) - 1
        groups = [n for n in range(2, source.shape[dim]) if source.shape[dim] % n == 0]
        return {"args": [source.name], "dim": dim, "groups": random.choice(groups)} if groups else None

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        dim, groups, name = cast(int, node["dim"]), cast(int, node["groups"]), cast(str, node["name"])
        shape, rank = source.shape, len(source.shape)
        if dim >= rank or shape[dim] % groups:
            raise UnfitError("channels that are no grid of so many groups")
        split = [[at + (at > dim)] if at != dim else [dim, dim + 1] for at in range(rank)]
        order = [*range(dim), dim + 1, dim, *range(dim + 2, rank + 1)]
        grid = Value(f"{name}_g", (*shape[:dim], groups, shape[dim] // groups, *shape[dim + 1 :]), source.element)
        turned = Value(f"{name}_t", tuple(grid.shape[at] for at in order), source.element)
        result = Value(name, shape, source.element)
        array = network.results[source.name].reshape(grid.shape).transpose(order).reshape(shape)
        lines = [
            f"  %{grid.name} = tensor.expand_shape %{source.name} {split} output_shape {list(grid.shape)} : "
            f"{source.kind} into {grid.kind}",
            f"  %{name}_e = tensor.empty() : {turned.kind}",
            f"  %{turned.name} = linalg.transpose ins(%{grid.name} : {grid.kind}) outs(%{name}_e : {turned.kind}) "
            f"permutation = {order}",
            f"  %{name} = tensor.collapse_shape %{turned.name} {split} : {turned.kind} into {result.kind}",
        ]
        network.define(result, lines, np.ascontiguousarray(array))


def _extracting(source: Value, result: Value, node: Node, places: Sequence[int]) -> list[str]:
    """A linalg.generic whose body computes, or reads, the place along one dimension."""
    name, rank, dim = result.name, len(source.shape), node["dim"]
    read, kinds, arguments, maps_of = "", "", "", [letters(rank)]
    lines = [f"  %{name}_e = tensor.empty() : {result.kind}"]
    if node["form"] == "list":
        listed = f"tensor<{len(places)}xi64>"
        lines.append(f"  %{name}_l = arith.constant dense<{list(places)}> : {listed}")
        read, kinds, arguments, maps_of = f"%{name}_l", listed, "%r: i64, ", [f"d{dim}", *maps_of]
    index = {
        "repeat": [
            f"    %step = arith.constant {node['times']} : index",
            f"    %at = arith.floordivsi %i{dim}, %step : index",
        ],
        "flip": [
            f"    %step = arith.constant {source.shape[dim] - 1} : index",
            f"    %at = arith.subi %step, %i{dim} : index",
        ],
        "list": ["    %at = arith.index_cast %r : i64 to index"],
    }[node["form"]]
    access = ", ".join("%at" if at == dim else f"%i{at}" for at in range(rank))
    inputs = f"ins({read} : {kinds}) " if read else ""
    return [
        *lines,
        f"  %{name} = linalg.generic {{{maps(*maps_of, dims=letters(rank))}, {iterators(rank)}}} {inputs}"
        f"outs(%{name}_e : {result.kind}) {{",
        f"  ^bb0({arguments}%o: {result.element}):",
        *(f"    %i{at} = linalg.index {at} : index" for at in range(rank)),
        *index,
        f"    %picked = tensor.extract %{source.name}[{access}] : {source.kind}",
        f"    linalg.yield %picked : {result.element}",
        f"  }} -> {result.kind}",
    ]
