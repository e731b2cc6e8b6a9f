"""What kernels wait for: weights of a whole pass, single copies, micro-ops of all places; bounds count all of these."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.schedule import Schedule
from vtac.targets.vta.cycles import Timing, simulate_cycles
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.tilings import tilings_of
from vtac.targets.vta.tuning.bound_cut import Cut
from vtac.targets.vta.tuning.bound_kernels import KernelBounds
from vtac.targets.vta.tuning.space import member_of
from vtac.targets.vta.tuning.trials import Job, built
from vtac.workloads.conv2d import Conv2D

CONFIG = VTAConfig()
LAST = Conv2D(1, 7, 7, 64, 128)
"""A small image with many weights: loads of these are what is waited for."""


@cache
def problem(conv: Conv2D) -> tuple[str, Layer]:
    schedule = Schedule(vtac.parse(conv.text()), config=CONFIG)
    return str(schedule.module), layers_of(schedule)[0]


def share_that_is_proven(tiling: Tiling, conv: Conv2D = LAST) -> float:
    """The bound of a tiling as a share of what its program takes."""
    text, layer = problem(conv)
    program = built(Job(text, tiling, Timing.de10()))
    return member_of(layer, tiling, CONFIG).least_cycles / simulate_cycles(program.instructions, program.config).cycles


@pytest.mark.parametrize("taps", [False, True])
def test_the_first_kernel_that_skips_padding_waits_for_what_is_loaded_at_once(taps: bool) -> None:
    """Of one pass: weights of all positions are one LOAD, or each has its own."""
    tiling = Tiling((1, 8, 7, 7), channels=4, skip=True, taps=taps)
    assert (0.92 if taps else 0.98) < share_that_is_proven(tiling) <= 1


@pytest.mark.parametrize("skip", [False, True])
def test_one_copy_of_weights_is_loaded_while_nothing_else_is_done(skip: bool) -> None:
    assert 0.97 < share_that_is_proven(Tiling((1, 8, 7, 7), channels=1, inp=2, skip=skip)) <= 1


def test_weights_of_single_positions_are_loaded_while_others_are_multiplied() -> None:
    tiling = Tiling((1, 8, 7, 7), channels=1, inp=2, taps=True)
    assert share_that_is_proven(tiling) <= 1
    assert member_of(problem(LAST)[1], tiling, CONFIG).least_cycles < 0.7 * (
        member_of(problem(LAST)[1], Tiling((1, 8, 7, 7), channels=1, inp=2), CONFIG).least_cycles
    )


@given(
    st.integers(1, 4), st.integers(1, 4), st.integers(1, 2), st.sampled_from([1, 2, 4]), st.booleans(), st.booleans()
)
@settings(max_examples=12)
def test_kernels_load_micro_ops_for_each_place_of_what_they_read_and_write(
    inp: int, wgt: int, acc: int, channels: int, taps: bool, skip: bool
) -> None:
    """As many LOADs as places, of all window positions that have kernels of their own."""
    conv = Conv2D(1, 7, 7, 64, 64)
    text, layer = problem(conv)
    tiling = Tiling((1, 2, 7, 7), channels=channels, inp=inp, wgt=wgt, acc=acc, taps=taps, skip=skip)
    program = built(Job(text, tiling, Timing.de10()))
    report = simulate_cycles(program.instructions, CONFIG)
    loads = [text for number in range(len(report.decoded)) if (text := report.text(number)).startswith("load.uop")]
    assert layer.contraction is not None
    kernels = KernelBounds(Cut(layer, layer.contraction, tilings_of([tiling], 4), CONFIG))
    least = int(kernels.kernel_loads[0] + kernels.alu_loads[0])
    assert least <= len(loads)
    if tiling.channels < 4 and max(inp, wgt) < 3:
        assert len(loads) <= least + 1
