"""What a target of the campaign is: it draws cases, judges them, and proposes smaller ones."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Protocol, TypeAlias

from fuzz.outcome import Outcome

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Payload: TypeAlias = "dict[str, Json]"


class FuzzTarget(Protocol):
    """One kind of input under attack. Payloads are plain data, so that a case can be stored and reduced."""

    @property
    def name(self) -> str:
        """What the command line calls it."""
        ...

    @property
    def features(self) -> tuple[str, ...]:
        """What cases of this target may contain. Each case uses a random subset of them (swarm testing)."""
        ...

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        """A case that is valid by construction, or, for mutated texts and files, mostly so."""
        ...

    def judge(self, payload: Payload) -> Outcome:
        """Run the case against its oracles. Raises `UnfitError` for a payload that no draw gives."""
        ...

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        """Smaller candidates, the boldest first."""
        ...


def swarm(random: Random, features: tuple[str, ...]) -> frozenset[str]:
    """A random subset: each feature with a probability that is itself drawn for the case."""
    share = random.choice((0.2, 0.5, 0.8, 1.0))
    return frozenset(feature for feature in features if random.random() < share)


def draw_case(target: FuzzTarget, seed: int) -> Payload:
    """Case number `seed` of a target; the same on every machine."""
    random = Random(f"{target.name}/{seed}")
    return target.draw(random, swarm(random, target.features))
