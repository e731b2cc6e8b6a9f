"""vtac.Schedule: each method is one directive, the printed script is the schedule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from directive_programs import GEMM, ROW_SUMS, chain

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.hardware import VTAConfig
from vtac.errors import CompileError, ScheduleError
from vtac.pipelines import Runner
from vtac.preparation import prepare
from vtac.schedule import Schedule
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
