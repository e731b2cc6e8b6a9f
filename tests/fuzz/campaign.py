"""Many cases: drawn and judged side by side, each in a process of its own, and grouped by signature."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from fuzz.case import FuzzTarget, Payload, draw_case
from fuzz.isolation import Running, receive, start, stop
from fuzz.outcome import Outcome, UnfitError, failure

Watch = Callable[[], AbstractContextManager["set[str]"]]
"""Opened around a case, gives a set that fills with the names of what the case reaches."""


def unwatched() -> AbstractContextManager[set[str]]:
    """Nothing is looked at."""
    return nullcontext(set())


class Case(NamedTuple):
    """A case to run: number `seed` of a target."""

    target: FuzzTarget
    seed: int


@dataclass(frozen=True)
class Bounds:
    """Cases at a time, seconds after which none is started (0: no bound), and how each is watched."""

    jobs: int = 1
    seconds: float = 0.0
    watch: Watch = unwatched


@dataclass
class Tally:
    """What a campaign has seen of one target."""

    statuses: Counter[str] = field(default_factory=Counter[str])
    failures: dict[str, list[int]] = field(default_factory=dict[str, "list[int]"])
    reach: Counter[str] = field(default_factory=Counter[str])
    slowest: tuple[float, int] = (0.0, -1)
    seconds: float = 0.0

    @property
    def cases(self) -> int:
        return self.statuses.total()

    def add(self, seed: int, outcome: Outcome) -> None:
        """Count one case."""
        self.statuses[outcome.status] += 1
        self.reach.update(outcome.reach)
        self.seconds += outcome.seconds
        if outcome.status == "failed":
            self.failures.setdefault(outcome.signature, []).append(seed)
        self.slowest = max(self.slowest, (outcome.seconds, seed))


def run_cases(cases: Iterable[Case], bounds: Bounds) -> Iterator[tuple[Case, Outcome]]:
    """Run cases, `bounds.jobs` at a time; each is given with its outcome when it has ended, in any order."""
    deadline = time.monotonic() + bounds.seconds if bounds.seconds else None
    waiting = iter(cases)
    running: dict[int, tuple[Running, Case]] = {}
    try:
        while True:
            while len(running) < bounds.jobs and (deadline is None or time.monotonic() < deadline):
                case = next(waiting, None)
                if case is None:
                    break
                child = start(lambda case=case: drawn_and_judged(case, bounds.watch))
                running[child.pid] = (child, case)
            if not running:
                return
            ended, outcome = receive([child for child, _ in running.values()])
            _, case = running.pop(ended.pid)
            yield case, outcome
    finally:
        stop([child for child, _ in running.values()])


def run_campaign(target: FuzzTarget, seeds: Iterable[int], bounds: Bounds = Bounds()) -> Tally:
    """Cases of one target, counted."""
    tally = Tally()
    for case, outcome in run_cases((Case(target, seed) for seed in seeds), bounds):
        tally.add(case.seed, outcome)
    return tally


def drawn_and_judged(case: Case, watch: Watch) -> Outcome:
    """The outcome of a case, drawing it included, and what it reached."""
    with watch() as reached:
        outcome = judged(case.target, lambda: draw_case(*case))
    return replace(outcome, reach=tuple(dict.fromkeys((*outcome.reach, *sorted(reached)))))


def judged(target: FuzzTarget, draw: Callable[[], Payload]) -> Outcome:
    """The outcome of a payload; one that its own generator does not take is the generator's failure."""
    try:
        return target.judge(draw())
    except UnfitError as error:
        return Outcome("failed", f"unfit case: {target.name}", str(error))
    except MemoryError:
        raise
    except Exception as error:
        return failure(error)


def shares(count: int, weights: Mapping[str, int]) -> dict[str, int]:
    """`count` cases shared out by weight: at least one each, `count` in all where there are as many."""
    total = sum(weights.values())
    given = {name: max(count * weight // total, 1) for name, weight in weights.items()}
    left = count - sum(given.values())
    for name in sorted(weights, key=lambda name: -weights[name])[: max(left, 0)]:
        given[name] += 1
    return given
