"""vtac.Schedule: each method is one directive, the printed script is the schedule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from directive_programs import GEMM, ROW_SUMS, chain

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.hardware import VTAConfig
from vtac.errors import CompileError, ScheduleError
from vtac.pipelines import Runner
from vtac.preparation import prepare
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.registry import find_target
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.text.context import make_context
from vtac.text.source import parse
from vtac.workloads.conv2d import Conv2D, Conv2DTiling
from vtac.workloads.matmul import Matmul, MatmulTiling
from vtac.workloads.vadd import VectorAdd

GRID = chain((4, 6), "a", "b")


def replayed(program: str, schedule: Schedule) -> str:
    """The payload after the printed script has been applied to the program's text."""
    module = parse(f"{program}\n{schedule}")
    module.attributes |= schedule.module.attributes
    Runner(make_context()).run_phases(VTA_PIPELINE.through("scheduled"), module)
    return str(module)


def lines(schedule: Schedule) -> list[str]:
    """The directives of the printed script."""
    return [line.strip() for line in str(schedule).splitlines() if line.startswith("  ")]


def test_an_empty_schedule() -> None:
    schedule = Schedule(GRID)
    assert str(schedule).startswith("schedule.script @f {")
    assert lines(schedule) == []
    assert replayed(GRID, schedule) == str(schedule.module)


def _on_loops(call: Callable[[Schedule], object]) -> list[str]:
    schedule = Schedule(GRID)
    call(schedule)
    assert replayed(GRID, schedule) == str(schedule.module)
    return lines(schedule)


def test_lookups() -> None:
    def call(s: Schedule) -> None:
        a = s.get_block("a")
        loops = s.get_loops(a)
        assert [(loop.name, loop.extent) for loop in loops] == [("i0", 4), ("i1", 6)]
        assert s.get_loop(a, "i1").extent == 6
        assert s.get_buffer("x").name == "x"

    assert _on_loops(call) == [
        '%a = schedule.get_block "a"',
        "%i0, %i1 = schedule.get_loops %a : !schedule.loop, !schedule.loop",
        '%i1_1 = schedule.get_loop %a "i1"',
        '%x = schedule.get_buffer "x"',
    ]


def test_loop_directives() -> None:
    def call(s: Schedule) -> None:
        a, b = s.get_block("a"), s.get_block("b")
        i, j = s.get_loops(a)
        fused = s.fuse(i, j)
        assert (fused.name, fused.extent) == ("i0_i1_fused", 24)
        outer, inner = s.split(fused, factor=5, tail="guard")
        assert (outer.extent, inner.extent) == (5, 5)
        s.reorder(inner, outer)
        s.bind(outer, "cthread")
        s.unroll(inner)
        p, q = s.split(s.get_loops(b)[1], nparts=3)
        assert (p.extent, q.extent) == (3, 2)
        s.vectorize(q)
        s.annotate(p, "note", 3)
        s.annotate(b, "flag")
        s.annotate(b, "on", True)
        s.annotate(b, "text", "x")

    assert _on_loops(call)[3:] == [
        "%i0_i1_fused = schedule.fuse %i0, %i1",
        '%i0_i1_fused_outer, %i0_i1_fused_inner = schedule.split %i0_i1_fused factor 5 tail "guard"',
        "schedule.reorder %i0_i1_fused_inner, %i0_i1_fused_outer",
        'schedule.bind %i0_i1_fused_outer, "cthread"',
        "schedule.unroll %i0_i1_fused_inner",
        "%i0_1, %i1_1 = schedule.get_loops %b : !schedule.loop, !schedule.loop",
        "%i1_outer, %i1_inner = schedule.split %i1_1 nparts 3",
        "schedule.vectorize %i1_inner",
        'schedule.annotate %i1_outer, "note" = 3 : i64 : !schedule.loop',
        'schedule.annotate %b, "flag" = unit : !schedule.block',
        'schedule.annotate %b, "on" = true : !schedule.block',
        'schedule.annotate %b, "text" = "x" : !schedule.block',
    ]


def test_block_directives() -> None:
    def call(s: Schedule) -> None:
        a, b = s.get_block("a"), s.get_block("b")
        copy = s.cache_write(b, 0, "vta.acc")
        assert copy.name == "b_vta_acc"
        assert s.cache_read(a, 0, "vta.acc").name == "x_vta_acc"
        i = s.get_loop(a, "i0")
        s.reverse_compute_at(b, i)
        j = s.get_loop(copy, "i1")
        s.set_scope(a, 0, "vta.acc")
        s.set_scope(a, "vta.inp")
        s.set_scope(s.get_buffer("a"), "local")
        s.reorder(j, s.get_loop(copy, "i0"))
        s.compute_at(s.get_block("x_vta_acc"), i)
        s.compute_inline(a)

    recorded = [line for line in _on_loops(call) if "get_" not in line]
    assert recorded == [
        '%b_vta_acc = schedule.cache_write %b, 0, "vta.acc"',
        '%x_vta_acc = schedule.cache_read %a, 0, "vta.acc"',
        "schedule.reverse_compute_at %b, %i0",
        'schedule.set_scope %a, 0, "vta.acc" : !schedule.block',
        'schedule.set_scope %a, 0, "vta.inp" : !schedule.block',
        'schedule.set_scope %a_1, 0, "local" : !schedule.buffer',
        "schedule.reorder %i1, %i0_1",
        "schedule.compute_at %x_vta_acc_1, %i0",
        "schedule.compute_inline %a",
    ]


