"""In which order the tilings of a layer are tried."""

from __future__ import annotations

import numpy as np
import pytest
from tuned_programs import LAYERS, SMALL

import vtac
from vtac.schedule import Schedule
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.tuning.search import LayerSearch, Objective
from vtac.targets.vta.tuning.space import Member, Space, space_of


@pytest.fixture(scope="module")
def space() -> Space:
    schedule = Schedule(vtac.parse(LAYERS["convolution"]), config=SMALL)
    return space_of(layers_of(schedule)[0], SMALL)


def first_tried(space: Space, objective: Objective) -> list[Member]:
    """The first six behind the tiling of the default schedule."""
    worst = space.member(int(np.argmax(space.cycles)))
    search = LayerSearch(space, objective, worst)
    assert search.batch() == (0, [worst])
    return list(search.batch()[1])


def test_a_front_is_searched_from_its_middle_and_from_both_ends(space: Space) -> None:
    tried = first_tried(space, "pareto")
    assert min(one.cycles for one in tried) == space.cycles.min()
    assert min(one.nbytes for one in tried) == space.nbytes.min()
    assert min(one.cycles * one.nbytes for one in tried) == (space.cycles * space.nbytes).min()
    assert len({one.tiling for one in tried}) == len(tried)


def test_cycles_are_searched_by_estimates_and_by_bounds(space: Space) -> None:
    tried = first_tried(space, "cycles")
    assert min(one.cycles for one in tried) == space.cycles.min()
    assert min(one.least_cycles for one in tried) == space.least_cycles.min()


def test_bytes_are_searched_by_bytes(space: Space) -> None:
    assert [one.nbytes for one in first_tried(space, "bytes")] == sorted(space.nbytes.tolist())[:6]
