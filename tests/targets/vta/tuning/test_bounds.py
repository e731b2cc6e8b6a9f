"""No program of a tiling goes below its bounds, and every tiling of the space is one that can be built."""

from __future__ import annotations

from dataclasses import replace
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
from vtac.targets.vta.schedules.cost import estimates
from vtac.targets.vta.schedules.nests import cut_nest
from vtac.targets.vta.schedules.room import fits
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.tiling import Tiling, tile_loops
from vtac.targets.vta.schedules.tilings import tilings_of
from vtac.targets.vta.tuning.space import Space, member_of, space_of
from vtac.targets.vta.tuning.trials import Job, measure
from vtac.workloads.conv2d import Conv2D

PROGRAMS = {**LAYERS, "batch": Conv2D(2, 8, 6, 32, 64).text()}
ORDERED = ("convolution", "stride", "steps", "batch")
"""Layers that are cut along several dimensions."""


@cache
def space(name: str, small: bool) -> tuple[str, Space]:
    config = SMALL if small else VTAConfig()
    schedule = Schedule(vtac.parse(PROGRAMS[name]), config=config)
    return str(schedule.module), space_of(layers_of(schedule)[0], config)


@given(st.sampled_from(sorted(LAYERS)), st.booleans(), st.integers(0, 10**9))
@settings(max_examples=16)
def test_bounds_hold(name: str, small: bool, number: int) -> None:
    text, found = space(name, small)
    member = found.member(number % len(found))
    (outcome,) = measure([Job(text, member.tiling, Timing.de10())])
    assert outcome.status == "ok", outcome.message
    assert member.least_cycles <= outcome.cycles
    assert member.least_bytes <= outcome.nbytes


@given(st.sampled_from(ORDERED), st.booleans(), st.integers(0, 10**9))
@settings(max_examples=10)
def test_bounds_hold_for_other_orders_and_threads(name: str, threads: bool, number: int) -> None:
    text, found = space(name, small=True)
    other = np.flatnonzero(found.tilings.threads > 1 if threads else found.tilings.outside > 0)
    if not len(other):
        return
    member = found.member(int(other[number % len(other)]))
    (outcome,) = measure([Job(text, member.tiling, Timing.de10())])
    assert outcome.status == "ok", outcome.message
    assert member.least_cycles <= outcome.cycles
    assert member.least_bytes <= outcome.nbytes


