"""The order in which tilings are tried: by rehearsals, and in turn with the lowest bounds."""

from __future__ import annotations

import numpy as np
from tuned_programs import LAYERS, SMALL

import vtac
from vtac.schedule import Schedule
from vtac.store.records import Outcome
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.tuning.promise import with_rehearsals
from vtac.targets.vta.tuning.search import LayerSearch
from vtac.targets.vta.tuning.space import space_of
from vtac.targets.vta.tuning.trials import Job, measure

SCHEDULE = Schedule(vtac.parse(LAYERS["steps"]), config=SMALL)
(LAYER,) = layers_of(SCHEDULE)
SPACE = space_of(LAYER, SMALL)


def test_the_best_by_estimates_and_by_bounds_are_rehearsed() -> None:
    found = with_rehearsals(LAYER, SPACE, SMALL, tried=5)
    changed = np.flatnonzero(found.cycles != SPACE.cycles)
    assert 0 < len(changed) <= 2 * 4 * 5
    assert np.array_equal(found.least_cycles, SPACE.least_cycles)
    assert (found.cycles >= found.least_cycles).all()
    assert (found.nbytes >= found.least_bytes).all()


def test_rehearsals_are_nearer_than_estimates() -> None:
    found = with_rehearsals(LAYER, SPACE, SMALL, tried=5)
    places = np.flatnonzero(found.cycles != SPACE.cycles)[:8]
    jobs = [Job(str(SCHEDULE.module), SPACE.member(int(place)).tiling, Timing.de10()) for place in places]
    exact = np.array([outcome.cycles for outcome in measure(jobs)])
    rehearsed, estimated = (np.abs(one.cycles[places] / exact - 1).mean() for one in (found, SPACE))
    assert rehearsed < 0.07, "of programs of some 1,000 cycles"
    assert rehearsed < estimated / 3


def test_promising_tilings_and_low_bounds_come_by_turns() -> None:
    search = LayerSearch(SPACE, "cycles", SPACE.member(0))
    _, first = search.batch()
    search.take(0, [Outcome("ok", 10**9, 10**9)] * len(first))
    _, members = search.batch()
    assert members[0].cycles == SPACE.cycles.min()
    assert min(one.least_cycles for one in members) == SPACE.least_cycles.min()
    assert len({one.tiling for one in members}) == len(members)
