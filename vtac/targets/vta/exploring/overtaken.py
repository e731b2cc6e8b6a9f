"""Points that take more cycles than another with no larger memories: a search by estimates did not find the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vtac.targets.vta.exploring.machines import Machine
from vtac.targets.vta.exploring.point import Point

_MEMORIES = ("uop_kib", "inp_kib", "wgt_kib", "acc_kib")


class Overtaken(NamedTuple):
    """A point, and the fastest of those whose tilings fit its machine, too."""

    point: Point
    by: Point


def overtaken(points: Sequence[Point]) -> list[Overtaken]:
    """Each point that takes more cycles than one with the same tiles, bus and queues and no larger memory."""
    alike: dict[tuple[object, ...], list[Point]] = {}
    for point in points:
        alike.setdefault(_beside_memories(point.machine), []).append(point)
    found: dict[int, Overtaken] = {}
    for group in alike.values():
        sizes = np.array([[one.machine.values[name] for name in _MEMORIES] for one in group])
        cycles = np.array([one.cycles for one in group])
        for at, point in enumerate(group):
            runs_here = (sizes <= sizes[at]).all(axis=1)
            best = int(np.where(runs_here, cycles, cycles.max() + 1).argmin())
            if cycles[best] < cycles[at]:
                found[id(point)] = Overtaken(point, group[best])
    return [found[id(point)] for point in points if id(point) in found]


def said_of_overtaken(found: Sequence[Overtaken]) -> str:
    """How many there are and why, in words, with the one that loses most."""
    most = max(found, key=lambda one: one.point.cycles / max(1, one.by.cycles))
    count = "one point takes" if len(found) == 1 else f"{len(found):,} points take"
    return (
        f"{count} more cycles than one with the same tiles and no larger memories, most of all {most.point.name} "
        f"({most.point.cycles:,}) than {most.by.name} ({most.by.cycles:,}), whose tilings fit there, too: tilings are "
        "chosen by estimates, and more memory allows more of them; vtac tune --config FILE searches on"
    )


def _beside_memories(machine: Machine) -> tuple[object, ...]:
    return machine.tiles, machine.timing
