"""Machines that need not be compiled, because another is proven better: kind after kind of tiles, the best bound first.

A machine is left out where a point that was counted has no more SRAM and no more cycles than it takes at least, and
less of one. Which machines are left out follows from the points of the kinds of tiles before, all of them, so that it
does not matter who worked, or in which order points came back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from vtac.targets.vta.exploring.machines import Machine
from vtac.targets.vta.exploring.point import Point, Pruned


def without_dominated(
    machines: Sequence[Machine],
    least: Mapping[Machine, int],
    count: Callable[[Sequence[Machine]], Sequence[Point]],
) -> tuple[list[Point], list[Pruned]]:
    """Count machines but for those that a point proves dominated; `least` are the cycles of each at least."""
    kinds: dict[tuple[int, int, int], list[Machine]] = {}
    for machine in machines:
        kinds.setdefault(machine.tiles, []).append(machine)
    points: list[Point] = []
    pruned: list[Pruned] = []
    for kind in sorted(kinds.values(), key=lambda same: min(least[machine] for machine in same)):
        better = {machine: _better(machine, least[machine], points) for machine in kind}
        pruned += [Pruned(machine, least[machine], by) for machine, by in better.items() if by is not None]
        left = [machine for machine, by in better.items() if by is None]
        points += count(left) if left else []
    return points, pruned


def _better(machine: Machine, least: int, points: Sequence[Point]) -> Point | None:
    """The first point with as little of both and less of one, the one with the fewest cycles before others."""
    found = [
        point
        for point in points
        if not point.error
        and point.cycles <= least
        and point.sram_bytes <= machine.sram_bytes
        and (point.cycles, point.sram_bytes) != (least, machine.sram_bytes)
    ]
    return min(found, key=lambda point: (point.cycles, point.sram_bytes), default=None)
