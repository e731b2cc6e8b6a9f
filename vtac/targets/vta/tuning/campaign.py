"""The searches of several layers on the workers of one executor."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from time import monotonic

from vtac.dialects.hardware import VTAConfig
from vtac.progress import Progress
from vtac.store.records import Outcome, Trial, digest
from vtac.store.store import Store
from vtac.targets.vta.compiler_identity import model_identity
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.tuning.budget import Budget, shared
from vtac.targets.vta.tuning.identity import layer_text, machine_text, tiling_text, trial_of
from vtac.targets.vta.tuning.search import LayerSearch
from vtac.targets.vta.tuning.space import Member
from vtac.targets.vta.tuning.trials import Job, measure
from vtac.workers.crew import Crash, Crew

_UNKNOWN_WORKERS = 16


@dataclass
class Problem:
    """A layer to tune: its function as text, what it is called, the cycles of its calls at least, and its search."""

    name: str
    layer: Layer
    text: str
    weight: int
    search: LayerSearch
    known: dict[str, Outcome] = field(default_factory=dict[str, Outcome])


class Campaign:
    """Tries tilings of all problems until each search is done or the budget is used up.

    Outcomes go to the store when they come back; what it knows is not tried again.
    """

    def __init__(
        self, problems: Sequence[Problem], config: VTAConfig, executor: Executor, store: Store | None, budget: Budget
    ) -> None:
        self.problems, self.config, self.store = problems, config, store
        self.timing = Timing.de10()
        self.crew: Crew[Job, Outcome] = Crew(executor, measure)
        self.deadline, self.budget = budget.deadline(), budget
        self._most = int(getattr(executor, "count", _UNKNOWN_WORKERS)) + 1
        self._at_work: dict[int, tuple[Problem, int, Sequence[Member]]] = {}
        self._number = 0
        machine = machine_text(config, self.timing)
        for problem in problems:
            layer = digest(layer_text(problem.layer))
            problem.known = store.outcomes(layer, digest(machine), model_identity()) if store is not None else {}

    def run(self, progress: Progress | None) -> None:
        """Work until the end. Raises `WorkersError` and `StoreError`."""
        self._work(progress)
        while self._share_rest():
            self._work(progress)
        for problem in self.problems:
            problem.search.finish()

    def _work(self, progress: Progress | None) -> None:
        """Until each search has tried what it may."""
        while True:
            self._give()
            if not self._at_work:
                return
            for done in self.crew.collect(timeout=1.0):
                self._take(done.number, done.results)
            if progress is not None:
                progress("tune", self._tried, self.budget.tilings or 0)

    @property
    def _tried(self) -> int:
        return sum(problem.search.tried for problem in self.problems)

    def _share_rest(self) -> bool:
        """What searches that came to their end have left of a number of tilings goes to the others; whether any does.

        Who gets what follows from what each has tried, whoever was the faster.
        """
        rest = (self.budget.tilings or 0) - self._tried
        able = [problem for problem in self.problems if not problem.search.is_exhausted]
        if rest <= 0 or not able:
            return False
        for problem, more in zip(able, shared(rest, [one.weight for one in able]), strict=True):
            problem.search.allow(more)
        return True

    def _give(self) -> None:
        """Keep the workers busy; what is known already comes back at once."""
        while len(self._at_work) < self._most:
            problem = self._next()
            if problem is None:
                return
            number, members = problem.search.batch()
            if all(tiling_text(member.tiling) in problem.known for member in members):
                problem.search.take(number, [problem.known[tiling_text(member.tiling)] for member in members])
                continue
            unknown = [member for member in members if tiling_text(member.tiling) not in problem.known]
            self._number += 1
            self._at_work[self._number] = problem, number, members
            self.crew.submit(self._number, [Job(problem.text, member.tiling, self.timing) for member in unknown])

    def _next(self) -> Problem | None:
        """Whose turn it is: of the problems that can go on, the one with the fewest trials for its weight.

        After the deadline only those that nothing was tried of.
        """
        is_late = self.deadline is not None and monotonic() > self.deadline
        able = [
            problem
            for problem in self.problems
            if not (is_late and problem.search.tried) and not problem.search.is_waiting and not problem.search.is_done
        ]
        return min(able, key=lambda problem: problem.search.tried / problem.weight, default=None)

    def _take(self, number: int, results: Sequence[Outcome | Crash]) -> None:
        problem, batch, members = self._at_work.pop(number)
        fresh: list[tuple[Trial, Outcome]] = []
        waiting = iter(results)
        for member in members:
            text = tiling_text(member.tiling)
            if text not in problem.known:
                outcome = _outcome(next(waiting))
                problem.known[text] = outcome
                fresh.append((trial_of(problem.layer, self.config, self.timing, member.tiling), outcome))
        if self.store is not None:
            layer, machine = layer_text(problem.layer), machine_text(self.config, self.timing)
            self.store.record(fresh, [(digest(layer), layer), (digest(machine), machine)])
        problem.search.take(batch, [problem.known[tiling_text(member.tiling)] for member in members])


def _outcome(result: Outcome | Crash) -> Outcome:
    if isinstance(result, Crash):
        status = "timeout" if result.reason.startswith("took more") else "crashed"
        return Outcome(status, message=f"its worker {result.reason}, twice")
    return result
