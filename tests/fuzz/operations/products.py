"""Matrix products, alone and in batches: operands and results transposed, of two values, with zero points."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuzz.networks import Network, Node, Value
from fuzz.operations.operation import parameter, pick
from fuzz.operations.starts import draw_start, finish
from fuzz.operations.text import iterators, maps, named, product_body, reduction, scalar
from fuzz.outcome import UnfitError


class Product:
    """`(batch,) m x k` times `k x n`; each operand as it is or transposed, `other` a value or weights."""

    feature = "product"
    ranks = (2,)

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        first = pick(random, values, "i8", self.ranks)
        if first is None:
            return None
        free = "transposed" in features
        flips = [free and random.random() < 0.3, random.random() < 0.5, free and random.random() < 0.2]
        depth = first.shape[-2 if flips[0] else -1]
        partners = [
            v
            for v in values
            if v.element == "i8"
            and v.shape[:-2] == first.shape[:-2]
            and len(v.shape) == len(first.shape)
            and v.shape[-1 if flips[1] else -2] == depth
        ]
        given = [first.name]
        if partners and "two_values" in features and random.random() < 0.6:
            given.append(random.choice(partners).name)
        zeros = "zero_points" in features and random.random() < 0.4
        return {
            "args": given,
            "flips": flips,
            "columns": random.choice([1, 4, 5, 8, 15, 16, 17, 32]),
            "form": random.choice(["named", "transposes", "generic"]) if "generic" in features else "named",
            "zeros": [random.choice([-128, 3, 0]), random.choice([0, 0, 1, -5])] if zeros else [0, 0],
            "weights": parameter(random, features),
            "start": draw_start(random, features),
        }

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        first, flips = args[0], node["flips"]
        if len(first.shape) not in self.ranks:
            raise UnfitError("a product of another rank")
        batch, depth = first.shape[:-2], first.shape[-2 if flips[0] else -1]
        if len(args) == 2:
            second, numbers = args[1], network.results[args[1].name]
            if second.shape[:-2] != batch or second.shape[-1 if flips[1] else -2] != depth:
                raise UnfitError("matrices that do not fit")
        else:
            shape = (node["columns"], depth) if flips[1] else (depth, node["columns"])
            second, numbers = network.parameter(f"{node['name']}_w", (*batch, *shape), "i8", node["weights"])
        operands = [_turned(network.results[first.name], flips[0]), _turned(numbers, flips[1])]
        left, right = (a.astype(np.float64) - zero for a, zero in zip(operands, node["zeros"], strict=True))
        total = (left @ right).astype(np.int64)
        if node["form"] != "generic" or node["start"]["wide"]:
            finish(network, node, total, total.ndim - 1, partial(_by_name, node, first, second))
            return
        result = np.ascontiguousarray(_turned(total, flips[2]))
        finish(network, node, result, total.ndim - 1, partial(_as_generic, node, first, second))


class BatchProduct(Product):
    """Products in a batch."""

    feature = "batch_product"
    ranks = (3,)


def _turned(array: NDArray[Any], flip: bool) -> NDArray[Any]:
    return array.swapaxes(-1, -2) if flip else array


def _by_name(node: Node, first: Value, second: Value, result: Value, start: str) -> list[str]:
    """A named operation, operands transposed by operations of their own; a generic where none has its types."""
    flips, batched = node["flips"], len(first.shape) == 3
    if result.element != "i32":
        return _as_generic({**node, "flips": [*flips[:2], False]}, first, second, result, start)
    is_plain = not any(node["zeros"])
    if is_plain and not batched and flips == [False, True, flips[2]] and node["form"] == "named":
        return named(result, "linalg.matmul_transpose_b", [first, second], start)
    lines: list[str] = []
    operands: list[Value] = []
    for number, (operand, flip) in enumerate(zip((first, second), flips[:2], strict=True)):
        turned = _flipped(operand, f"{result.name}_t{number}") if flip else operand
        lines += _transposed(operand, turned) if flip else []
        operands.append(turned)
    kind = "batch_matmul" if batched else "matmul"
    if is_plain:
        return [*lines, *named(result, f"linalg.{kind}", operands, start)]
    scalars = [f"{result.name}_z{number}" for number in (0, 1)]
    lines += [scalar(name, zero) for name, zero in zip(scalars, node["zeros"], strict=True)]
    return [*lines, *named(result, f"linalg.quantized_{kind}", operands, start, scalars=scalars)]


def _flipped(value: Value, name: str) -> Value:
    *batch, rows, columns = value.shape
    return Value(name, (*batch, columns, rows), value.element)


def _transposed(source: Value, result: Value) -> list[str]:
    order = [0, 2, 1] if len(source.shape) == 3 else [1, 0]
    return [
        f"  %{result.name}_e = tensor.empty() : {result.kind}",
        f"  %{result.name} = linalg.transpose ins(%{source.name} : {source.kind}) outs(%{result.name}_e : "
        f"{result.kind}) permutation = {order}",
    ]


def _as_generic(node: Node, first: Value, second: Value, result: Value, start: str) -> list[str]:
    batch = ["b"] if len(first.shape) == 3 else []
    pairs = [("m", "k"), ("k", "n"), ("m", "n")]
    access = [
        ", ".join([*batch, *(pair[::-1] if flip else pair)]) for pair, flip in zip(pairs, node["flips"], strict=True)
    ]
    dims = ", ".join([*batch, "m", "n", "k"])
    zeros = tuple(node["zeros"])
    body = product_body((zeros[0], zeros[1]), result.element)
    return reduction(result, [first, second], maps(*access, dims=dims), iterators(len(batch) + 2, 1), body, start)
