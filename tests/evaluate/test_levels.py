"""One program, the same numbers at every level: input, payload, each directive, each pass, the instruction stream."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import PAYLOAD_PHASES, SmallConv, Tail, stages
from random_schedules import RandomDirectives

from vtac.errors import CompileError
from vtac.evaluate import blocks, evaluate
from vtac.passes.vta.schedule_inject_virtual_threads import ScheduleInjectVirtualThreads
from vtac.schedule import Schedule
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.text.context import make_context
from vtac.text.source import parse
from vtac.workloads.conv2d import Conv2D, Conv2DTiling

convolutions = st.builds(
    SmallConv,
    in_channels=st.integers(1, 3),
    out_channels=st.sampled_from([2, 4]),
    height=st.integers(3, 6),
    width=st.integers(3, 6),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    padding=st.integers(0, 2),
)


def assert_stages(conv: SmallConv, script: str) -> None:
    data, kernel = conv.arrays()
    expected = conv.expected(data, kernel)
    for name, module in stages(conv.text() + script):
        assert np.array_equal(evaluate(module, data, kernel), expected), name


@settings(max_examples=6)
@given(convolutions, st.integers(1, 4), st.integers(1, 4), st.integers(1, 2))
def test_tiles_with_guarded_tails(conv: SmallConv, rows: int, columns: int, threads: int) -> None:
    assert_stages(conv, conv.blocked_schedule(min(rows, conv.rows), min(columns, conv.columns), threads))


@settings(max_examples=8)
@given(convolutions, st.sampled_from(["acc", "res"]), st.sampled_from(["guard", "peel"]), st.integers(2, 3))
def test_splits_that_do_not_divide(conv: SmallConv, block: str, tail: Tail, factor: int) -> None:
    extents = (conv.out_channels, conv.rows, conv.columns)
    reductions = (conv.in_channels, conv.kernel, conv.kernel) if block == "acc" else ()
    factors = {position: min(factor, extent) for position, extent in enumerate((*extents, *reductions))}
    script = conv.split_schedule(block, {p: f for p, f in factors.items() if p in (1, 2, 4)}, tail)
    assert_stages(conv, script)


@pytest.mark.parametrize("seed", range(8))
def test_random_directives_and_then_the_passes(seed: int) -> None:
    conv = SmallConv(1 + seed % 3, 3, 5, 4, 1 + seed % 3, 1 + seed % 2, seed % 3)
    data, kernel = conv.arrays(seed)
    expected = conv.expected(data, kernel)
    schedule = Schedule(parse(conv.text()))
    for directive in RandomDirectives(schedule, seed).apply(20):
        schedule.module.verify()
        assert np.array_equal(evaluate(schedule.module, data, kernel), expected), directive
    module = schedule.module.clone()
    blocked = next(phase.passes for phase in VTA_PIPELINE.phases if phase.name == "blocked")
    for step in (*blocked, ScheduleInjectVirtualThreads()):
        try:
            step.apply(make_context(), module)
        except CompileError:
            return
        assert np.array_equal(evaluate(module, data, kernel), expected), step.name


@pytest.mark.parametrize("points", [1, 40])
def test_the_numbers_do_not_depend_on_how_much_runs_side_by_side(points: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "POINTS_AT_ONCE", points)
    assert_stages(SmallConv(2, 2, 3, 4, 2, 1, 1), SmallConv(2, 2, 3, 4, 2, 1, 1).blocked_schedule(2, 2, 2))


@pytest.mark.parametrize("vthreads", [1, 2])
def test_a_convolution_for_the_hardware(vthreads: int) -> None:
    workload = Conv2D(height=6, width=5, in_channels=32, out_channels=64)
    tiling = Conv2DTiling(h_block=3, w_block=5, oc_block=32, vthreads=vthreads)
    rng = np.random.default_rng(vthreads)
    schedule = workload.schedule(tiling)
    module = parse(workload.text() + str(schedule))
    arguments = [
        rng.integers(-128, 128, shape).astype(np.int8) for shape in (workload.data_shape, workload.kernel_shape)
    ]
    expected = evaluate(module, *arguments)
    for phase in VTA_PIPELINE.phases:
        for step in phase.passes:
            step.apply(make_context(), module)
        if phase.name in (*PAYLOAD_PHASES, "vta"):
            assert np.array_equal(evaluate(module, *arguments), expected), phase.name
