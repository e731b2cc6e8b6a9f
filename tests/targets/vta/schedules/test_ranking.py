"""Candidates of one layer on several machines, which share rehearsals where nothing of them differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.schedule import Schedule
from vtac.targets.vta.schedules import ranking
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.outline import outline_of
from vtac.targets.vta.schedules.ranking import Candidate, candidates
from vtac.targets.vta.schedules.rehearsal import rehearse
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.steps import Outline
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.workloads.conv2d import Conv2D

USUAL = VTAConfig()
SMALLER = replace(USUAL, log_inp_buff_size=14, log_wgt_buff_size=17)


def _layer(conv: Conv2D) -> Layer:
    (layer,) = layers_of(Schedule(vtac.parse(conv.text())))
    return layer


def _rehearsed(layer: Layer, config: VTAConfig) -> list[Candidate]:
    """The candidates whose cycles are those of a rehearsal: the first ones."""
    ranked = candidates(layer, config)
    return [one for one in ranked[:5] if one.estimate.cycles == rehearse(outline_of(layer, one.tiling, config), config)]


@pytest.mark.parametrize(
    "config",
    [
        replace(USUAL, log_inp_buff_size=13, log_wgt_buff_size=16, log_acc_buff_size=15),
        replace(USUAL, log_uop_buff_size=10),
        replace(USUAL, queue_depth=32),
        replace(USUAL, outstanding_bursts=4),
        SMALLER,
    ],
)
def test_what_was_rehearsed_for_another_machine_is_what_a_rehearsal_of_this_one_gives(config: VTAConfig) -> None:
    layer = _layer(Conv2D(1, 28, 28, 64, 64))
    candidates(layer, USUAL)
    ranked = candidates(layer, config)
    assert len(_rehearsed(layer, config)) == len(ranked[:5]) == 5
    assert all(one.estimate.nbytes == outline_of(layer, one.tiling, config).nbytes(config) for one in ranked[:5])


def test_machines_that_differ_in_data_memories_alone_rehearse_a_tiling_once(monkeypatch: pytest.MonkeyPatch) -> None:
    anew: list[Tiling] = []

    def outline(layer: Layer, tiling: Tiling, config: VTAConfig) -> Outline:
        anew.append(tiling)
        return outline_of(layer, tiling, config)

    monkeypatch.setattr(ranking, "outline_of", outline)
    layer = _layer(Conv2D(1, 14, 14, 48, 80))
    candidates(layer, USUAL)
    first = len(anew)
    candidates(layer, SMALLER)
    assert first > 0
    assert len(anew) == len(set(anew)) < 2 * first
    candidates(layer, replace(SMALLER, log_uop_buff_size=10))
    assert len(anew) > len(set(anew))
