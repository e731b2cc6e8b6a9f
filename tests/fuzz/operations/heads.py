"""Columns of a matrix as heads, as attention has them: heads first, each transposed or not, and columns again."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from fuzz.networks import Network, Node, Value
from fuzz.operations.operation import pick, pick_any
from fuzz.outcome import UnfitError


class Heads:
    """A matrix as a batch of matrices, some columns each: reshaped, then transposed."""

    feature = "heads"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick(random, values, "i8", (2,))
        if source is None:
            return None
        counts = [heads for heads in (2, 3, 4) if source.shape[1] % heads == 0]
        if not counts:
            return None
        return {"args": [source.name], "heads": random.choice(counts), "flip": random.random() < 0.5}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        heads = node["heads"]
        if len(source.shape) != 2 or source.shape[1] % heads:
            raise UnfitError("columns that are no heads")
        rows, width = source.shape[0], source.shape[1] // heads
        order = [1, 2, 0] if node["flip"] else [1, 0, 2]
        split = network.results[source.name].reshape(rows, heads, width)
        array = np.ascontiguousarray(split.transpose(order))
        parts = Value(f"{node['name']}_p", split.shape, source.element)
        result = Value(node["name"], array.shape, source.element)
        lines = [
            f"  %{parts.name} = tensor.expand_shape %{source.name} [[0], [1, 2]] output_shape {list(parts.shape)} : "
            f"{source.kind} into {parts.kind}",
            *_transposed(parts, result, order),
        ]
        network.define(result, lines, array)


class Columns:
    """A batch of matrices side by side: transposed, then reshaped."""

    feature = "heads"

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        source = pick_any(random, [value for value in values if len(value.shape) == 3])
        return None if source is None else {"args": [source.name]}

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        (source,) = args
        if len(source.shape) != 3:
            raise UnfitError("no batch of matrices")
        heads, rows, width = source.shape
        array = np.ascontiguousarray(network.results[source.name].transpose([1, 0, 2]))
        turned = Value(f"{node['name']}_t", array.shape, source.element)
        result = Value(node["name"], (rows, heads * width), source.element)
        lines = [
            *_transposed(source, turned, [1, 0, 2]),
            f"  %{result.name} = tensor.collapse_shape %{turned.name} [[0], [1, 2]] : {turned.kind} into {result.kind}",
        ]
        network.define(result, lines, array.reshape(result.shape))


def _transposed(source: Value, result: Value, order: Sequence[int]) -> list[str]:
    return [
        f"  %{result.name}_e = tensor.empty() : {result.kind}",
        f"  %{result.name} = linalg.transpose ins(%{source.name} : {source.kind}) outs(%{result.name}_e : "
        f"{result.kind}) permutation = {list(order)}",
    ]
