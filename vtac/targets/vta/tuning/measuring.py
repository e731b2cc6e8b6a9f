"""Tilings on devices: the best by the cycle model are run there, and the fastest of them is taken.

What a tiling takes on a device is kept as a row of the store like any other outcome, under a machine of its own: the
device's kind, configuration and clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from vtac.dialects.hardware import VTAConfig
from vtac.errors import DeviceError
from vtac.progress import Progress
from vtac.store.records import Outcome, Trial, canonical, digest
from vtac.store.store import Store
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.tuning.campaign import Problem
from vtac.targets.vta.tuning.identity import layer_text, tiling_text
from vtac.targets.vta.tuning.result import LayerValues, Unit, Whole
from vtac.targets.vta.tuning.search import Found
from vtac.targets.vta.tuning.trials import Job, built, with_known_amounts

MEASURED = "measured-1 lowering-2"
"""The version of how tilings are measured, and of how they become programs. It changes with either."""
CANDIDATES = 10
"""Tilings of each layer that are run, beside that of the default schedule."""


@dataclass(frozen=True)
class Machine:
    """What readings are of: its fields, of which the store knows it, what it is called, and what is compared."""

    fields: Mapping[str, object]
    label: str
    unit: Unit

    @property
    def text(self) -> str:
        return canonical(self.fields)

    def value(self, outcome: Outcome) -> float:
        """What one run took: cycles where the device counts them, else seconds."""
        return seconds_of(outcome) if self.unit == "seconds" else outcome.cycles


@dataclass(frozen=True)
class Task:
    """A program to be run, which is built when a device is free; `name` is for messages."""

    name: str
    program: Callable[[], VtaProgram]


class Bench(Protocol):
    """Devices of one kind, which run programs side by side."""

    machine: Machine
    urls: Sequence[str]

    def measure(self, tasks: Sequence[Task], take: Callable[[int, Outcome], None]) -> None:
        """Run all tasks; `take` hears what became of each, by its place, in the caller's thread.

        Raises `DeviceError` when no device is left.
        """
        ...

    def notes(self) -> Sequence[str]:
        """Devices that were passed over or got lost, and why."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Measured:
    """A layer on a device: the fastest tiling, what it and that of the default schedule took, how many were run."""

    found: Found
    values: LayerValues
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Readings:
    """What devices said of layers."""

    bench: Bench
    layers: Mapping[Layer, Measured]

    def notes(self) -> list[str]:
        """What did not go as it should."""
        return [*self.bench.notes(), *(problem for one in self.layers.values() for problem in one.problems)]


@dataclass
class _Run:
    """A tiling of a layer that is to be run."""

    problem: Problem
    found: Found
    is_default: bool
    outcome: Outcome | None = None


def measured_layers(
    bench: Bench, problems: Sequence[tuple[Problem, Tiling]], store: Store | None, progress: Progress | None
) -> dict[Layer, Measured]:
    """The fastest tiling of each problem, which stands with the tiling of the default schedule.

    What the store knows is not run again. Raises `DeviceError` when no device is left, and for a layer of which no
    tiling runs.
    """
    runs = {problem.layer: _candidates(problem, default) for problem, default in problems}
    for same in runs.values():
        _recall(same, bench.machine, store)
    waiting = [run for same in runs.values() for run in same if run.outcome is None]
    done = 0

    def take(place: int, outcome: Outcome) -> None:
        nonlocal done
        waiting[place].outcome = outcome
        if store is not None:
            _keep(waiting[place], bench.machine, store)
        done += 1
        if progress is not None:
            progress("measure", done, len(waiting))

    bench.measure([_task(run) for run in waiting], take)
    return {layer: _fastest(same, bench.machine) for layer, same in runs.items()}


def _candidates(problem: Problem, default: Tiling) -> list[_Run]:
    """The best of what the search has found, and the default."""
    best = sorted(problem.search.found(), key=lambda one: one.point)
    chosen = best[:CANDIDATES] + [one for one in best[CANDIDATES:] if one.tiling == default]
    return [_Run(problem, one, one.tiling == default) for one in chosen]


