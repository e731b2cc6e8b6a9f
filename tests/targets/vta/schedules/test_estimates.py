"""Estimates of tilings against the cycles of their programs."""

from __future__ import annotations

import pytest

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.schedule import Schedule
from vtac.targets.vta.schedules.cost import estimates
from vtac.targets.vta.schedules.search import layers_of, lower_tilings
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.tilings import tilings_of
from vtac.targets.vta.stream.build import build_program
from vtac.workloads.conv2d import Conv2D


@pytest.mark.parametrize("tile", [1, 2, 4])
def test_window_positions_that_meet_padding_alone_are_not_counted(tile: int) -> None:
    config, conv = VTAConfig(), Conv2D(1, 1, 1, 64, 128)
    schedule = Schedule(vtac.parse(conv.text()), config=config)
    (layer,) = layers_of(schedule)
    tiling = Tiling((1, tile, 1, 1), 4, inp=1, wgt=2, acc=2, skip=True, taps=True)
    guess = estimates(layer, tilings_of([tiling], 4), config)
    cycles = build_program(lower_tilings(schedule, [(layer, tiling)]).module).cycles
    assert 0.7 < int(guess.cycles[0]) / cycles < 1.5  # all nine positions would be several times as much
