"""Batches on workers: those that die take nothing with them, and what ends them twice is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest
from worker_tasks import HANGS, KILLS, LEAVES, RAISES, squares, squares_once_killed, unpicklable

from vtac.workers.crew import Crash, Crew
from vtac.workers.errors import WorkersError
from vtac.workers.places import executor_at
from vtac.workers.processes import Processes


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with Processes(2) as executor:
        yield executor


def gathered(crew: Crew[int, int], batches: Sequence[Sequence[int]]) -> dict[int, tuple[int | Crash, ...]]:
    for number, items in enumerate(batches):
        crew.submit(number, items)
    found: dict[int, tuple[int | Crash, ...]] = {}
    while len(crew):
        found.update({done.number: done.results for done in crew.collect()})
    return found


def test_batches_come_back_whole(processes: Processes) -> None:
    found = gathered(Crew(processes, squares), [[1, 2, 3], [4], [5, 6]])
    assert found == {0: (1, 4, 9), 1: (16,), 2: (25, 36)}


def test_only_what_kills_is_lost(processes: Processes) -> None:
    batches = [[number, number + 1, number + 2] for number in range(0, 30, 3)]
    batches[2][1] = KILLS
    batches[5][0] = LEAVES
    found = gathered(Crew(processes, squares), batches)
    assert found[2] == (36, Crash("was killed by SIGKILL"), 64)
    assert found[5] == (Crash("ended with status 3"), 256, 289)
    rest = [found[number] for number in range(10) if number not in (2, 5)]
    assert [value for results in rest for value in results] == [n * n for n in range(30) if n // 3 not in (2, 5)]


def test_a_worker_that_dies_once_costs_nothing(processes: Processes, tmp_path: object) -> None:
    items = [(3, f"{tmp_path}/marker"), (4, "")]
    crew = Crew(processes, squares_once_killed)
    crew.submit(0, items)
    found = [done for _ in range(3) for done in (crew.collect() if len(crew) else [])]
    assert [done.results for done in found] == [(9, 16)]


def test_a_task_without_end_is_ended() -> None:
    with Processes(1, limit=0.5) as executor:
        assert gathered(Crew(executor, squares), [[2, HANGS]]) == {0: (4, Crash("took more than 0.5 s"))}


def test_what_a_task_raises_is_raised(processes: Processes) -> None:
    with pytest.raises(ZeroDivisionError, match="divided by nothing"):
        gathered(Crew(processes, squares), [[RAISES]])
    crew = Crew(processes, unpicklable)
    with pytest.raises(RuntimeError, match="LocalError: 1"):
        gathered(crew, [[1]])


def test_threads_are_an_executor_too() -> None:
    with ThreadPoolExecutor(2) as executor:
        assert gathered(Crew(executor, squares), [[1, 2], [3]]) == {0: (1, 4), 1: (9,)}


class _Gone(Executor):
    """An executor whose scheduler is gone: it cancels, or breaks."""

    def __init__(self, *, breaks: bool) -> None:
        self.breaks = breaks

    def submit(self, *_: object, **__: object) -> Future[Sequence[int]]:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self.breaks:
            raise BrokenProcessPool("a child died")
        future: Future[Sequence[int]] = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future


@pytest.mark.parametrize("breaks", [True, False])
def test_an_executor_that_is_gone_is_said(breaks: bool) -> None:
    with pytest.raises(WorkersError, match=r"the executor is gone and takes no more tasks.*such as local:2"):
        gathered(Crew(_Gone(breaks=breaks), squares), [[1]])


def test_after_its_end_an_executor_takes_nothing() -> None:
    executor = Processes(1)
    executor.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(squares, [1])


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("local:0", "'0' is no number of processes; 1 to 4,096 are possible"),
        ("local:", "'' is no number of processes"),
        ("local:two", "'two' is no number of processes"),
        ("dask:", "'dask:' names no executor; expected 'local'"),
        ("cloud", "'cloud' names no executor"),
    ],
)
def test_a_name_of_no_executor_is_refused(place: str, message: str) -> None:
    with pytest.raises(WorkersError, match=message):
        executor_at(place)


def test_dask_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: str) -> None:
        return None

    monkeypatch.setattr("vtac.workers.places.find_spec", none)
    with pytest.raises(Exception, match=r"needs the package 'distributed': pip install 'vtac\[dask\]'"):
        executor_at("dask:tcp://localhost:1")
