"""No program of a tiling goes below its bounds, and every tiling of the space is one that can be built."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from tuned_programs import LAYERS, SMALL

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.schedule import Schedule
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.tuning.space import Space, space_of
from vtac.targets.vta.tuning.trials import Job, measure


@cache
def space(name: str, small: bool) -> tuple[str, Space]:
    config = SMALL if small else VTAConfig()
    schedule = Schedule(vtac.parse(LAYERS[name]), config=config)
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


def test_the_space_is_wider_than_the_default_one() -> None:
    _, found = space("convolution", small=False)
    tilings = [found.member(place).tiling for place in range(len(found))]
    assert len(set(tilings)) == len(tilings)
    assert {one.tile[2:] for one in tilings} >= {(2, 3), (3, 2), (1, 1), (6, 6)}
    assert {one.wgt for one in tilings} >= {1, 2, 3, 4}
    assert {(one.skip, one.taps) for one in tilings} == {(a, b) for a in (False, True) for b in (False, True)}
