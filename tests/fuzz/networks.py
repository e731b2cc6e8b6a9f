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
DTYPES = {
    "i8": np.dtype(np.int8),
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
    "f32": np.dtype(np.float32),
}
"""Operations pass i8 and i32 to each other; the others stand within one, as frontends print them."""


@dataclass(frozen=True)
class Value:
    """A tensor: its SSA name without `%`, shape and element type."""

    name: str
    shape: tuple[int, ...]
    element: str

    @property
    def kind(self) -> str:
        return f"tensor<{'x'.join([*map(str, self.shape), self.element])}>"


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
        return self.constant(value, array), array

    def constant(self, value: Value, array: Array) -> Value:
        """A dense constant: one number for all elements alike, a list of a few, else bytes."""
        numbers = array.reshape(-1).tolist()
        if len(set(numbers)) == 1:
            text = str(numbers[0])
        elif len(numbers) <= 8 and array.ndim == 1:
            text = str(numbers)
        else:
            text = f'"0x{np.ascontiguousarray(array).tobytes().hex().upper()}"'
        self.lines.append(f"  %{value.name} = arith.constant dense<{text}> : {value.kind}")
        return value

    def define(self, value: Value, lines: Sequence[str], array: Array) -> Value:
        """One more value of the body."""
        if array.shape != value.shape or array.dtype != DTYPES[value.element]:
            raise TypeError(f"{value} is computed as {array.shape} {array.dtype}")
        self.lines += lines
        self.values[value.name], self.results[value.name] = value, array
        return value

    def append(self, node: Node) -> Value:
        """One more node. Raises `UnfitError` where it does not fit, and leaves a network that is of no use then."""
        from fuzz.operations import OPERATIONS

        missing = [name for name in node["args"] if name not in self.values]
        if missing:
            raise UnfitError(f"{node['name']} uses {missing[0]}, which is gone")
        OPERATIONS[node["op"]].append(self, node, [self.values[name] for name in node["args"]])
        return self.values[node["name"]]

    def copy(self) -> Network:
        """One to try a node on."""
        return Network(list(self.arguments), list(self.arrays), list(self.lines), dict(self.values), dict(self.results))

    def text(self, results: Sequence[Value]) -> str:
        """The whole function."""
        given = ", ".join(f"%{value.name}: {value.kind}" for value in self.arguments)
        kinds = ", ".join(value.kind for value in results)
        names = ", ".join(f"%{value.name}" for value in results)
        head = f"func.func @network({given}) -> {kinds if len(results) == 1 else f'({kinds})'} {{"
        return "\n".join([head, *self.lines, f"  func.return {names} : {kinds}", "}", ""])


def random_array(value: Value, seed: int, low: int, high: int) -> Array:
    """Numbers of a value, the same for a seed and shape."""
    return np.random.default_rng(seed).integers(low, high, value.shape).astype(DTYPES[value.element])


def wrapped(array: NDArray[Any]) -> NDArray[np.int32]:
    """Integers as 32-bit arithmetic leaves them."""
    return array.astype(np.int64).astype(np.int32)


def build(payload: Payload) -> tuple[Network, list[Value]]:
    """The network of a payload, and its results: the values that nothing uses, or those that it names.

    Raises `UnfitError` where nodes do not fit together.
    """
    network = Network()
    for given in cast("list[Node]", payload["inputs"]):
        network.input(given)
    nodes = cast("list[Node]", payload["nodes"])
    for node in nodes:
        network.append(node)
    used = {name for node in nodes for name in node["args"]} - set(cast("list[str]", payload.get("returned", [])))
    results = [network.values[node["name"]] for node in nodes if node["name"] not in used]
    if not results:
        raise UnfitError("a network of no operations")
    return network, results


def expected(network: Network, results: Sequence[Value]) -> list[Array]:
    """What numpy says of the results."""
    return [network.results[value.name] for value in results]
