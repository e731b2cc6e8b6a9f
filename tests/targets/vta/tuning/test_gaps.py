"""What is said of fronts holds for every tiling of the space, tried or not."""

from __future__ import annotations

import json

import pytest
from tuned_programs import LAYERS, SMALL, Here

import vtac
from vtac.errors import VtacError
from vtac.schedule import Schedule
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.tuning.gaps import FrontGap
from vtac.targets.vta.tuning.search import LayerSearch, Objective
from vtac.targets.vta.tuning.space import space_of
from vtac.targets.vta.tuning.trials import Job, measure
from vtac.workloads.conv2d import Conv2D


def searched(objective: Objective, batches: int) -> tuple[str, LayerSearch]:
    schedule = Schedule(vtac.parse(Conv2D(1, 4, 4, 32, 32, 1, 0).text()), config=SMALL)
    (layer,), text = layers_of(schedule), str(schedule.module)
    space = space_of(layer, SMALL)
    search = LayerSearch(space, objective, space.member(0))
    for _ in range(batches):
        number, members = search.batch()
        search.take(number, measure([Job(text, one.tiling, Timing.de10()) for one in members]))
    search.finish()
    return text, search


@pytest.mark.parametrize("objective", ["cycles", "pareto"])
def test_each_tiling_takes_as_much_as_one_of_the_front_but_for_the_gap(objective: Objective) -> None:
    text, search = searched(objective, 3)
    least, gap = search.least(), search.front_gap()
    assert gap > 0
    some = [search.space.member(place) for place in range(0, len(search.space), 1 + len(search.space) // 24)]
    for outcome in measure([Job(text, one.tiling, Timing.de10()) for one in some]):
        assert outcome.status == "ok", outcome.message
        taken = outcome.cycles, outcome.nbytes
        assert all(a <= b for a, b in zip(least, taken, strict=True))
        assert any(all(a <= (1 + gap) * b for a, b in zip(one.point, taken, strict=True)) for one in search.best.front)


def test_more_tilings_prove_more_of_the_front() -> None:
    gaps = [searched("pareto", batches)[1].front_gap() for batches in (2, 4, 8)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < gaps[0]


def test_statements_of_fronts() -> None:
    assert FrontGap(0.0, 0.0, 0.0).statement("3 tilings") == "front of this space in cycles and bytes"
    assert FrontGap(0.0123, 0.0, 0.001).statement("60 s") == (
        "front within 1.3 % of any tiling in this space in cycles and bytes at once, "
        "its ends the least in cycles and within 0.1 % in bytes, after 60 s"
    )


def test_the_gap_of_the_front_is_in_json_where_it_is_the_objective() -> None:
    found, other = (
        vtac.tune(LAYERS["padding"], executor=Here(), objective=one, budget=4) for one in ("pareto", "cycles")
    )
    assert found.front_gap is not None
    assert json.loads(json.dumps(found.to_json()))["front_gap"] == vars(found.front_gap)
    assert (other.front_gap, "front_gap" in other.to_json()) == (None, False)


def test_fronts_are_not_measured() -> None:
    with pytest.raises(VtacError, match="devices tell cycles or seconds, no pareto: leave out what measures"):
        vtac.tune(LAYERS["padding"], executor=Here(), objective="pareto", measure="sim")
