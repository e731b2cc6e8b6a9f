"""Work shared with fresh processes, where this one cannot be copied."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import Executor, Future
from contextlib import closing

import pytest

from vtac.workers import helpers as module
from vtac.workers.helpers import helpers, shared_with


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process counts as one that cannot be copied."""
    monkeypatch.setattr(module, "can_fork", lambda: False)


def nothing() -> None:
    """What a process calls before its first task."""


def lost(task: str) -> str:
    """Ends the process that calls it."""
    os.kill(os.getpid(), signal.SIGKILL)
    return task


class Waiting(Executor):
    """Starts a task when it is told to, as a process would."""

    def __init__(self) -> None:
        self.futures: list[Future[str]] = []

    def submit(self, fn: object, /, *args: object, **kwargs: object) -> Future[str]:  # pyright: ignore[reportIncompatibleMethodOverride]
        del fn, args, kwargs
        self.futures.append(Future())
        return self.futures[-1]


def test_tasks_come_back_from_processes_or_are_done_here() -> None:
    with helpers(3, nothing) as executor:
        assert executor is not None
        with closing(shared_with(executor, str.upper, {number: f"task {number}" for number in range(9)})) as found:
            pairs = list(found)
    assert sorted(number for number, _ in pairs) == list(range(9))
    assert {text for _, text in pairs if text is not None} <= {f"TASK {number}" for number in range(9)}
    assert "vtac worker" not in {thread.name for thread in threading.enumerate()}


def test_what_a_process_has_begun_is_waited_for_and_the_rest_is_done_here() -> None:
    executor = Waiting()
    with closing(shared_with(executor, str.upper, {4: "a", 7: "b", 2: "c"})) as found:
        first = next(found)
        executor.futures[1].set_running_or_notify_cancel()
        second = next(found)
        executor.futures[1].set_result("B")
        assert [first, second, *found] == [(4, None), (2, None), (7, "B")]


def test_what_fails_elsewhere_is_to_be_done_here() -> None:
    executor = Waiting()
    with closing(shared_with(executor, str.upper, {4: "a", 7: "b"})) as found:
        first = next(found)
        executor.futures[1].set_running_or_notify_cancel()
        executor.futures[1].set_exception(ValueError("elsewhere"))
        assert [first, *found] == [(4, None), (7, None)]


def test_a_process_that_is_killed_gives_nothing_back() -> None:
    with helpers(2, nothing) as executor:
        assert executor is not None
        future = executor.submit(lost, "a")
        assert future.exception() is not None
        with closing(shared_with(executor, lost, {1: "a", 2: "b"})) as found:
            assert sorted(found) == [(1, None), (2, None)]


@pytest.mark.parametrize("count", [0, 1])
def test_one_process_has_no_helpers(count: int) -> None:
    with helpers(count, nothing) as executor:
        assert executor is None


def test_who_can_be_copied_has_no_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "can_fork", lambda: True)
    with helpers(2, nothing) as executor:
        assert executor is None


def test_they_end_with_an_interrupt() -> None:
    def interrupted() -> None:
        with helpers(2, nothing) as executor:
            assert executor is not None
            given.append(executor)
            raise KeyboardInterrupt

    given: list[Executor] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises(RuntimeError, match="after shutdown"):
        given[0].submit(nothing)
