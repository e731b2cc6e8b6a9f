"""Work shared out among copies of this process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from vtac.workers import forks
from vtac.workers.forks import beside, shared_out

_HERE = os.getpid()


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are copied whatever threads the runner of the tests has."""
    if sys.platform != "linux":
        pytest.skip("processes are copied on Linux alone")
    monkeypatch.setattr(forks, "can_fork", lambda: True)


def _squared(task: int) -> str:
    return str(task**2)


def _lost_elsewhere(task: int) -> str:
    if os.getpid() != _HERE:
        os.kill(os.getpid(), signal.SIGKILL)
    return str(task)


def _broken_elsewhere(task: int) -> str:
    if os.getpid() != _HERE:
        raise ValueError(task)
    return str(task)


def _lost_later(task: int) -> str:
    return _lost_elsewhere(task) if task > 10 else str(task)


def _all(function: Callable[[int], str], tasks: Sequence[int], count: int) -> dict[int, str]:
    """What is found of each task, done here where that is asked for."""
    with closing(shared_out(function, tasks, count)) as found:
        pairs = [(task, str(task) if text is None else text) for task, text in found]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_each_task_is_given_once(count: int) -> None:
    found = _all(str, range(7), count)
    assert found == {task: str(task) for task in range(7)}
    assert _all(str, [], count) == {}


def test_one_process_takes_them_in_order() -> None:
    with closing(shared_out(_squared, [3, 1, 2], 1)) as found:
        assert list(found) == [(3, None), (1, None), (2, None)]


@pytest.mark.usefixtures("copied")
def test_a_copy_gives_back_what_it_has_done(capfd: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()

    def told(task: int) -> str:
        os.write(writing, b"!")
        return _squared(task)

    with closing(shared_out(told, [5, 7], 2)) as found:
        first = next(found)
        os.read(reading, 1)
        rest = [first, *found]
    assert {text for _, text in rest if text is not None} & {"25", "49"}
    assert sorted(task for task, _ in rest) == [5, 7]
    assert capfd.readouterr() == ("", "")
    os.close(reading)
    os.close(writing)


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("function", [_lost_elsewhere, _broken_elsewhere, _lost_later])
def test_what_a_copy_does_not_give_back_is_to_be_done_here(
    function: Callable[[int], str], capfd: pytest.CaptureFixture[str]
) -> None:
    tasks = list(range(20))
    assert _all(function, tasks, 3) == {task: str(task) for task in tasks}
    assert capfd.readouterr() == ("", "")


def _children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split())


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_who_gives_up_leaves_no_process(error: type[BaseException]) -> None:
    before = _children()

    def given_up() -> None:
        with closing(shared_out(_endless_elsewhere, range(4), 3)) as found:
            for _ in found:
                raise error

    with pytest.raises(error):
        given_up()
    assert _children() <= before


def _endless_elsewhere(task: int) -> str:
    while os.getpid() != _HERE:
        signal.pause()
    return str(task)


def test_a_program_of_several_threads_is_not_copied() -> None:
    waiting = threading.Event()
    thread = threading.Thread(target=waiting.wait)
    thread.start()
    try:
        with closing(shared_out(_squared, range(3), 2)) as found:
            assert list(found) == [(0, None), (1, None), (2, None)]
    finally:
        waiting.set()
        thread.join()


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("count", [1, 2])
def test_a_check_beside_is_made_once(count: int) -> None:
    """In a copy, whose list is its own; or here, before the body."""
    made: list[int] = []
    with beside(lambda: made.append(1), count):
        made.append(2)
    assert made == ([1, 2] if count == 1 else [2])


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("fails", [False, True])
def test_what_a_check_raises_comes_before_what_the_body_raises(count: int, fails: bool) -> None:
    def check() -> None:
        raise KeyError("the check")

    def checked() -> None:
        with beside(check, count):
            if fails:
                raise ValueError("the body")

    with pytest.raises(KeyError, match="the check"):
        checked()


@pytest.mark.usefixtures("copied")
def test_a_check_whose_copy_was_killed_is_made_here() -> None:
    made: list[str] = []
    with beside(lambda: made.append(_lost_elsewhere(1)), 2):
        pass
    assert made == ["1"]


@pytest.mark.usefixtures("copied")
def test_a_body_that_fails_beside_a_check_that_passes_says_so() -> None:
    def fail() -> None:
        with beside(lambda: None, 2):
            raise ValueError("the body")

    with pytest.raises(ValueError, match="the body"):
        fail()
