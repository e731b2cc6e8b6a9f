"""Work shared out among copies of this process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from vtac.workers.forks import shared_out

_HERE = os.getpid()


def _squared(task: str) -> str:
    return str(int(task) ** 2)


def _lost_elsewhere(task: str) -> str:
    if os.getpid() != _HERE:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def _broken_elsewhere(task: str) -> str:
    if os.getpid() != _HERE:
        raise ValueError(task)
    return task


def _refused(task: str) -> str:
    raise KeyError(task)


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_results_stand_in_the_order_of_the_tasks(count: int) -> None:
    tasks = [str(number) for number in range(7)]
    assert shared_out(_squared, tasks, count) == [_squared(task) for task in tasks]
    assert shared_out(_squared, [], count) == []


@pytest.mark.parametrize("function", [_lost_elsewhere, _broken_elsewhere])
def test_what_a_copy_does_not_give_back_is_done_here(
    function: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    tasks = [str(number) for number in range(20)]
    assert shared_out(function, tasks, 3) == tasks
    assert capfd.readouterr() == ("", "")


def _children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_error_here_is_raised_and_leaves_no_process() -> None:
    before = _children()
    with pytest.raises(KeyError):
        shared_out(_refused, ["a", "b"], 2)
    assert _children() <= before


def test_a_program_of_several_threads_is_not_copied() -> None:
    seen: list[int] = []

    def noted(task: str) -> str:
        seen.append(os.getpid())
        return task

    waiting = threading.Event()
    thread = threading.Thread(target=waiting.wait)
    thread.start()
    try:
        assert shared_out(noted, ["a", "b", "c"], 2) == ["a", "b", "c"]
    finally:
        waiting.set()
        thread.join()
    assert seen == [os.getpid()] * 3
