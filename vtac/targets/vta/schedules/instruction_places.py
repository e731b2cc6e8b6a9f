"""Where the instructions of an outline stand in its stream, and how many there are of the whole program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vtac.targets.vta.schedules.load_turns import Turn
from vtac.targets.vta.schedules.steps import Outline


@dataclass(frozen=True)
class Places:
    """The places of the first instruction of each turn and each kernel in the stream of what is followed.

    By kernel, how many iterations its tile stands for, and how many instructions of the whole program are before it,
    with the end of all behind them. `stores` are the STOREs of what is followed before each kernel, and `units` the
    whole program's instructions of each unit.
    """

    turns: list[int]
    kernels: list[int]
    weights: list[float]
    done: list[float]
    stores: list[int]
    units: tuple[float, float, float]

    @property
    def length(self) -> float:
        """Instructions of the whole program."""
        return sum(self.units)

    def ahead(self, depth: int) -> float:
        """How many instructions are fetched before a unit's queue is full, the most of them that of the busiest."""
        return depth * self.length / max(1.0, *self.units)


def places_of(outline: Outline, turns: Sequence[Turn]) -> Places:
    """The places in the stream of an outline, with these turns."""
    loads, kernels = [0] * len(turns), [0] * len(outline.kernels)
    weights, done = [0.0] * len(outline.kernels), [0.0] * (len(outline.kernels) + 1)
    place = at = first = 0
    stores = [0]
    loaded = computed = stored = 0.0
    steps = outline.kernels
    for tile in outline.tiles:
        weight = tile.weight
        for number in range(first, tile.kernel):
            step = steps[number]
            before = place
            while at < len(turns) and turns[at][2] <= number:
                loads[at] = place
                place += turns[at][1]
                at += 1
            loaded += weight * (place - before)
            kernels[number] = place
            own = step.wide.loads + step.number * (2 if step.micro_ops else 1)
            computed += weight * own
            stored += weight * step.stored[1]
            place += own + step.stored[1]
            stores.append(stores[-1] + step.stored[1])
            weights[number], done[number + 1] = weight, loaded + computed + stored
        first = tile.kernel
    return Places(loads, kernels, weights, done, stores, (loaded, computed, stored))
