"""The work of a sweep: jobs for workers, each when the machines are done whose tilings it takes; what comes back."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import cast

from vtac.dialects.hardware import VTAConfig
from vtac.progress import Progress
from vtac.store.records import Outcome, Trial, canonical, digest
from vtac.store.store import Store
from vtac.targets.vta.compiler_identity import model_identity
from vtac.targets.vta.exploring.families import Families
from vtac.targets.vta.exploring.jobs import PointJob
from vtac.targets.vta.exploring.machines import Machine
from vtac.targets.vta.exploring.points import PointResult, compute_points
from vtac.targets.vta.exploring.shared_tilings import merged_tilings
from vtac.targets.vta.tuning.identity import machine_text
from vtac.workers.crew import Crash, Crew
from vtac.workers.processes import Processes

_UNKNOWN_WORKERS = 64
_Job = tuple[str, VTAConfig]
"""A network by its name, and what its program depends on."""


@dataclass(frozen=True)
class NetworkText:
    """A network by its name, without schedules and hardware.

    `text` says where in its source everything stands, which messages begin with; `digest` is of it without these
    places, so that a store knows it again in another file.
    """

    name: str
    text: str
    digest: str

    @cached_property
    def placed(self) -> str:
        """The digest of the text with its places."""
        return digest(self.text)


@dataclass
class Exploration:
    """Counts networks on machines, but for what the store knows; `share` lets machines take the tilings of others."""

    networks: Sequence[NetworkText]
    machines: Sequence[Machine]
    executor: Executor
    store: Store | None
    share: bool
    progress: Progress | None
    known: dict[tuple[str, Machine], Outcome] = field(default_factory=dict[tuple[str, Machine], Outcome])
    """What became of each network on each machine, those of other sweeps among them."""
    compiled: int = 0
    counted: int = 0
    _tilings: dict[_Job, Mapping[str, str]] = field(default_factory=dict[_Job, Mapping[str, str]])
    _records: str = field(default="", init=False)
    """The folder in which workers leave for each other what they have lowered; empty for none."""

    def run(self) -> None:
        """Compute what the store does not know."""
        self._read()
        wanted = [(one.name, config) for one in self.networks for config in self._families.parents]
        pending = {job: None for job in wanted if self._missing(job)}
        waits = {job: {parent for parent in self._parents(job) if parent in pending} for job in pending}
        with _records_of(self.executor) as self._records:
            self._work(deque(job for job in pending if not waits[job]), waits)

    def recorded(self) -> tuple[list[float], Mapping[str, str]]:
        """CPU seconds of the points that the store knows, in order, and the tilings of the program with most of them.

        A point's seconds are its share of its program's.
        """
        self._read()
        nothing: dict[str, str] = {}
        good = [json.loads(outcome.more) for outcome in self.known.values() if outcome.is_ok]
        jobs = [(name, machine.program_config) for (name, machine), one in self.known.items() if one.is_ok]
        tilings = [dict(self._tilings_of(job)) for job in dict.fromkeys(jobs)]
        return [float(one["seconds"]) for one in good if "seconds" in one], max(tilings, key=len, default=nothing)

    def _work(self, ready: deque[_Job], waits: Mapping[_Job, set[_Job]]) -> None:
        """Do jobs, a few for each worker at a time. A text is sent with the first ones, and to who lacks it.

        A job is ready when none is left of those that it waits for.
        """
        behind: dict[_Job, list[_Job]] = {}
        for job, before in waits.items():
            for parent in before:
                behind.setdefault(parent, []).append(job)
        crew: Crew[PointJob, PointResult] = Crew(self.executor, compute_points)
        workers = int(getattr(self.executor, "count", _UNKNOWN_WORKERS))
        given: list[_Job] = []
        while ready or len(crew):
            while ready and len(crew) < 2 * workers:
                given.append(ready.popleft())
                crew.submit(len(given) - 1, [self._point_job(given[-1], with_text=len(given) <= workers)])
            for done in crew.collect(timeout=1.0):
                job, result = given[done.number], done.results[0]
                if isinstance(result, PointResult) and result.needs_text:
                    crew.submit(done.number, [self._point_job(job, with_text=True)])
                else:
                    self._take(job, result)
                    ready.extend(_made_ready(job, behind.get(job, ()), waits))
            if self.progress is not None:
                self.progress("explore", len(self.known), len(self.networks) * len(self.machines))

    def _point_job(self, job: _Job, *, with_text: bool) -> PointJob:
        network, config = self._network(job[0]), job[1]
        timings = tuple(machine.timing for machine in self._missing(job))
        tilings = merged_tilings([self._tilings_of(parent) for parent in self._parents(job)])
        return PointJob(network.placed, network.text if with_text else "", config, timings, tilings, self._records)

    def _take(self, job: _Job, result: PointResult | Crash) -> None:
        machines, network = self._missing(job), self._network(job[0])
        self.compiled += 1
        self.counted += len(machines)
        if isinstance(result, Crash):
            status = "timeout" if result.reason.startswith("took more") else "crashed"
            result = PointResult((Outcome(status, message=f"its worker {result.reason}, twice"),) * len(machines), {})
        self._tilings[job] = result.tilings
        tilings = canonical(result.tilings)
        fresh: list[tuple[Trial, Outcome]] = []
        texts = {digest(tilings): tilings}
        for machine, outcome in zip(machines, result.outcomes, strict=True):
            share = result.seconds / len(machines)
            self.known[network.name, machine] = known = _with_origin(outcome, network, digest(tilings), share)
            fresh.append((self._trial(network, machine), known))
            text = machine_text(machine.config, machine.timing)
            texts[digest(text)] = text
        if self.store is not None:
            self.store.record(fresh, texts.items())

    def _tilings_of(self, job: _Job) -> Mapping[str, str]:
        """The tilings of a program that was compiled, now or before; none of one that could not be."""
        if job not in self._tilings:
            outcome = next(self.known[job[0], one] for one in self._by_program[job[1]])
            name = str(json.loads(outcome.more)["tilings"]) if outcome.is_ok else ""
            text = None if self.store is None else self.store.text(name)
            self._tilings[job] = cast("dict[str, str]", json.loads(text or "{}"))
        return self._tilings[job]

    def _missing(self, job: _Job) -> list[Machine]:
        """The machines that run a program on which it was not counted."""
        return [one for one in self._by_program[job[1]] if (job[0], one) not in self.known]

    def _parents(self, job: _Job) -> list[_Job]:
        return [(job[0], parent) for parent in self._families.parents[job[1]]]

    def _network(self, name: str) -> NetworkText:
        return next(one for one in self.networks if one.name == name)

    @cached_property
    def _families(self) -> Families:
        return Families.of(self.machines, share=self.share)

    @cached_property
    def _by_program(self) -> dict[VTAConfig, list[Machine]]:
        found: dict[VTAConfig, list[Machine]] = {}
        for machine in self.machines:
            found.setdefault(machine.program_config, []).append(machine)
        return found

    @cached_property
    def _lineages(self) -> dict[VTAConfig, str]:
        return {config: self._families.lineage(config) for config in self._families.parents}

    def _trial(self, network: NetworkText, machine: Machine) -> Trial:
        """What the store calls a point: its tilings depend on the machines that share theirs with it."""
        timed = machine_text(machine.config, machine.timing)
        shared = self._lineages[machine.program_config]
        return Trial(network.digest, digest(timed), f"point {shared}", model_identity())

    def _read(self) -> None:
        for network in self.networks if self.store is not None else ():
            for machine in self.machines:
                trial = self._trial(network, machine)
                found = self.store.outcomes(trial.problem, trial.machine, trial.model) if self.store else {}
                outcome = found.get(trial.candidate)
                if outcome is not None and not _is_of_other_places(outcome, network):
                    self.known[network.name, machine] = outcome


@contextmanager
def _records_of(executor: Executor) -> Generator[str]:
    """A folder for what the processes of an executor leave for each other; empty where there is one, or no place."""
    with ExitStack() as stack:
        folder = ""
        if isinstance(executor, Processes) and executor.count > 1:
            with suppress(OSError):
                folder = stack.enter_context(TemporaryDirectory(prefix="vtac-", ignore_cleanup_errors=True))
        yield folder


def _with_origin(outcome: Outcome, network: NetworkText, tilings: str, seconds: float) -> Outcome:
    """An outcome that says by which tilings its program was made, and its share of the CPU seconds that this took.

    A refusal says of which text its places are.
    """
    if not outcome.is_ok:
        return replace(outcome, more=json.dumps({"places": network.placed}))
    more = {**json.loads(outcome.more), "tilings": tilings, "seconds": round(seconds, 4)}
    return replace(outcome, more=json.dumps(more, sort_keys=True))


def _is_of_other_places(outcome: Outcome, network: NetworkText) -> bool:
    """Whether it is a refusal that names places of another file, or of this one before it was edited."""
    return outcome.status == "refused" and json.loads(outcome.more or "{}").get("places") != network.placed


def _made_ready(done: _Job, behind: Sequence[_Job], waits: Mapping[_Job, set[_Job]]) -> list[_Job]:
    """The jobs behind one that is done that wait for no other."""
    for job in behind:
        waits[job].discard(done)
    return [job for job in behind if not waits[job]]