def test_reductions_and_hardware() -> None:
    schedule = Schedule(ROW_SUMS)
    sums = schedule.get_block("sums")
    assert schedule.decompose_reduction(sums, schedule.get_loop(sums, "r1")).name == "sums_init"
    assert lines(schedule)[-1] == "%sums_init = schedule.decompose_reduction %sums, %r1"
    assert replayed(ROW_SUMS, schedule) == str(schedule.module)

    schedule = Schedule(GEMM)
    schedule.dma_copy(schedule.get_loop(schedule.get_block("inp"), "n"))
    schedule.alu(schedule.get_loop(schedule.get_block("shr"), "n"))
    schedule.tensorize(schedule.get_loop(schedule.get_block("acc"), "i"), "vta.gemm")
    recorded = [line for line in lines(schedule) if "get_" not in line]
    assert recorded == ["schedule.dma_copy %n", "schedule.alu %n_1", 'schedule.tensorize %i, "vta.gemm"']
    assert replayed(GEMM, schedule) == str(schedule.module)


WIDE = VTAConfig(log_batch=2, log_block=3)


STRIDED = Conv2D(height=9, width=9, stride=2, in_channels=32, out_channels=64)
BATCHED = Matmul(batch=8, in_features=32, out_features=32, config=WIDE)


@pytest.mark.parametrize(
    ("program", "make"),
    [
        (Conv2D().text(), Conv2D().schedule),
        (
            STRIDED.text(),
            lambda: STRIDED.schedule(Conv2DTiling(h_block=2, w_block=5, oc_block=32, vthreads=1, tail="guard")),
        ),
        (Matmul().text(), lambda: Matmul().schedule(MatmulTiling(vthreads=2))),
        (BATCHED.text(), lambda: BATCHED.schedule(MatmulTiling(batch_block=8, in_block=16, out_block=16))),
        (VectorAdd().text(), lambda: VectorAdd().schedule(256)),
    ],
    ids=["conv2d", "conv2d-guarded", "matmul", "matmul-batch", "vadd"],
)
def test_replay_of_the_workloads(program: str, make: Callable[[], Schedule]) -> None:
    schedule = make()
    assert replayed(program, schedule) == str(schedule.module)


def test_the_script_of_the_module_is_left_aside() -> None:
    schedule = Schedule(f'{GRID}schedule.script @f {{\n  %a = schedule.get_block "a"\n}}\n')
    assert lines(schedule) == []


def test_the_given_module_stays_as_it_is() -> None:
    module = vtac.parse(GRID)
    before = str(module)
    schedule = Schedule(module)
    schedule.compute_inline(schedule.get_block("a"))
    assert str(module) == before


def test_the_function_must_be_named_when_there_are_several() -> None:
    two = GRID + GRID.replace("@f", "@g")
    with pytest.raises(ScheduleError) as caught:
        Schedule(two)
    assert str(caught.value) == "which function to schedule? The module has: f, g; give one by function="
    schedule = Schedule(two, function="g")
    schedule.compute_inline(schedule.get_block("a"))
    assert str(schedule).startswith("schedule.script @g")
    assert replayed(two, schedule) == str(schedule.module)


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


def test_what_names_a_record_stands_for_it(tmp_path: Path) -> None:
    stated = tmp_path / "small.json"
    stated.write_text('{"LOG_BATCH": 1}')
    assert Schedule(GRID, config=stated).config == Schedule(GRID, config=str(stated)).config == VTAConfig(log_batch=1)
    assert Schedule(GRID, config="sm_80").config == gpu_architecture("sm_80")
    with pytest.raises(CompileError, match=r"config='none' describes the hardware of no target; .*; vta: cannot read"):
        Schedule(GRID, config="none")
    with pytest.raises(CompileError, match=r"config is of type int with target 'vta': a VTAConfig is required"):
        prepare(parse(GRID), find_target("vta"), 3)


def test_a_schedule_has_the_name_that_it_is_given() -> None:
    schedule = Schedule(GRID)
    assert schedule.name is None
    assert not str(schedule.script).count("attributes")
    schedule.name = "by hand"
    schedule.unroll(schedule.get_loops(schedule.get_block("a"))[0])
    assert 'attributes {schedule.called = "by hand"}' in str(schedule)
    assert replayed(GRID, schedule) == str(schedule.module)
    assert 'schedule.called = "by hand"' in str(schedule.module)
