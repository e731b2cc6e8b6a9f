"""What contractions start from: zero, a number, or a bias along one dimension; and how they end: as i32."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuzz.networks import Network, Node, Value, wrapped
from fuzz.operations.operation import parameter
from fuzz.operations.text import generic, started

Writer = Callable[[Value, str], list[str]]
"""Lines that define a value, starting from the tensor of a name."""


def draw_start(random: Random, features: frozenset[str]) -> Node:
    """Zero mostly; a number or a bias in cases that have it, and accumulation in 64 bits."""
    share = random.random()
    if "starts" not in features or share < 0.5:
        return {"kind": "number", "number": 0, "wide": "i64" in features and random.random() < 0.4}
    if share < 0.6:
        return {"kind": "number", "number": random.choice([1, -7, 1 << 20]), "wide": False}
    style = random.choice(["broadcast", "generic"])
    return {"kind": "bias", "style": style, "numbers": parameter(random, features, -9999, 9999), "wide": False}


def finish(network: Network, node: Node, total: NDArray[np.int64], axis: int, write: Writer) -> None:
    """Define the i32 value of a node: `total` on top of what it starts from, a bias along `axis`."""
    start, name = node["start"], node["name"]
    result = Value(name, total.shape, "i32")
    if start["wide"]:
        _through_64_bits(network, result, total, write)
        return
    if start["kind"] == "number":
        lines = started(result, start["number"])
        network.define(result, [*lines, *write(result, f"{name}_i")], wrapped(total + start["number"]))
        return
    bias, numbers = network.parameter(f"{name}_b", (total.shape[axis],), "i32", start["numbers"])
    spread = numbers.astype(np.int64).reshape([-1 if dim == axis else 1 for dim in range(total.ndim)])
    lines = _spread(f"{name}_i", bias, result, axis, start["style"])
    network.define(result, [*lines, *write(result, f"{name}_i")], wrapped(total + spread))


def _through_64_bits(network: Network, result: Value, total: NDArray[Any], write: Writer) -> None:
    """As integer PyTorch accumulates; the sum is truncated by an operation of its own."""
    wide = Value(f"{result.name}_l", result.shape, "i64")
    network.define(wide, [*started(wide, 0), *write(wide, f"{wide.name}_i")], total)
    dims = ", ".join(f"d{i}" for i in range(total.ndim))
    network.define(result, generic(result, [(wide, dims)], ["%y = arith.trunci %a0 : i64 to i32"]), wrapped(total))


def _spread(name: str, bias: Value, result: Value, axis: int, style: str) -> list[str]:
    spread = Value(name, result.shape, "i32")
    if style == "generic":
        return _copied(spread, bias, axis)
    others = [dim for dim in range(len(result.shape)) if dim != axis]
    return [
        f"  %{name}_e = tensor.empty() : {spread.kind}",
        f"  %{name} = linalg.broadcast ins(%{bias.name} : {bias.kind}) outs(%{name}_e : {spread.kind}) "
        f"dimensions = {others}",
    ]


def _copied(spread: Value, bias: Value, axis: int) -> list[str]:
    """A generic that yields its operand."""
    lines = generic(spread, [(bias, f"d{axis}")], [])
    return [line.replace("linalg.yield %y", "linalg.yield %a0") for line in lines]
