"""What one change of a machine would give: a wider bus, half a memory, a second port of the accumulators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from vtac.errors import ConfigError
from vtac.progress import Progress
from vtac.store.store import Store
from vtac.targets.vta.exploring.entry import Source, explore
from vtac.targets.vta.exploring.machines import Machine
from vtac.targets.vta.exploring.point import Point
from vtac.text.short import short_name

_ERROR_CHARACTERS = 400
_MEMORIES = ("inp", "wgt", "acc")


@dataclass(frozen=True)
class Change:
    """A machine with one thing changed: the cycles before and after, or why there is no such machine or program."""

    point: str
    change: str
    before: int
    after: int
    error: str = ""

    def __str__(self) -> str:
        if self.error:
            return f"{self.point}: {self.change}: {short_name(self.error, _ERROR_CHARACTERS)}"
        return f"{self.point}: {self.change}: {self.after:,} cycles, {self.after / max(1, self.before) - 1:+.1%}"


def sensitivity(
    modules: Source | Sequence[Source] | Mapping[str, Source],
    points: Sequence[Point],
    *,
    executor: Executor | str | None = None,
    store: Store | str | Path | None = None,
    progress: Progress | None = None,
) -> list[Change]:
    """For each point: the bus twice as wide, half the latency, an ALU that reads two tensors at once, half a memory.

    Machines before and after are each searched for by themselves. Raises as `explore` does.
    """
    made = [(point, what, _changed(point.machine, change)) for point in points for what, change in _CHANGES.items()]
    wanted = [*(point.machine for point in points), *(machine for _, _, machine in made if machine is not None)]
    sweep = explore(modules, wanted, executor=executor, store=store, share=False, progress=progress)
    found = {point.machine: point for point in sweep}
    return [
        _change(point, what, found[point.machine], None if machine is None else found[machine])
        for point, what, machine in made
    ]


def _change(point: Point, what: str, before: Point, after: Point | None) -> Change:
    error = "there is no such machine" if after is None else after.error
    return Change(point.name, what, before.cycles, 0 if after is None else after.cycles, error)


def _changed(machine: Machine, change: Callable[[Machine], Machine]) -> Machine | None:
    try:
        return change(machine)
    except ConfigError:
        return None


def _halved(memory: str) -> Callable[[Machine], Machine]:
    name = f"log_{memory}_buff_size"

    def change(machine: Machine) -> Machine:
        return replace(machine, config=replace(machine.config, **{name: getattr(machine.config, name) - 1}))

    return change


def _timed(**factors: Callable[[int], int]) -> Callable[[Machine], Machine]:
    def change(machine: Machine) -> Machine:
        values = {name: factor(getattr(machine.timing, name)) for name, factor in factors.items()}
        return replace(machine, timing=replace(machine.timing, **values))

    return change


_CHANGES: dict[str, Callable[[Machine], Machine]] = {
    "bus twice as wide": _timed(bus_bytes=lambda value: 2 * value),
    "half the latency": _timed(memory_latency=lambda value: value // 2),
    "second ALU port": _timed(alu_tensor_interval=lambda _: 1),
    **{f"half of {memory.upper()}": _halved(memory) for memory in _MEMORIES},
}
