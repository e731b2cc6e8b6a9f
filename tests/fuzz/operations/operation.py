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


def draw_pads(random: Random, features: frozenset[str]) -> list[int]:
    if "pads" not in features:
        return [0, 0, 0, 0]
    return [1] * 4 if random.random() < 0.5 else [random.randrange(3) for _ in range(4)]


def parameter(random: Random, features: frozenset[str], low: int = -128, high: int = 128) -> dict[str, Any]:
    constant = "constants" in features and random.random() < 0.6
    return {"constant": constant, "seed": random.randrange(1 << 30), "low": low, "high": high}
