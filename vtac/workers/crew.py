"""Batches on any executor: what was with a worker that died is tried again, item by item."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from vtac.workers.errors import WorkersError, is_loss, reason_of_death

_T = TypeVar("_T")
_R = TypeVar("_R")
_MAY_KILL = 2
"""Workers that an item may end before it counts as the reason."""


@dataclass(frozen=True)
class Crash:
    """What became of an item that ended its workers twice, the second time alone; `reason` says how."""

    reason: str


@dataclass(frozen=True)
class Done(Generic[_R]):
    """A batch that came back, by the number that it was given: a result or a crash for each item, in order."""

    number: int
    results: tuple[_R | Crash, ...]


@dataclass
class _Batch(Generic[_T, _R]):
    number: int
    items: tuple[_T, ...]
    results: dict[int, _R | Crash] = field(default_factory=dict[int, "_R | Crash"])


@dataclass
class _Part(Generic[_T, _R]):
    """Items of a batch that are given to a worker together, by their places; `deaths` of workers that had them."""

    batch: _Batch[_T, _R]
    places: tuple[int, ...]
    deaths: int = 0


class Crew(Generic[_T, _R]):
    """Gives batches of items to the workers of an executor.

    `function` takes a sequence of items and gives a result for each; it can be imported where the workers are. An
    exception of it is raised by `collect`. When a worker dies, everything that was with one is tried again one by
    one, with nothing beside it, so that it is known which item was the reason.
    """

    def __init__(self, executor: Executor, function: Callable[[Sequence[_T]], Sequence[_R]]) -> None:
        self._executor, self._function = executor, function
        self._waiting: deque[_Part[_T, _R]] = deque()
        self._suspect: deque[_Part[_T, _R]] = deque()
        self._running: dict[Future[Sequence[_R]], _Part[_T, _R]] = {}

    def __len__(self) -> int:
        """Parts of batches that have not come back."""
        return len(self._waiting) + len(self._suspect) + len(self._running)

    def submit(self, number: int, items: Sequence[_T]) -> None:
        """Give a batch of at least one item to the workers."""
        self._waiting.append(_Part(_Batch(number, tuple(items)), tuple(range(len(items)))))
        self._dispatch()

    def collect(self, timeout: float | None = None) -> list[Done[_R]]:
        """Wait for at least one part; the batches that are complete with it, perhaps none.

        Raises `WorkersError` when the executor is gone, and what the function raised.
        """
        finished, _ = wait(self._running, timeout, FIRST_COMPLETED)
        found: list[Done[_R]] = []
        for future in [one for one in self._running if one in finished]:
            part = self._running.pop(future)
            self._take(part, future)
            if len(part.batch.results) == len(part.batch.items):
                results = tuple(part.batch.results[place] for place in range(len(part.batch.items)))
                found.append(Done(part.batch.number, results))
        self._dispatch()
        return found

    def _take(self, part: _Part[_T, _R], future: Future[Sequence[_R]]) -> None:
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or (error is not None and is_loss(error)):
            raise _lost(error)
        if error is None:
            part.batch.results.update(zip(part.places, future.result(), strict=True))
            return
        reason = reason_of_death(error)
        if reason is None:
            raise error
        deaths = part.deaths + 1
        if deaths >= _MAY_KILL and len(part.places) == 1:
            part.batch.results[part.places[0]] = Crash(reason)
        else:
            self._suspect += [_Part(part.batch, (place,), deaths) for place in part.places]

    def _dispatch(self) -> None:
        if self._suspect:
            if not self._running:
                self._give(self._suspect.popleft())
            return
        while self._waiting:
            self._give(self._waiting.popleft())

    def _give(self, part: _Part[_T, _R]) -> None:
        items = tuple(part.batch.items[place] for place in part.places)
        try:
            self._running[self._executor.submit(self._function, items)] = part
        except BrokenExecutor as error:
            raise _lost(error) from None


def _lost(error: BaseException | None) -> WorkersError:
    said = f" ({str(error) or type(error).__name__})" if error is not None else ""
    return WorkersError(
        f"the executor is gone and takes no more tasks{said}: what came back before is kept where a store is given; "
        "start it again, or use one that replaces its workers, such as local:2"
    )
