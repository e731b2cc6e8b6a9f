"""The loop nest as people write it: after each directive, marked where it changed, and in a notebook."""

from __future__ import annotations

import pytest
from directive_programs import GEMM, chain

import vtac
from vtac.schedule import Schedule
from vtac.text.loop_nest import nest_text

GRID = chain((4, 6), "a", "b")

START = """\
f(x: 4x6xi32, b: 4x6xi32)
  a: 4x6xi32
  for i0 in 0..4
    for i1 in 0..6
      a[i0, i1] = add(x[i0, i1])
  for i0 in 0..4
    for i1 in 0..6
      b[i0, i1] = add(a[i0, i1])"""


def test_the_nest_of_a_new_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    Schedule(GRID).show()
    assert capsys.readouterr().out == f"{START}\n"


def test_scopes_kinds_and_marks_are_shown() -> None:
    schedule = Schedule(GEMM)
    copy = schedule.get_block("inp")
    schedule.dma_copy(schedule.get_loop(copy, "n"))
    schedule.tensorize(schedule.get_loop(schedule.get_block("acc"), "i"), "vta.gemm")
    schedule.unroll(schedule.get_loop(schedule.get_block("acc"), "n"))
    text = nest_text(schedule.function)
    assert "inp: 2x1x1x16xi8 in vta.inp\n" in text
    assert "for n in 0..2  [dma_copy]\n" in text
    assert "for n in 0..2 unrolled\n" in text
    assert "for i in 0..1  [tensorize vta.gemm]\n" in text
    assert "+= mul(inp[" in text
    assert "%" not in text


def test_a_diff_shows_what_the_last_directive_changed(capsys: pytest.CaptureFixture[str]) -> None:
    schedule = Schedule(GRID)
    schedule.split(schedule.get_loops(schedule.get_block("a"))[1], factor=2)
    schedule.get_block("b")
    schedule.show(diff=True)
    assert (
        capsys.readouterr().out
        == """\
split(i1, factor=2, tail='error')
  f(x: 4x6xi32, b: 4x6xi32)
    a: 4x6xi32
    for i0 in 0..4
-     for i1 in 0..6
-       a[i0, i1] = add(x[i0, i1])
+     for i1_outer in 0..3
+       for i1_inner in 0..2
+         a[i0, i1_outer*2 + i1_inner] = add(x[i0, i1_outer*2 + i1_inner])
    for i0 in 0..4
      for i1 in 0..6
        b[i0, i1] = add(a[i0, i1])
"""
    )


def test_a_diff_of_nothing_is_the_nest(capsys: pytest.CaptureFixture[str]) -> None:
    Schedule(GRID).show(diff=True)
    assert capsys.readouterr().out == f"{START}\n"


def test_steps_lead_from_the_first_nest_to_the_last() -> None:
    schedule = Schedule(GRID)
    a, b = schedule.get_block("a"), schedule.get_block("b")
    schedule.compute_at(a, schedule.get_loops(b)[0])
    schedule.set_scope(a, "vta.acc")
    steps = schedule.steps()
    assert [step.directive for step in steps] == ["compute_at(a, i0)", "set_scope(a, index=0, scope='vta.acc')"]
    assert steps[0].before == START
    assert [step.before for step in steps[1:]] == [step.after for step in steps[:-1]]
    assert steps[-1].after == nest_text(schedule.function)
    assert repr(steps[0]) == "<Step compute_at(a, i0)>"


def test_arguments_of_every_kind_are_written_as_python() -> None:
    schedule = Schedule(GRID)
    a = schedule.get_block("a")
    schedule.transform_layout(a, [1, 0])
    schedule.annotate(a, "note", True)
    schedule.annotate(a, "mark")
    shown = [step.directive for step in schedule.steps()]
    assert shown == [
        "transform_layout(a, order=[1, 0])",
        "annotate(a, key='note', value=True)",
        "annotate(a, key='mark', value=True)",
    ]


def test_a_refused_directive_is_no_step() -> None:
    schedule = Schedule(GRID)
    loop = schedule.get_loops(schedule.get_block("a"))[1]
    with pytest.raises(vtac.ScheduleError, match="factor"):
        schedule.split(loop, factor=4)
    assert schedule.steps() == ()


def test_loops_of_one_name_are_told_apart() -> None:
    schedule = Schedule(GRID)
    a, b = schedule.get_block("a"), schedule.get_block("b")
    schedule.compute_at(a, schedule.get_loops(b)[0])
    text = nest_text(schedule.function)
    assert "    for i0' in 0..1\n" in text
    assert "a[i0 + i0', i1] = add(x[i0 + i0', i1])" in text


def test_guards_and_parentheses() -> None:
    schedule = Schedule(GRID)
    fused = schedule.fuse(*schedule.get_loops(schedule.get_block("a")))
    schedule.split(fused, factor=5, tail="guard")
    text = nest_text(schedule.function)
    assert (
        "a[(i0_i1_fused_outer*5 + i0_i1_fused_inner) floordiv 6, (i0_i1_fused_outer*5 + i0_i1_fused_inner) mod 6]"
        in text
    )
    assert " where " in text and ">= 0" in text


def test_handles_and_schedules_are_one_line() -> None:
    schedule = Schedule(GRID)
    a = schedule.get_block("a")
    assert repr(a) == "<block a>"
    assert repr(schedule.get_loops(a)) == "(<loop i0 of 4>, <loop i1 of 6>)"
    assert repr(schedule.get_buffer("x")) == "<buffer x>"
    assert repr(schedule) == "<Schedule of f: 3 directives>"


def test_html_escapes_names() -> None:
    program = GRID.replace("@f(", '@"<b>&"(')
    html = Schedule(program)._repr_html_()  # pyright: ignore[reportPrivateUsage]
    assert html.startswith("<pre>&lt;b&gt;&amp;(x: 4x6xi32")
    assert "<b>" not in html