@st.composite
def tilings_of_convolutions(draw: st.DrawFn) -> tuple[Conv2D, VTAConfig, int]:
    kernel = draw(st.sampled_from([1, 1, 3]))
    side, channels = st.sampled_from([4, 6, 7, 12, 14]), st.sampled_from([16, 32, 64, 128])
    config = SMALL if draw(st.booleans()) else VTAConfig()
    sizes = draw(side), draw(side), draw(channels), draw(channels)
    conv = Conv2D(1, *sizes, kernel, kernel // 2, draw(st.sampled_from([1, 2])), config=config)
    return conv, config, draw(st.integers(0, 10**9))


@given(tilings_of_convolutions(), st.sampled_from(["threads", "copies", "pieces", "any"]))
@settings(max_examples=14)
def test_bounds_hold_for_any_convolution(drawn: tuple[Conv2D, VTAConfig, int], kind: str) -> None:
    conv, config, number = drawn
    schedule = Schedule(vtac.parse(conv.text()), config=config)
    found = space_of(layers_of(schedule)[0], config)
    columns = {"threads": found.tilings.threads, "copies": found.tilings.wgt, "pieces": found.tilings.pieces}
    some = np.flatnonzero(columns[kind] > 1) if kind in columns else np.arange(len(found))
    if not len(some):
        return
    member = found.member(int(some[number % len(some)]))
    (outcome,) = measure([Job(str(schedule.module), member.tiling, Timing.de10())])
    assert outcome.status == "ok", outcome.message
    assert member.least_cycles <= outcome.cycles
    assert member.least_bytes <= outcome.nbytes


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_work_of_one_thread_may_be_over_while_another_loads(copies: int, threads: int) -> None:
    schedule = Schedule(vtac.parse(LAYERS["steps"]), config=SMALL)
    (layer,) = layers_of(schedule)
    tiling = Tiling((1, 1, 5, 5), channels=2, inp=1, wgt=1, acc=copies, threads=threads)
    member = member_of(layer, tiling, SMALL)
    (outcome,) = measure([Job(str(schedule.module), tiling, Timing.de10())])
    assert outcome.status == "ok", outcome.message
    assert 0.6 * outcome.cycles < member.least_cycles <= outcome.cycles


def test_weights_between_rows_and_columns_are_loaded_for_each_row() -> None:
    config = VTAConfig()
    schedule = Schedule(vtac.parse(LAYERS["convolution"]), config=config)
    text, (layer,) = str(schedule.module), layers_of(schedule)
    cut = Tiling((1, 1, 3, 3), channels=2)
    orders = [cut, replace(cut, outside=0b10), replace(cut, outside=0b100), replace(cut, weights_inside=True)]
    assert [tile_loops(layer, one) for one in orders] == [[1, 0, 2, 3], [2, 1, 0, 3], [3, 1, 0, 2], [0, 2, 3, 1]]
    outcomes = measure([Job(text, one, Timing.de10()) for one in orders])
    assert [one.status for one in outcomes] == ["ok"] * 4
    guesses = estimates(layer, tilings_of(orders, 4), config)
    assert [one.nbytes for one in outcomes] == guesses.nbytes.tolist()
    once, by_row, by_column, each = (one.nbytes for one in outcomes)
    weights = 2 * 9 * 2 * config.wgt_element_bytes
    assert by_row == by_column == once + weights < each


def test_virtual_threads_stand_side_by_side() -> None:
    schedule = Schedule(vtac.parse(LAYERS["convolution"]), config=VTAConfig())
    (layer,) = layers_of(schedule)
    cut_nest(schedule, layer, Tiling((1, 1, 3, 3), threads=2))
    assert "vtac.schedule.bind" not in str(schedule)
    assert '"cthread"' in str(schedule)


@pytest.mark.parametrize("tile", [(1, 1, 6, 6), (1, 2, 6, 2)])
def test_threads_that_divide_no_tiles_are_not_in_the_space(tile: tuple[int, ...]) -> None:
    _, found = space("convolution", small=False)
    tilings = [one for one in found.tilings.listed() if one.tile == tile]
    assert {one.threads for one in tilings} == ({1, 2} if tile[1] == 1 else {1})


def test_kernels_that_skip_padding_run_on_what_meets_data() -> None:
    """Of three columns two meet data at each position: too few for micro-ops that sum up two channels."""
    schedule = Schedule(vtac.parse(Conv2D(1, 17, 4, 32, 64, 2, 1, 2).text()), config=SMALL)
    (layer,) = layers_of(schedule)
    cut = Tiling((1, 4, 9, 3), channels=2, taps=True)
    both = [cut, replace(cut, skip=True)]
    assert fits(layer, tilings_of(both, 4), VTAConfig()).tolist() == [True, False]
    outcomes = measure([Job(str(schedule.module), one, Timing.de10()) for one in both])
    assert [one.status for one in outcomes] == ["ok", "refused"]
    assert "write a tile again within two micro-ops in every order" in outcomes[1].message
    one_channel = replace(cut, skip=True, channels=1)
    assert fits(layer, tilings_of([one_channel], 4), VTAConfig()).all()
    (outcome,) = measure([Job(str(schedule.module), one_channel, Timing.de10())])
    assert outcome.status == "ok", outcome.message


def test_the_space_is_wider_than_the_default_one() -> None:
    _, found = space("convolution", small=False)
    tilings = [found.member(place).tiling for place in range(len(found))]
    assert len(set(tilings)) == len(tilings)
    assert {one.tile[2:] for one in tilings} >= {(2, 3), (3, 2), (1, 1), (6, 6)}
    assert {one.wgt for one in tilings} >= {1, 2, 3, 4}
    assert {(one.skip, one.taps) for one in tilings} == {(a, b) for a in (False, True) for b in (False, True)}


def test_smaller_tiles_at_the_ends_load_less() -> None:
    """Three tiles of 5, 5 and 3 rows, of which the last chunks of inputs are smaller than the others."""
    config = VTAConfig(log_batch=2, log_inp_buff_size=16, log_acc_buff_size=18)
    conv = Conv2D(4, 13, 13, 384, 48, 1, 0, config=config)
    schedule = Schedule(vtac.parse(conv.text()), config=config)
    (layer,) = layers_of(schedule)
    tiling = Tiling((1, 3, 5, 13), 4, inp=2, wgt=6, acc=2)
    member = member_of(layer, tiling, config)
    (outcome,) = measure([Job(str(schedule.module), tiling, Timing.de10())])
    assert outcome.status == "ok", outcome.message
    assert 0.9 * outcome.cycles < member.least_cycles <= outcome.cycles
    assert member.least_bytes <= outcome.nbytes
