"""Arguments of directives in Python: what is refused, and that nothing is left of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from directive_programs import chain

from vtac.errors import ScheduleError
from vtac.schedule import BlockRef, LoopRef, Schedule

GRID = chain((4, 6), "a", "b")


def test_set_scope_of_wrong_arguments() -> None:
    schedule = Schedule(GRID)
    with pytest.raises(ScheduleError) as caught:
        schedule.set_scope(schedule.get_block("a"), "vta.acc", 0)  # pyright: ignore[reportArgumentType]
    assert str(caught.value) == "set_scope: expected (target, scope) or (target, index, scope)"


def test_set_scope_of_too_many_or_too_few_arguments() -> None:
    schedule = Schedule(GRID)
    block = schedule.get_block("a")
    for arguments in ((), (0, 0, "vta.acc")):
        with pytest.raises(ScheduleError, match="set_scope: expected"):
            schedule.set_scope(block, *arguments)  # pyright: ignore[reportArgumentType, reportCallIssue]


WORD = "an integer of 64 bits"
REFERENCE = "a reference that a method of the schedule gave"


WRONG_ARGUMENTS: dict[str, tuple[Callable[[Any, BlockRef, LoopRef], object], str]] = {
    "fraction": (
        lambda s, b, i: s.annotate(b, "x", 1.5),
        f"annotate: x is 1.5; a bool, {WORD}, a string or None is required",
    ),
    "list": (
        lambda s, b, i: s.annotate(b, "x", [1]),
        f"annotate: x is [1]; a bool, {WORD}, a string or None is required",
    ),
    "wide annotation": (
        lambda s, b, i: s.annotate(i, "x", 1 << 63),
        f"annotate: x is 9223372036854775808; a bool, {WORD}, a string or None is required",
    ),
    "huge annotation": (
        lambda s, b, i: s.annotate(i, "x", 10**5000),
        f"annotate: x is an integer of 16610 bits; a bool, {WORD}, a string or None is required",
    ),
    "annotation key": (lambda s, b, i: s.annotate(b, 3), "annotate: key is 3; a string is required"),
    "thread": (lambda s, b, i: s.bind(i, 3), "bind: thread is 3; a string is required"),
    "loop": (lambda s, b, i: s.bind("i0", "cthread"), f"bind: loop is 'i0'; {REFERENCE} is required"),
    "wide factor": (
        lambda s, b, i: s.split(i, factor=1 << 70),
        f"split: factor is 1180591620717411303424; {WORD} is required",
    ),
    "fractional factor": (lambda s, b, i: s.split(i, factor=2.0), f"split: factor is 2.0; {WORD} is required"),
    "textual factor": (lambda s, b, i: s.split(i, factor="2"), f"split: factor is '2'; {WORD} is required"),
    "boolean parts": (lambda s, b, i: s.split(i, nparts=True), f"split: nparts is True; {WORD} is required"),
    "array": (
        lambda s, b, i: s.split(i, factor=np.array([2, 3])),
        f"split: factor is array([2, 3]); {WORD} is required",
    ),
    "tail": (lambda s, b, i: s.split(i, factor=2, tail=None), "split: tail is None; a string is required"),
    "block name": (lambda s, b, i: s.get_block(3), "get_block: name is 3; a string is required"),
    "block": (lambda s, b, i: s.get_loops("a"), f"get_loops: block is 'a'; {REFERENCE} is required"),
    "scope": (lambda s, b, i: s.cache_read(b, 0, 1), "cache_read: scope is 1; a string is required"),
    "order": (
        lambda s, b, i: s.transform_layout(b, 1),
        "transform_layout: order is 1; a sequence of integers is required",
    ),
    "fractional order": (
        lambda s, b, i: s.transform_layout(b, [0, 1.5]),
        f"transform_layout: order is 1.5; {WORD} is required",
    ),
    "fused": (lambda s, b, i: s.fuse(i, None), f"fuse: loop is None; {REFERENCE} is required"),
    "step": (lambda s, b, i: s.rotate(i, i, "1"), f"rotate: step is '1'; {WORD} is required"),
}


@pytest.mark.parametrize("case", WRONG_ARGUMENTS)
def test_wrong_arguments_leave_the_script_as_it_was(case: str) -> None:
    call, text = WRONG_ARGUMENTS[case]
    schedule = Schedule(GRID)
    block = schedule.get_block("a")
    loop = schedule.get_loops(block)[0]
    before = str(schedule)
    with pytest.raises(ScheduleError) as caught:
        call(schedule, block, loop)
    assert str(caught.value) == text
    assert str(schedule) == before


def _of_another_schedule() -> LoopRef:
    schedule = Schedule(GRID)
    return schedule.get_loop(schedule.get_block("a"), "i0")


WRONG_HANDLES: dict[str, Callable[[Any, BlockRef, LoopRef], object]] = {
    "loops of a loop": lambda s, b, i: s.get_loops(i),
    "bound block": lambda s, b, i: s.bind(b, "cthread"),
    "nothing fused": lambda s, b, i: s.fuse(),
    "nothing ordered": lambda s, b, i: s.reorder(),
    "another schedule's": lambda s, b, i: s.unroll(_of_another_schedule()),
}


@pytest.mark.parametrize("case", WRONG_HANDLES)
def test_wrong_handles_are_refused(case: str) -> None:
    call = WRONG_HANDLES[case]
    schedule = Schedule(GRID)
    block = schedule.get_block("a")
    loop = schedule.get_loops(block)[0]
    before = str(schedule)
    with pytest.raises(ScheduleError):
        call(schedule, block, loop)
    assert str(schedule) == before


def test_numpy_integers_are_integers() -> None:
    schedule = Schedule(GRID)
    loop = schedule.get_loops(schedule.get_block("a"))[1]
    assert schedule.split(loop, factor=cast(int, np.int64(2)))[1].extent == 2
    assert "factor 2" in str(schedule)


def test_a_directive_that_fails_in_any_way_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = Schedule(GRID)
    loop = schedule.get_loops(schedule.get_block("a"))[0]
    before = str(schedule)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("vtac.schedule.recording.apply_directive", fail)
        with pytest.raises(KeyboardInterrupt):
            schedule.unroll(loop)
    assert str(schedule) == before
