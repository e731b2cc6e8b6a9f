"""Directives that would start sums late, continue them twice, or copy what nothing wrote."""

from __future__ import annotations

import re

import pytest
from directive_programs import PROGRAMS

from vtac.dialects.diagnostics import ScheduleError
from vtac.schedule import Schedule


def refused(message: str) -> pytest.RaisesExc[ScheduleError]:
    return pytest.RaisesExc(ScheduleError, match=re.escape(message))


def test_a_start_stays_in_the_loop_that_repeats_its_update() -> None:
    schedule = Schedule(PROGRAMS["updated"])
    first, second, both = (schedule.get_block(name) for name in ("first", "second", "both"))
    copy = schedule.cache_read(first, 1, "global")
    fused = schedule.fuse(*schedule.get_loops(both))
    schedule.compute_at(second, fused)
    with refused(
        "block 'second' goes on from what block 'first' starts in each iteration of loop 'i0_i1_fused' (extent 8)"
    ):
        schedule.reverse_compute_at(first, schedule.get_loops(copy)[0])


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
