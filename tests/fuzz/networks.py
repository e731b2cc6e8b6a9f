"""Random networks as plain data: their linalg text, and their meaning in numpy.

A network is a list of nodes `{"op", "name", "args", ...parameters}` over named values. Shapes follow from the
nodes, so that a reducer may drop nodes and halve extents. Nothing here asks the compiler what an operation means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from fuzz.case import Payload
from fuzz.outcome import UnfitError

Array: TypeAlias = NDArray[np.generic]
Node: TypeAlias = "dict[str, Any]"
_DTYPES = {"i8": np.dtype(np.int8), "i32": np.dtype(np.int32)}


@dataclass(frozen=True)
class Value:
    """A tensor: its SSA name without `%`, shape and element type (i8 or i32)."""

    name: str
    shape: tuple[int, ...]
    element: str

    @property
    def kind(self) -> str:
        return f"tensor<{'x'.join(map(str, self.shape))}x{self.element}>"


@dataclass
class Network:
    """A function under construction: arguments, lines of its body, and the arrays of every value."""

    arguments: list[Value] = field(default_factory=list[Value])
    arrays: list[Array] = field(default_factory=list[Array])
    lines: list[str] = field(default_factory=list[str])
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    results: dict[str, Array] = field(default_factory=dict[str, Array])

    def argument(self, name: str, shape: Sequence[int], element: str, seed: int, low: int, high: int) -> Value:
        """One more argument, with random numbers from `low` to `high - 1`."""
        value = Value(name, tuple(shape), element)
        self.arguments.append(value)
        array = random_array(value, seed, low, high)
        self.arrays.append(array)
        self.values[name], self.results[name] = value, array
        return value

    def input(self, given: Node) -> Value:
        """One of the payload's inputs as an argument."""
        numbers = (given["seed"], given["low"], given["high"])
        return self.argument(given["name"], given["shape"], given["element"], *numbers)

    def parameter(self, name: str, shape: Sequence[int], element: str, how: Mapping[str, Any]) -> tuple[Value, Array]:
        """Weights or a bias: a constant of the program, or one more argument."""
        low, high = how.get("low", -128), how.get("high", 128)
        if not how.get("constant"):
            value = self.argument(name, shape, element, how["seed"], low, high)
            return value, self.results[name]
        value = Value(name, tuple(shape), element)
        array = random_array(value, how["seed"], low, high)
        text = np.ascontiguousarray(array).tobytes().hex().upper()
        self.lines.append(f'  %{name} = arith.constant dense<"0x{text}"> : {value.kind}')
        return value, array

    def define(self, value: Value, lines: Sequence[str], array: Array) -> Value:
        """One more value of the body."""
        if array.shape != value.shape or array.dtype != _DTYPES[value.element]:
            raise TypeError(f"{value} is computed as {array.shape} {array.dtype}")
        self.lines += lines
        self.values[value.name], self.results[value.name] = value, array
        return value

    def text(self, results: Sequence[Value]) -> str:
        """The whole function."""
        given = ", ".join(f"%{value.name}: {value.kind}" for value in self.arguments)
        kinds = ", ".join(value.kind for value in results)
        names = ", ".join(f"%{value.name}" for value in results)
        head = f"func.func @network({given}) -> {kinds if len(results) == 1 else f'({kinds})'} {{"
        return "\n".join([head, *self.lines, f"  func.return {names} : {kinds}", "}", ""])


def random_array(value: Value, seed: int, low: int, high: int) -> Array:
    """Numbers of a value, the same for a seed and shape."""
    return np.random.default_rng(seed).integers(low, high, value.shape).astype(_DTYPES[value.element])


def wrapped(array: NDArray[Any]) -> NDArray[np.int32]:
    """Integers as 32-bit arithmetic leaves them."""
    return array.astype(np.int64).astype(np.int32)


def build(payload: Payload) -> tuple[Network, list[Value]]:
    """The network of a payload, and its results: the values that nothing uses, or those that it names.

    Raises `UnfitError` where nodes do not fit together.
    """
    from fuzz.operations import OPERATIONS

    network = Network()
    for given in cast("list[Node]", payload["inputs"]):
        network.input(given)
    used: set[str] = set()
    for node in cast("list[Node]", payload["nodes"]):
        missing = [name for name in node["args"] if name not in network.values]
        if missing:
            raise UnfitError(f"{node['name']} uses {missing[0]}, which is gone")
        OPERATIONS[node["op"]].append(network, node, [network.values[name] for name in node["args"]])
        used.update(node["args"])
    made = [network.values[node["name"]] for node in cast("list[Node]", payload["nodes"])]
    extra = set(cast("list[str]", payload.get("returned", [])))
    results = [value for value in made if value.name not in used or value.name in extra]
    if not results:
        raise UnfitError("a network of no operations")
    return network, results


def expected(network: Network, results: Sequence[Value]) -> list[Array]:
    """What numpy says of the results."""
    return [network.results[value.name] for value in results]
