"""Chunks are never loaded less often than bounds say, and as often where copies are used in turn."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tuned_programs import LAYERS, SMALL

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.schedule import Schedule
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.outline import outline_of
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.steps import INPUTS, WEIGHTS
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.tilings import Tilings, tilings_of
from vtac.targets.vta.tuning.bound_cut import Cut
from vtac.targets.vta.tuning.bound_reloads import Reloads
from vtac.targets.vta.tuning.space import member_of, space_of
from vtac.targets.vta.tuning.trials import Job, measure
from vtac.workloads.conv2d import Conv2D

DEEP = Conv2D(1, 4, 4, 64, 64, 1, 0)
C2 = Conv2D(1, 56, 56, 64, 64)
SHORT = Conv2D(1, 6, 14, 64, 64, 3, 1, 2)
C8 = Conv2D(1, 28, 28, 128, 256, 1, 0, 2)


@cache
def layer_and_tilings(name: str) -> tuple[Layer, Tilings]:
    text = DEEP.text() if name == "deep" else LAYERS[name]
    (layer,) = layers_of(Schedule(vtac.parse(text), config=SMALL))
    return layer, space_of(layer, SMALL).tilings


def _counts(layer: Layer, tiling: Tiling) -> tuple[int, int]:
    """Chunks of inputs and weights that are loaded at least."""
    assert layer.contraction is not None
    found = Reloads(Cut(layer, layer.contraction, tilings_of([tiling], len(layer.extents)), SMALL))
    return int(found.inputs[0]), int(found.weights[0])


@given(st.sampled_from(["convolution", "steps", "stride", "product", "deep"]), st.integers(0, 10**9))
@settings(max_examples=60)
def test_no_more_than_are_loaded(name: str, number: int) -> None:
    layer, tilings = layer_and_tilings(name)
    assert layer.contraction is not None
    (tiling,) = tilings.rows(np.array([number % len(tilings)])).listed()
    outline = outline_of(layer, tiling, SMALL)
    if any(tile.weight != 1 for tile in outline.tiles):
        return
    loaded = [sum(load.buffer == buffer for load in outline.loads) for buffer in (INPUTS, WEIGHTS)]
    parts = 1
    if tiling.taps:
        cut = Cut(layer, layer.contraction, tilings_of([tiling], len(layer.extents)), SMALL)
        parts = int(cut.positions if isinstance(cut.positions, int) else cut.positions[0])
    inputs, weights = _counts(layer, tiling)
    assert inputs <= loaded[0]
    assert weights * parts <= loaded[1]


@pytest.mark.parametrize(
    ("tiling", "inputs", "weights"),
    [
        pytest.param(Tiling((1, 2, 2, 4), 1, inp=1, wgt=1), 16, 16, id="single copies: all of them for every tile"),
        pytest.param(Tiling((1, 2, 2, 4), 1, inp=1, wgt=4), 16, 8, id="as many as passes: once for all rows"),
        pytest.param(Tiling((1, 2, 2, 4), 1, inp=1, wgt=3), 16, 10, id="fewer: each tile finds those of the last"),
        pytest.param(Tiling((1, 2, 2, 4), 2, inp=1, wgt=3), 8, 8, id="none of their places comes again"),
        pytest.param(Tiling((1, 2, 2, 4), 1, True, inp=4, wgt=1), 8, 16, id="weights inside: inputs stay"),
        pytest.param(Tiling((1, 1, 2, 4), 2, inp=1, wgt=2, threads=2), 16, 16, id="threads have their own"),
    ],
)
def test_copies_are_used_in_turn(tiling: Tiling, inputs: int, weights: int) -> None:
    layer, _ = layer_and_tilings("deep")
    assert _counts(layer, tiling) == (inputs, weights)
    outline = outline_of(layer, tiling, SMALL)
    assert [sum(load.buffer == buffer for load in outline.loads) for buffer in (INPUTS, WEIGHTS)] == [inputs, weights]


@pytest.mark.parametrize(
    ("conv", "tiling", "share"),
    [
        pytest.param(C8, Tiling((1, 8, 7, 14), pieces=4, threads=2), 0.98, id="pieces take longer to store"),
        pytest.param(C8, Tiling((1, 8, 7, 14), inp=2, wgt=2, acc=2, pieces=4), 0.98, id="the same of one thread"),
        pytest.param(C2, Tiling((1, 1, 14, 28), 2, True, inp=2, wgt=8, acc=2), 0.99, id="two micro-ops in a beat"),
        pytest.param(C8, Tiling((1, 4, 7, 7), 1, inp=1, wgt=1), 0.5, id="loads of every tile"),
        pytest.param(SHORT, Tiling((1, 1, 3, 7), 1, inp=4, wgt=4, taps=True), 0.5, id="loads that wait for no latency"),
    ],
)
def test_bounds_are_near_and_below(conv: Conv2D, tiling: Tiling, share: float) -> None:
    schedule = Schedule(vtac.parse(conv.text()), config=VTAConfig())
    member = member_of(layers_of(schedule)[0], tiling, VTAConfig())
    (outcome,) = measure([Job(str(schedule.module), tiling, Timing.de10())])
    assert outcome.status == "ok", outcome.message
    assert share * outcome.cycles < member.least_cycles <= outcome.cycles
    assert member.least_bytes <= outcome.nbytes
