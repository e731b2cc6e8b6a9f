"""Rehearsals of int32 tiles that are loaded while the load unit has the bus, too."""

from __future__ import annotations

import pytest
from rehearsed_layers import network_layers, rehearsal_errors

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.schedules.fetching import traffic_of
from vtac.targets.vta.schedules.rehearsal import rehearse
from vtac.targets.vta.schedules.steps import KernelStep, LoadStep, Outline, TileEnd
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.transfers import NOTHING, Chunk

BLOCK32 = VTAConfig(log_block=5)
BLOCK64 = VTAConfig(log_block=6)


@pytest.mark.parametrize(
    ("network", "layer", "tiling"),
    [
        ("squeezenet", "squeezenet_22", Tiling((1, 2, 1, 13), weights_inside=True, inp=2, wgt=2, acc=2, pieces=2)),
        ("mobilenet-v2", "mobilenet_v2_51", Tiling((1, 5, 7, 7), inp=5, wgt=2, acc=2)),
        ("mobilenet-v2", "mobilenet_v2_42", Tiling((1, 1, 7, 7), channels=3, wgt=2, acc=2)),
    ],
)
def test_bursts_of_int32_tiles_and_of_the_load_unit_take_turns(network: str, layer: str, tiling: Tiling) -> None:
    """Side by side from their starts; asked for while the load unit waits for its last ones; behind a late LOAD."""
    cycles, *_ = rehearsal_errors(network_layers(network, BLOCK64)[layer], BLOCK64, tiling)
    assert abs(cycles) < 0.02


def test_micro_ops_wait_for_a_load_as_long_as_that_takes_with_what_delays_it() -> None:
    """Each of four waits for 16 bursts of weights, which int32 tiles and instructions make later."""
    tiling = Tiling((1, 4, 1, 7), channels=4, weights_inside=True, inp=2, wgt=8, acc=2, pieces=4)
    cycles, *_ = rehearsal_errors(network_layers("resnet18", BLOCK32)["resnet18_16"], BLOCK32, tiling)
    assert abs(cycles) < 0.015


def outline(inputs: int, wide: int) -> Outline:
    """A kernel behind one LOAD of the load unit and one of int32 tiles, which begin together, of so many beats."""
    loads = [LoadStep(0, -1, 0, Chunk(64, 23, 1)), LoadStep(1, 0, 0, Chunk(inputs, 23, 1) if inputs else NOTHING)]
    kernels = [KernelStep(999, 1, 0, chunks=(0,)), KernelStep(9, 1, 0, wide=Chunk(wide, 23, 1) if wide else NOTHING)]
    return Outline(loads, [*kernels, KernelStep(9, 1, 0, chunks=(1,))], [TileEnd(3, 2, 1.0)])


def test_both_take_what_the_other_has_of_the_bus() -> None:
    """Four bursts of 16 beats each behind one of the other: 64 cycles later, both of them."""
    alone = rehearse(outline(112, 0)) - rehearse(outline(0, 0))
    together = rehearse(outline(112, 64)) - rehearse(outline(0, 0))
    assert together == alone + 64


def test_what_is_left_of_a_load_is_no_other_load() -> None:
    """A burst that is asked for behind the last one of a LOAD waits for nothing, however long that took."""
    traffic = traffic_of(Chunk(1536, 23, 1), Timing.de10())
    assert traffic.waited(traffic.cycles + 27) == 0
    assert traffic.waited(1500) == 36
    assert traffic.waited(1500, late=100) == 136
