"""The roof of a layer is a true lower bound: of cycles and bytes, under every tiling, padding skipped or not."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import vtac
from vtac.errors import TilingError
from vtac.schedule import Schedule
from vtac.targets.vta.schedules.candidates import cuts
from vtac.targets.vta.schedules.ranking import candidates
from vtac.targets.vta.schedules.roof import roof
from vtac.targets.vta.schedules.search import layers_of, lower_tilings
from vtac.targets.vta.stream.build import build_program
from vtac.workloads.conv2d import Conv2D


@st.composite
def convolutions(draw: st.DrawFn) -> Conv2D:
    kernel = draw(st.sampled_from([1, 2, 3, 5]))
    sizes = st.integers(1, 9)
    channels = st.sampled_from([16, 32, 48])
    layer = (draw(sizes), draw(sizes), draw(channels), draw(channels), kernel)
    padding, stride = draw(st.integers(0, kernel)), draw(st.integers(1, 3))
    assume(min(layer[:2]) + 2 * padding >= kernel)
    return Conv2D(1, *layer, padding, stride)


def _assert_bounded(conv: Conv2D, choose: int, *, skips: bool) -> bool:
    """Compare under one of the tilings; whether it can be built."""
    module = vtac.parse(conv.text())
    schedule = Schedule(module)
    (layer,) = layers_of(schedule)
    config = vtac.VTAConfig()
    tilings = [one.tiling for one in candidates(layer, config)]
    if skips:
        tilings = [tiling for tiling in cuts(layer, config).listed() if tiling.skip]
    try:
        lowering = lower_tilings(schedule, [(layer, tilings[choose % len(tilings)])])
    except TilingError:
        return False
    assert roof(layer, config).cycles <= build_program(lowering.module).cycles
    return True


@settings(max_examples=8)
@given(convolutions(), st.integers(0, 30))
def test_no_tiling_goes_below(conv: Conv2D, choose: int) -> None:
    _assert_bounded(conv, choose, skips=False)


@pytest.mark.parametrize(
    ("height", "width", "kernel", "padding", "stride"),
    [(4, 4, 3, 1, 1), (2, 1, 3, 1, 1), (3, 3, 3, 3, 3), (5, 2, 3, 2, 1), (7, 7, 3, 2, 2)],
)
def test_nor_one_that_skips_padding(height: int, width: int, kernel: int, padding: int, stride: int) -> None:
    conv = Conv2D(1, height, width, 32, 32, kernel, padding, stride)
    built = [_assert_bounded(conv, choose, skips=True) for choose in (0, 3)]
    assert any(built)
