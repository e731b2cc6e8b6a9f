"""Directives that would start sums late, or copy what nothing wrote."""

from __future__ import annotations

import re

import pytest
from directive_programs import PROGRAMS

from vtac.errors import ScheduleError
from vtac.schedule import Schedule


def refused(message: str) -> pytest.RaisesExc[ScheduleError]:
    return pytest.RaisesExc(ScheduleError, match=re.escape(message))


def test_parts_of_a_loop_fused_across_kinds_keep_their_order() -> None:
    schedule = Schedule(PROGRAMS["row_sums"])
    sums = schedule.get_block("sums")
    outer, inner = schedule.split(schedule.fuse(*schedule.get_loops(sums)), factor=2)
    with refused("both count elements of 'sums' and steps of their reduction, in this order"):
        schedule.reorder(inner, outer)


def test_a_guarded_part_of_a_buffer_is_not_copied_as_a_whole() -> None:
    schedule = Schedule(PROGRAMS["prefix"])
    copy = schedule.cache_write(schedule.get_block("t"), 0, "local")
    schedule.split(schedule.get_loops(copy)[0], factor=4, tail="guard")
    with refused("block 't_local' writes 't' with gaps, which a copy would overwrite"):
        schedule.cache_write(copy, 0, "vta.acc")
