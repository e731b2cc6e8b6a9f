"""Default schedules of four ResNet-18 layers: cycles below those of the reference's best tilings, at their traffic."""

from __future__ import annotations

import pytest

import vtac
from vtac.targets.vta.schedules import default_schedule
from vtac.targets.vta.schedules.roof import roof
from vtac.targets.vta.schedules.search import layers_of, measure_schedule
from vtac.workloads.conv2d import Conv2D

CASES = {
    "C2": (Conv2D(1, 56, 56, 64, 64), 521_680, 702_796, 1.05),
    "C8": (Conv2D(1, 28, 28, 128, 256, 1, 0, 2), 58_363, 205_636, 1.15),
    "C10": (Conv2D(1, 14, 14, 256, 512, 3, 1, 2), 239_825, 1_255_204, 1.05),
    "C11": (Conv2D(1, 14, 14, 256, 512, 1, 0, 2), 38_069, 199_492, 1.15),
}


@pytest.mark.parametrize("name", CASES)
def test_cycles_beat_the_reference_at_its_traffic(name: str) -> None:
    layer, cycles, nbytes, share = CASES[name]
    module = vtac.parse(layer.text())
    schedule = default_schedule(module, layer.config)
    found = measure_schedule(module, schedule)
    limit = roof(layers_of(vtac.Schedule(module))[0], layer.config)
    assert found.cycles < cycles
    assert found.nbytes <= 1.0005 * nbytes
    assert found.cycles <= share * limit.cycles
    assert found.nbytes <= 1.1 * limit.nbytes


def test_the_roof_counts_everything_once() -> None:
    layer = Conv2D()
    limit = roof(layers_of(vtac.Schedule(layer.text()))[0], layer.config)
    assert limit.cycles == 16 * (16 * (14 * 3 - 2) ** 2 + 196 * (1 + 3))
    assert limit.nbytes == 14 * 14 * 256 + 256 * 256 * 9 + 14 * 14 * 256
