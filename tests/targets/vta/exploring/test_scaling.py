"""Forecasts of sweeps on many workers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_programs import PlainConv
from tuned_programs import Here

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.jobs import PointJob
from vtac.targets.vta.exploring.points import compute_points
from vtac.targets.vta.exploring.scaling import Overheads, forecast, forecast_table, forecasts, measure_overheads

FAST = Overheads((2.0,), 0.001, 0.0005, 1000)


def test_few_workers_are_the_limit_and_many_wait_for_the_leader() -> None:
    one, many = forecast(1000, 1, FAST), forecast(100_000, 5000, FAST)
    assert one.seconds == pytest.approx(2001.5, rel=0.001)
    assert (one.limit, many.limit) == ("workers", "scheduler")
    assert many.seconds >= 150
    assert forecast(100_000, 5000, Overheads((2.0,), 0.0005, 0.001, 9)).limit == "store"


@given(st.integers(1, 300), st.integers(1, 64), st.floats(0.01, 5), st.floats(0, 0.1), st.floats(0, 0.1))
def test_no_forecast_is_better_than_its_parts(points: int, workers: int, task: float, send: float, row: float) -> None:
    found = forecast(points, workers, Overheads((task,), send, row, 0))
    assert found.seconds >= points * task / workers * (1 - 1e-9)
    assert found.seconds >= points * send
    assert 0 < found.busy <= 1 + 1e-9


def test_a_process_asks_for_a_text_that_it_does_not_have() -> None:
    (asked,) = compute_points([PointJob("never sent", "", VTAConfig(), (Timing.de10(),), {})])
    assert (asked.needs_text, asked.outcomes) == (True, ())


def test_overheads_are_measured() -> None:
    text = str(vtac.parse(PlainConv().text()))
    found = measure_overheads([PointJob("d", text, VTAConfig(), (Timing.de10(),), {})], Here())
    assert len(found.tasks) == 1
    assert 0 < found.payload < len(text)
    table = forecast_table(500, forecasts(500, 40, found), found)
    assert [line.split()[0] for line in table.splitlines()[2:]] == ["1", "2", "5", "10", "20", "40"]
    hours = forecast_table(5, [replace(forecast(5, 1, found), seconds=seconds) for seconds in (0.2, 200_003.4)], found)
    assert [line.split()[1] for line in hours.splitlines()[1:]] == ["h:mm:ss", "0:00:01", "55:33:23"]
    with pytest.raises(VtacError, match="there is no task to measure"):
        measure_overheads([], Here())
