"""How long a sweep would take on many workers, from times that were measured on few: where they stop to help."""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter

from vtac.errors import VtacError
from vtac.store.records import Outcome, Trial
from vtac.store.store import Store
from vtac.targets.vta.exploring.jobs import PointJob
from vtac.targets.vta.exploring.points import compute_points
from vtac.targets.vta.exploring.shared_tilings import merged_tilings
from vtac.workers.crew import Crew

_PROBES, _ROUNDS = 40, 5


@dataclass(frozen=True)
class Overheads:
    """Seconds: CPU of each task that was tried, of giving one out and taking it back, and of a row in the store.

    The last two are work of one process, the one that leads; `payload` are the bytes that a task is sent as.
    `recorded` says that the times of tasks are those of a sweep's store.
    """

    tasks: tuple[float, ...]
    dispatch: float
    record: float
    payload: int
    recorded: bool = False


@dataclass(frozen=True)
class Forecast:
    """A sweep on so many workers: its seconds, the share of them in which workers work, and what limits it."""

    workers: int
    seconds: float
    busy: float
    limit: str


def echo(items: Sequence[bytes]) -> list[int]:
    """A task that does nothing but arrive."""
    return [len(item) for item in items]


def measure_overheads(
    jobs: Sequence[PointJob], executor: Executor, *, share: bool = True, seconds: Sequence[float] = ()
) -> Overheads:
    """Try tasks here, and send as many bytes as they have to the workers and back. Raises `VtacError` for no task.

    With `share` a task gets the tilings of an earlier one with the same tiles, as in a sweep. Where `seconds` of
    tasks are known, none is tried, and the jobs say only how many bytes are sent.
    """
    if not jobs:
        raise VtacError("there is no task to measure: give a sweep with at least one configuration")
    tasks, largest = (list(seconds), jobs[-1].tilings) if seconds else _tried(jobs, share=share)
    payload = pickle.dumps(replace(jobs[-1], text="", tilings=largest))
    return Overheads(tuple(tasks), dispatch_seconds(payload, executor), record_seconds(), len(payload), bool(seconds))


def _tried(jobs: Sequence[PointJob], *, share: bool) -> tuple[list[float], Mapping[str, Sequence[str]]]:
    """CPU seconds of jobs that are done here, and the most tilings that one is sent with."""
    tasks: list[float] = []
    nothing: Mapping[str, str] = {}
    known: dict[tuple[str, int, int, int], Mapping[str, str]] = {}
    for job in jobs:
        tiles = (job.network, job.config.batch, job.config.block_in, job.config.block_out)
        (result,) = compute_points([replace(job, tilings=merged_tilings([known.get(tiles, nothing)]))])
        tasks.append(result.seconds)
        if share:
            known.setdefault(tiles, result.tilings)
    return tasks, merged_tilings([max(known.values(), key=len, default=nothing)])


def dispatch_seconds(payload: bytes, executor: Executor) -> float:
    """What it takes to send so many bytes to a worker and to take its answer back, where workers do nothing else."""
    crew: Crew[bytes, int] = Crew(executor, echo)
    crew.submit(0, [payload])
    while len(crew):
        crew.collect()
    return min(_round_seconds(crew, payload) for _ in range(_ROUNDS))


def _round_seconds(crew: Crew[bytes, int], payload: bytes) -> float:
    start = perf_counter()
    for number in range(_PROBES):
        crew.submit(number, [payload])
    while len(crew):
        crew.collect()
    return (perf_counter() - start) / _PROBES


def record_seconds(rows: int = 1) -> float:
    """What it takes to keep so many outcomes at once in a store."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "probe.db") as store:
        start = perf_counter()
        for number in range(_PROBES):
            trials = [Trial("p", "m", f"{number} {row}", "1") for row in range(rows)]
            store.record([(trial, Outcome("ok", more="x" * 500)) for trial in trials])
        return (perf_counter() - start) / _PROBES


def forecast(points: int, workers: int, overheads: Overheads) -> Forecast:
    """Simulate a sweep: a leader that gives out tasks and records results, one thing at a time, and workers.

    Tasks take the measured times in turn. A result that is there is recorded before another task is given out.
    """
    free = [0.0] * min(workers, points)
    tasks, leader, work, end = overheads.tasks, 0.0, 0.0, 0.0
    for number in range(points):
        ready = heapq.heappop(free)
        leader = max(leader, ready) + overheads.dispatch + (overheads.record if number >= len(free) + 1 else 0.0)
        seconds = tasks[number % len(tasks)]
        heapq.heappush(free, leader + seconds)
        work += seconds
        end = max(end, leader + seconds)
    end += overheads.record * min(workers, points)
    busy = work / (end * workers)
    lead = points * (overheads.dispatch + overheads.record) / end
    limit = "workers" if lead < 0.9 else "scheduler" if overheads.dispatch >= overheads.record else "store"
    return Forecast(workers, end, busy, limit)


def forecasts(points: int, most: int, overheads: Overheads) -> list[Forecast]:
    """Forecasts for 1, 2, 5, 10, ... up to so many workers."""
    return [forecast(points, workers, overheads) for workers in _counts(most)]


def forecast_table(points: int, found: Sequence[Forecast], overheads: Overheads) -> str:
    """Forecasts as a table, below what was measured."""
    origin = "recorded by the store" if overheads.recorded else "tried"
    mean = sum(overheads.tasks) / len(overheads.tasks)
    lines = [
        f"{points:,} points; a task takes {mean:.2f} CPU s ({len(overheads.tasks):,} {origin}), "
        f"{overheads.payload:,} bytes and {1e3 * overheads.dispatch:.2f} ms to send and take back, "
        f"{1e3 * overheads.record:.2f} ms to record",
        f"{'workers':>8}{'h:mm:ss':>10}{'busy':>8}  limit",
    ]
    lines += [f"{one.workers:>8,}{_clock(one.seconds):>10}{one.busy:>8.0%}  {one.limit}" for one in found]
    return "\n".join(lines) + "\n"


def forecast_json(points: int, found: Sequence[Forecast], overheads: Overheads) -> dict[str, object]:
    """The same as plain values; times are seconds."""
    measured: dict[str, object] = {
        "recorded": overheads.recorded,
        "tasks": list(overheads.tasks),
        "dispatch": overheads.dispatch,
        "record": overheads.record,
    }
    return {
        "points": points,
        "measured": {**measured, "payload_bytes": overheads.payload},
        "forecasts": [asdict(one) for one in found],
    }


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds, at least one."""
    whole = max(1, round(seconds))
    return f"{whole // 3600:,}:{whole // 60 % 60:02}:{whole % 60:02}"


def _counts(most: int) -> list[int]:
    counts = [base * 10**power for power in range(7) for base in (1, 2, 5)]
    return sorted({count for count in counts if count < most} | {most})
