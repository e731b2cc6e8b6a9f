"""Turns of chunks against the order of loads in the streams of their programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest
from numpy.typing import NDArray
from packed_layers import PackedLayer

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.schedule import Schedule
from vtac.targets.vta.schedules.load_turns import load_turns
from vtac.targets.vta.schedules.outline import outline_of
from vtac.targets.vta.schedules.search import layers_of, lower_tilings
from vtac.targets.vta.schedules.steps import KernelStep, LoadStep, Outline
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.transfers import NOTHING, Chunk
from vtac.targets.vta.stream.build import build_program
from vtac.targets.vta.stream.dataflow import Placed, plan_tokens
from vtac.targets.vta.stream.footprints import Issued
from vtac.workloads.conv2d import Conv2D

LOAD = 1


def _streamed(text: str, tiling: Tiling, config: VTAConfig) -> list[int]:
    """Of the LOADs in a program's stream, their places in the program as written."""
    found: list[int] = []

    def plan(issued: Sequence[Issued], micro_ops: NDArray[np.int64], config: VTAConfig) -> list[Placed]:
        placed = plan_tokens(issued, micro_ops, config)
        sources = [one.source for one in placed if one.stage == LOAD and one.source is not None]
        ranks = {source: rank for rank, source in enumerate(sorted(sources))}
        found.extend(ranks[source] for source in sources)
        return placed

    schedule = Schedule(vtac.parse(text), config=config)
    (layer,) = layers_of(schedule)
    build_program(lower_tilings(schedule, [(layer, tiling)]).module, plan)
    return found


def _thought(text: str, tiling: Tiling, config: VTAConfig) -> list[int]:
    """The same by the turns of an outline, of which every tile is followed."""
    (layer,) = layers_of(Schedule(vtac.parse(text), config=config))
    outline = outline_of(layer, tiling, config)
    assert {tile.weight for tile in outline.tiles} == {1.0}
    places = [0, *accumulate(load.chunk.loads for load in outline.loads)]
    found: list[int] = []
    for chunk, loads, _ in load_turns(outline):
        found.extend(range(places[chunk], places[chunk] + loads))
        places[chunk] += loads
    return found


def _with_bias() -> str:
    layer = PackedLayer((1, 8, 14, 14))
    layer.product(8)
    layer.argument("skip", (1, 8, 14, 14), "i8")
    layer.narrow("wide", "skip")
    layer.alu("sum", "addi", ["res_conv", "wide"])
    layer.store(layer.alu("act", "shrsi", ["sum"], 6))
    return layer.text()


C9, C11 = Conv2D(1, 14, 14, 256, 256), Conv2D(1, 14, 14, 256, 512, 1, 0, 2)


@pytest.mark.parametrize(
    ("text", "tiling", "config"),
    [
        pytest.param(C9.text(), Tiling((1, 8, 7, 14), 2, inp=2, wgt=2, acc=2, pieces=2), VTAConfig(), id="copies"),
        pytest.param(
            C9.text(), Tiling((1, 8, 14, 14), 2, inp=5, pieces=8, skip=True, taps=True), VTAConfig(), id="taps"
        ),
        pytest.param(
            C11.text(), Tiling((1, 8, 7, 7), inp=2, wgt=1, pieces=8), VTAConfig(), id="parts of inputs pass weights"
        ),
        pytest.param(
            _with_bias(), Tiling((1, 4, 7, 14), 4, inp=2, wgt=2, acc=2, pieces=2), VTAConfig(), id="int8 operands"
        ),
        pytest.param(
            replace(C9, config=VTAConfig(log_block=5)).text(),
            Tiling((1, 2, 7, 7), 2, inp=2, wgt=2, acc=2, threads=2),
            VTAConfig(log_block=5),
            id="virtual threads",
        ),
    ],
)
def test_turns_are_in_the_order_of_the_stream(text: str, tiling: Tiling, config: VTAConfig) -> None:
    assert _thought(text, tiling, config) == _streamed(text, tiling, config)


def _outline(loads: Sequence[LoadStep], kernels: Sequence[KernelStep]) -> Outline:
    return Outline(list(loads), list(kernels))


def test_as_many_loads_of_a_chunk_pass_as_there_is_time_for() -> None:
    """The weights wait for 1,000 cycles; of nine LOADs of 123 cycles for a later kernel eight come before."""
    inputs, weights = Chunk(900, 9 * 23, 9), Chunk(100, 23, 1)
    loads = [LoadStep(0, -1, 1, weights), LoadStep(1, 0, 1, weights), LoadStep(2, -1, 0, inputs)]
    kernels = [KernelStep(1000, 1, 0, NOTHING, (0,)), *(KernelStep(10, 1, 0, NOTHING, (n,)) for n in (1, 2))]
    assert load_turns(_outline(loads, kernels)) == [(0, 1, 0), (2, 8, 1), (1, 1, 1), (2, 1, 2)]


def test_of_the_same_kernel_they_come_until_the_others_can() -> None:
    inputs, weights = Chunk(900, 9 * 23, 9), Chunk(100, 23, 1)
    loads = [LoadStep(0, -1, 1, weights), LoadStep(1, 0, 1, weights), LoadStep(1, -1, 0, inputs)]
    kernels = [KernelStep(1000, 1, 0, NOTHING, (0,)), KernelStep(10, 1, 0, NOTHING, (1, 2))]
    assert load_turns(_outline(loads, kernels)) == [(0, 1, 0), (2, 9, 1), (1, 1, 1)]
