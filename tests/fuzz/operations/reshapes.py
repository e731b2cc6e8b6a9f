"""Operations that see the same elements in another shape, or repeat them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from random import Random
from typing import cast

import numpy as np

from fuzz.networks import Network, Node, Value
from fuzz.operations.operation import pick_any
from fuzz.outcome import UnfitError


class Collapse:
    """Neighbouring dimensions as one: all behind the first mostly."""

    feature = "flatten"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick_any(random, values)
        if source is None or len(source.shape) < 2:
            return None
        rank = len(source.shape)
        start, length = (1, rank - 1) if random.random() < 0.6 else (random.randrange(rank - 1), 2)
        return {"args": [source.name], "start": start, "length": length}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        start, end, shape = node["start"], node["start"] + node["length"], source.shape
        if end > len(shape):
            raise UnfitError("fewer dimensions than are collapsed")
        groups = [[dim] for dim in range(start)] + [list(range(start, end))]
        groups += [[dim] for dim in range(end, len(shape))]
        result = Value(node["name"], (*shape[:start], prod(shape[start:end]), *shape[end:]), source.element)
        line = f"  %{result.name} = tensor.collapse_shape %{source.name} {groups} : {source.kind} into {result.kind}"
        network.define(result, [line], network.results[source.name].reshape(result.shape))


class Expand:
    """One dimension as two, or with one of extent 1 beside it."""

    feature = "expand"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick_any(random, values)
        if source is None or len(source.shape) > 4:
            return None
        dim = random.randrange(len(source.shape))
        extent = source.shape[dim]
        return {
            "args": [source.name],
            "dim": dim,
            "inner": random.choice([n for n in range(1, extent + 1) if extent % n == 0]),
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        dim, inner, shape = cast(int, node["dim"]), cast(int, node["inner"]), source.shape
        if dim >= len(shape) or shape[dim] % inner:
            raise UnfitError("an extent that does not divide")
        groups = [[at] if at < dim else [dim, dim + 1] if at == dim else [at + 1] for at in range(len(shape))]
        result = Value(node["name"], (*shape[:dim], shape[dim] // inner, inner, *shape[dim + 1 :]), source.element)
        line = f"  %{result.name} = tensor.expand_shape %{source.name} {groups} output_shape {list(result.shape)} : "
        network.define(
            result, [f"{line}{source.kind} into {result.kind}"], network.results[source.name].reshape(result.shape)
        )


class Broadcast:
    """A value repeated along a new dimension."""

    feature = "broadcast"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick_any(random, values)
        if source is None or len(source.shape) > 3:
            return None
        return {"args": [source.name], "dim": random.randint(0, len(source.shape)), "extent": random.choice([1, 2, 4])}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        dim, extent = cast(int, node["dim"]), cast(int, node["extent"])
        if dim > len(source.shape):
            raise UnfitError("a new dimension beyond the last")
        shape: tuple[int, ...] = (*source.shape[:dim], extent, *source.shape[dim:])
        array = np.array(np.broadcast_to(np.expand_dims(network.results[source.name], dim), shape))
        result = Value(node["name"], shape, source.element)
        lines = [
            f"  %{result.name}_e = tensor.empty() : {result.kind}",
            f"  %{result.name} = linalg.broadcast ins(%{source.name} : {source.kind}) outs(%{result.name}_e : "
            f"{result.kind}) dimensions = [{dim}]",
        ]
        network.define(result, lines, array)