def _task(run: _Run) -> Task:
    job = Job(with_known_amounts(run.problem.text), run.found.tiling, Timing.de10())
    return Task(f"{run.problem.name} with {tiling_text(run.found.tiling)}", lambda: built(job))


def _trial(run: _Run, machine: Machine) -> Trial:
    problem = digest(layer_text(run.problem.layer))
    return Trial(problem, digest(machine.text), tiling_text(run.found.tiling), MEASURED)


def _recall(runs: Sequence[_Run], machine: Machine, store: Store | None) -> None:
    if store is None or not runs:
        return
    known = store.outcomes(digest(layer_text(runs[0].problem.layer)), digest(machine.text), MEASURED)
    for run in runs:
        run.outcome = known.get(tiling_text(run.found.tiling))


def _keep(run: _Run, machine: Machine, store: Store) -> None:
    if run.outcome is not None and run.outcome.status != "refused":  # which may lie in what else a device holds
        layer = layer_text(run.problem.layer)
        texts = [(digest(layer), layer), (digest(machine.text), machine.text)]
        store.record([(_trial(run, machine), run.outcome)], texts)


def _fastest(runs: Sequence[_Run], machine: Machine) -> Measured:
    """The first of equals is the better by the model."""
    tried = [(run, run.outcome) for run in runs if run.outcome is not None]
    right = [(machine.value(outcome), run) for run, outcome in tried if outcome.is_ok]
    problems = tuple(f"{_task(run).name}: {outcome.message}" for run, outcome in tried if not outcome.is_ok)
    if not right:
        raise DeviceError(
            f"no tiling of {runs[0].problem.name} runs on {machine.label}: {len(tried)} were tried; "
            f"the first: {problems[0]}",
            "measure",
        )
    value, best = min(right, key=lambda one: one[0])
    default = next((value for value, run in right if run.is_default), None)
    return Measured(best.found, LayerValues(value, default, len(tried)), problems)


def measured_whole(readings: Readings, default: VtaProgram, tuned: VtaProgram) -> Whole:
    """What runs of the whole program take under both schedules. Raises `DeviceError` where one does not run."""
    bench = readings.bench
    before = _measured_program(bench, "the program with its default schedule", default)
    same = [one.instructions for one in default.devices.values()] == [
        one.instructions for one in tuned.devices.values()
    ]
    after = before if same else _measured_program(bench, "the tuned program", tuned)
    return Whole(bench.machine.label, bench.machine.unit, tuple(bench.urls), before, after)


def _measured_program(bench: Bench, name: str, program: VtaProgram) -> float:
    """What a run of a whole program takes. Raises `DeviceError` where it does not run."""
    found: list[Outcome] = []
    bench.measure([Task(name, lambda: program)], lambda _, outcome: found.append(outcome))
    if not found[0].is_ok:
        raise DeviceError(f"{name} does not run on {bench.machine.label}: {found[0].message}", "measure")
    return bench.machine.value(found[0])


def reading(seconds: float, cycles: int, instructions: int, runs: int) -> Outcome:
    """What a device says of a program: seconds at best, cycles where it counts them, else 0, of so many runs."""
    return Outcome("ok", cycles, 0, instructions, more=json.dumps({"runs": runs, "seconds": seconds}))


def seconds_of(outcome: Outcome) -> float:
    """The seconds of a reading; 0 of one that holds none."""
    found = cast("Mapping[str, object]", json.loads(outcome.more or "{}")).get("seconds")
    return found if isinstance(found, float) else 0.0


def machine_of(kind: str, config: VTAConfig, clock_hz: int, unit: Unit) -> Machine:
    """A device as what readings are of; what its boards are called is no part of it."""
    fields = {name: value for name, value in config.to_fields().items() if name not in ("TARGET", "HW_VER")}
    clock = f" at {clock_hz / 1e6:g} MHz" if clock_hz else ""
    return Machine({"device": kind, "clock_hz": clock_hz, "unit": unit, "config": fields}, f"{kind}{clock}", unit)
