"""annotate: keys that a dialect, a directive, or loops and blocks themselves own are refused."""

from __future__ import annotations

import pytest
from directive_programs import chain

from vtac.dialects.declared import declared_attributes
from vtac.dialects.schedule import DIRECTIVE_NAMES
from vtac.errors import ScheduleError
from vtac.schedule import Schedule

PROGRAM = chain((8,), "a")


@pytest.mark.parametrize("key", sorted({*declared_attributes(), *DIRECTIVE_NAMES}))
@pytest.mark.parametrize("on", ["loop", "block"])
def test_owned_keys(key: str, on: str) -> None:
    schedule = Schedule(PROGRAM)
    block = schedule.get_block("a")
    (loop,) = schedule.get_loops(block)
    before = str(schedule.module)
    with pytest.raises(ScheduleError, match=f"annotate: '{key}' is "):
        schedule.annotate(loop if on == "loop" else block, key, 1)
    assert str(schedule.module) == before


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("pipeline", "'pipeline' is a directive of its own; use pipeline, which checks what it applies to"),
        ("vta.copies", "'vta.copies' is what double_buffer sets; use double_buffer, which checks what it applies to"),
        (
            "vta.threads",
            r"'vta.threads' is the compiler's own \(copies that a buffer has, one for each virtual thread\)",
        ),
        ("schedule.mine", "'schedule.mine': the schedule dialect owns names with its prefix; choose another key"),
        ("extent", "'extent' is what loops and blocks have anyway; choose another key"),
        ("", "'' is what loops and blocks have anyway; choose another key"),
    ],
)
def test_what_to_do_instead(key: str, text: str) -> None:
    schedule = Schedule(PROGRAM)
    with pytest.raises(ScheduleError, match=text):
        schedule.annotate(schedule.get_block("a"), key)


def test_keys_of_ones_own_do_not_meet() -> None:
    schedule = Schedule(PROGRAM)
    block = schedule.get_block("a")
    schedule.annotate(block, "note", 3)
    schedule.annotate(block, "my.note", "x")
    assert 'schedule.annotations = {note = 3 : i64, my.note = "x"}' in str(schedule.module)
