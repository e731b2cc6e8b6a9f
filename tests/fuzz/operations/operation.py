"""What a kind of node is, and what they draw alike."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Protocol

from fuzz.networks import Network, Node, Value


class Operation(Protocol):
    """One kind of node."""

    feature: str

    def draw(self, random: Random, values: Sequence[Value], features: frozenset[str]) -> Node | None:
        """Arguments among the values and parameters that fit them; None where none fit."""
        ...

    def append(self, network: Network, node: Node, args: Sequence[Value]) -> None:
        """Write the node into a network. Raises `UnfitError` where it does not fit its arguments."""
        ...


def pick(random: Random, values: Sequence[Value], element: str, ranks: tuple[int, ...] = ()) -> Value | None:
    """A value of that element type and rank, later ones more often."""
    fitting = [value for value in values if value.element == element and (not ranks or len(value.shape) in ranks)]
    return fitting[-1 - min(int(random.expovariate(0.9)), len(fitting) - 1)] if fitting else None


def pick_any(random: Random, values: Sequence[Value]) -> Value | None:
    """A value of either element type, later ones more often."""
    return pick(random, values, random.choice(["i8", "i8", "i32"]))


def parameter(random: Random, features: frozenset[str], low: int = -128, high: int = 128) -> dict[str, Any]:
    """How numbers come into a program: as a constant (of one number now and then) or as an argument."""
    constant = "constants" in features and random.random() < 0.6
    if random.random() < 0.1:
        low = random.choice([low, high - 1, 0, 1])
        high = low + 1
    return {"constant": constant, "seed": random.randrange(1 << 30), "low": low, "high": high}
