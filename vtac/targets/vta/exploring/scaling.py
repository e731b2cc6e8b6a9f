"""How long a sweep would take on many workers, from times that were measured on few: where they stop to help."""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time

from vtac.errors import VtacError
from vtac.store.records import Outcome, Trial
from vtac.store.store import Store
from vtac.targets.vta.exploring.points import PointJob, compute_points
from vtac.workers.crew import Crew

_PROBES, _ROUNDS = 40, 5


@dataclass(frozen=True)
class Overheads:
    """Seconds: CPU of each task that was tried, of giving one out and taking it back, and of a row in the store.

    The last two are work of one process, the one that leads; `payload` are the bytes that a task is sent as.
    """

    tasks: tuple[float, ...]
    dispatch: float
    record: float
    payload: int


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


def measure_overheads(jobs: Sequence[PointJob], executor: Executor) -> Overheads:
    """Try tasks here, and send as many bytes as they have to the workers and back. Raises `VtacError` for no task."""
    if not jobs:
        raise VtacError("there is no task to measure: give a sweep with at least one configuration")
    tasks: list[float] = []
    for job in jobs:
        start = process_time()
        compute_points([job])
        tasks.append(process_time() - start)
    payload = pickle.dumps(replace(jobs[0], text=""))
    crew: Crew[bytes, int] = Crew(executor, echo)
    crew.submit(0, [payload])
    while len(crew):
        crew.collect()
    dispatch = min(_round_seconds(crew, payload) for _ in range(_ROUNDS))
    return Overheads(tuple(tasks), dispatch, _record_seconds(), len(payload))


def _round_seconds(crew: Crew[bytes, int], payload: bytes) -> float:
    start = perf_counter()
    for number in range(_PROBES):
        crew.submit(number, [payload])
    while len(crew):
        crew.collect()
    return (perf_counter() - start) / _PROBES


def _record_seconds() -> float:
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "probe.db") as store:
        start = perf_counter()
        for number in range(_PROBES):
            store.record([(Trial("p", "m", str(number), "1"), Outcome("ok", more="x" * 500))])
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


def forecast_table(points: int, most: int, overheads: Overheads) -> str:
    """Forecasts for 1, 2, 5, 10, ... up to so many workers, as a table."""
    mean = sum(overheads.tasks) / len(overheads.tasks)
    lines = [
        f"{points:,} points; a task takes {mean:.2f} CPU s ({len(overheads.tasks)} tried), {overheads.payload:,} bytes "
        f"and {1e3 * overheads.dispatch:.2f} ms to send and take back, {1e3 * overheads.record:.2f} ms to record",
        f"{'workers':>8}{'hours':>10}{'busy':>8}  limit",
    ]
    for workers in _counts(most):
        one = forecast(points, workers, overheads)
        lines.append(f"{workers:>8,}{one.seconds / 3600:>10.2f}{one.busy:>8.0%}  {one.limit}")
    return "\n".join(lines) + "\n"


def _counts(most: int) -> list[int]:
    counts = [base * 10**power for power in range(7) for base in (1, 2, 5)]
    return sorted({count for count in counts if count < most} | {most})
