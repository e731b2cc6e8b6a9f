"""Tuning: the same result whoever does the work, whatever was known before, and whoever died."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_programs import PlainConv
from tuned_programs import CONV, SHIFTED, SMALL, TWO_LAYERS, Here, Interrupted

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import CompileError, VtacError
from vtac.store.store import Store, StoreError
from vtac.targets.vta.tuning.budget import Budget, budget_of, shared
from vtac.workers.errors import WorkersError
from vtac.workers.processes import Processes
from vtac.workloads.conv2d import Conv2D


def as_text(found: vtac.TuneResult) -> str:
    return json.dumps(found.to_json())


@pytest.fixture(scope="module", autouse=True)
def small_batches() -> Iterator[None]:
    """So that a short search leaves tilings out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vtac.targets.vta.tuning.search.BATCH", 2)
        patch.setattr("vtac.targets.vta.tuning.search.LOOKAHEAD", 2)
        yield


@pytest.fixture(scope="module")
def found(small_batches: None) -> vtac.TuneResult:
    del small_batches
    return vtac.tune(CONV, SMALL, executor=Here(), budget=10)


def test_it_is_better_and_says_how_good(found: vtac.TuneResult) -> None:
    assert found.cycles <= found.default_cycles
    assert 0.0 <= found.gap < 0.5
    assert found.layers[0].least <= found.cycles
    assert "% of any tiling in this space in cycles, after 10 tilings" in str(found)
    assert replace(found, evaluated=9).statement.endswith("after 9 tilings")
    assert replace(found, budget="60 s").statement.endswith("after 60 s")


@pytest.mark.parametrize(("gap", "said"), [(0.0171, "1.8 %"), (0.013, "1.3 %"), (0.00001, "0.1 %")])
def test_no_gap_is_rounded_down(found: vtac.TuneResult, gap: float, said: str) -> None:
    """The statement is one of all tilings, which 1.7 % would not be."""
    assert replace(found, gap=gap).statement.startswith(f"within {said} of any tiling")


def test_the_program_is_one_of_layers_alone(found: vtac.TuneResult) -> None:
    assert (found.cycles, found.bytes) in [(one.cycles, one.nbytes) for one in found.layers]
    assert list(found.front) == sorted(found.front)
    program = vtac.compile(CONV, config=SMALL, schedule=found.schedule)
    assert (program.cycles, vtac.check(program.stream)) == (found.cycles, [])


def test_the_same_on_two_processes(found: vtac.TuneResult) -> None:
    with Processes(2) as executor:
        assert as_text(vtac.tune(CONV, SMALL, executor=executor, budget=10)) == as_text(found)


def test_the_same_after_an_interrupt(found: vtac.TuneResult, tmp_path: Path) -> None:
    path = tmp_path / "tune.db"
    with pytest.raises(KeyboardInterrupt):
        vtac.tune(CONV, SMALL, executor=Interrupted(6), store=path, budget=10)
    with Store(path) as store:
        kept = len(store)
        assert kept >= 3
        executor = Here()
        assert as_text(vtac.tune(CONV, SMALL, executor=executor, store=store, budget=10)) == as_text(found)
        assert executor.calls == found.evaluated - kept
        again = Here()
        assert as_text(vtac.tune(CONV, SMALL, executor=again, store=store, budget=10)) == as_text(found)
    assert again.calls == 0


def test_compilation_takes_tilings_from_the_store(tmp_path: Path) -> None:
    path = tmp_path / "tune.db"
    tuned = vtac.tune(CONV, SMALL, executor=Here(), store=path, budget=4)
    assert vtac.compile(CONV, config=SMALL, schedules=path).cycles == tuned.cycles
    with Store(path) as store:
        assert vtac.compile(CONV, config=VTAConfig(), schedules=store).cycles == vtac.compile(CONV).cycles
    with pytest.raises(
        CompileError, match=r"there is no store 'none.db': fill one with vtac tune FILE --store none.db"
    ):
        vtac.compile(CONV, schedules="none.db")
    with pytest.raises(
        CompileError, match=r"schedules is a int; a vtac.store.store.Store or the path of one is required"
    ):
        vtac.compile(CONV, schedules=7)  # pyright: ignore[reportCallIssue, reportArgumentType]


def test_what_kills_its_workers_is_recorded_and_passed_over(found: vtac.TuneResult, tmp_path: Path) -> None:
    victim = found.layers[0].tiling
    with Store(tmp_path / "tune.db") as store:
        other = vtac.tune(CONV, SMALL, executor=Here(victim), store=store, budget=10)
        rows = json.loads(store.to_json())["outcomes"]
    assert (other.refused, other.layers[0].tiling == victim) == (1, False)
    crashed = [row for row in rows if row["status"] == "crashed"]
    assert [row["message"] for row in crashed] == ["its worker was killed by SIGKILL, twice"]
    assert other.notes == (
        "with these tilings the program takes no less than with the default schedule, which stays",
        "a tiling of conv2d crashed, took too long or failed, the first as its worker was killed by SIGKILL, twice; "
        "with a store, --retry-crashed tries again",
    )


def test_what_crashed_is_tried_again_when_asked_for(found: vtac.TuneResult, tmp_path: Path) -> None:
    path, again = tmp_path / "tune.db", Here()
    other = vtac.tune(CONV, SMALL, executor=Here(found.layers[0].tiling), store=path, budget=10)
    assert as_text(vtac.tune(CONV, SMALL, executor=again, store=path, budget=10)) == as_text(other)
    assert again.calls == 0
    tried = vtac.tune(CONV, SMALL, executor=again, store=path, budget=10, retry_crashed=True)
    assert (as_text(tried), again.calls) == (as_text(found), 1)
    with pytest.raises(VtacError, match="what crashed is in a store, and none is given: give it, or leave retry_cr"):
        vtac.tune(CONV, SMALL, retry_crashed=True)


def test_what_crashed_may_still_be_the_best() -> None:
    tiny, space = Conv2D(1, 2, 2, 16, 16, 1, 0).text(), vtac.tune
    best = space(tiny, executor=Here(), objective="bytes").layers[0]
    found = space(tiny, executor=Here(best.tiling), objective="bytes")
    assert found.layers[0].least <= best.nbytes
    assert (found.gap > 0.0) == (found.bytes > found.layers[0].least)


def test_the_whole_space_ends_with_the_best() -> None:
    tiny = Conv2D(1, 2, 2, 16, 16, 1, 0).text()
    found = vtac.tune(tiny, executor=Here(), objective="bytes")
    assert found.statement == "best of this space in bytes"
    assert found.gap == 0.0
    part = vtac.tune(tiny, executor=Here(), objective="pareto", budget=6)
    assert min(nbytes for _, nbytes in part.front) == found.bytes
    whole = vtac.tune(tiny, executor=Here(), objective="pareto")
    assert whole.statement == "front of this space in cycles and bytes"
    assert part.front_gap is not None
    assert part.statement == part.front_gap.statement("6 tilings")
    assert all(
        any(all(a <= (1 + part.front_gap.both) * b for a, b in zip(point, other, strict=True)) for point in part.front)
        for other in whole.front
    )


def test_the_table_is_in_the_measure_of_the_objective(found: vtac.TuneResult) -> None:
    layer = replace(found.layers[0], cycles=4000, default_cycles=1000, nbytes=900, default_nbytes=1000, least=800)
    whole = {"cycles": 4000, "default_cycles": 1000, "bytes": 900, "default_bytes": 1000, "layers": (layer,)}
    by_bytes, by_cycles = (str(replace(found, objective=one, **whole)).splitlines() for one in ("bytes", "cycles"))
    heads = ["layer", "calls", "default", "tuned", "gain"]
    assert by_bytes[0].split() == [*heads, "cycles", "least", "tried"]
    assert by_bytes[1].split()[-6:-1] == ["1,000", "900", "10.00%", "4,000", "800"]
    assert by_cycles[0].split() == [*heads, "bytes", "least", "tried"]
    assert by_cycles[1].split()[-6:-1] == ["1,000", "4,000", "-300.00%", "900", "800"]
    ends = (
        "1,000 cycles and 1,000 bytes by the default schedule; 4,000 (300.00% more) and 900 (10.00% less) by this one"
    )
    assert by_bytes[2] == by_cycles[2] == ends
    same = replace(found, cycles=found.default_cycles, bytes=found.default_bytes)
    assert f"; {same.cycles:,} (as much) and {same.bytes:,} (as much) by this one" in str(same)


def test_the_front_is_a_table_where_it_is_the_objective(found: vtac.TuneResult) -> None:
    points = tuple((1000 + number, 5000 - number) for number in range(60))
    assert "front" not in str(replace(found, front=points))
    text = str(replace(found, objective="pareto", front=points))
    title = "         cycles          bytes  front of the layers taken alone: 20 of 60 points\n"
    assert f"{title}          1,000          5,000\n          1,003          4,997\n" in text
    assert f"          1,059          4,941\n{found.statement}\n" in text
    few = str(replace(found, objective="pareto", front=points[:2]))
    assert "alone: 2 points\n          1,000          5,000\n          1,001          4,999\n" in few
    assert "front" not in str(replace(found, objective="pareto", front=points[:1]))


def test_amounts_of_shifts_in_memory_are_left_to_the_proof_of_the_program() -> None:
    found = vtac.tune(SHIFTED, executor=Here(), budget=4)
    assert (found.refused, found.cycles <= found.default_cycles) == (0, True)


def test_a_network_is_tuned_layer_by_layer() -> None:
    network = PlainConv().text()
    found = vtac.tune(network, executor=Here(), budget=7)
    assert found.evaluated == 7
    program = vtac.compile(network, schedule=found.schedule)
    assert program.cycles == found.cycles <= found.default_cycles


def test_what_a_finished_search_leaves_goes_to_the_others() -> None:
    found = vtac.tune(TWO_LAYERS, executor=Here(), objective="bytes", budget=24)
    shares = {one.members: one.evaluated for one in found.layers}
    assert (min(shares), shares[min(shares)], sum(shares.values())) == (2, 2, 24)
    with Processes(2) as executor:
        assert as_text(vtac.tune(TWO_LAYERS, executor=executor, objective="bytes", budget=24)) == as_text(found)


@given(st.integers(0, 500), st.lists(st.integers(1, 10_000), min_size=1, max_size=6))
@settings(max_examples=100)
def test_all_of_a_budget_is_shared_out(tilings: int, weights: list[int]) -> None:
    shares = shared(tilings, weights)
    assert (sum(shares), min(shares) >= 0) == (tilings, True)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - tilings * weight / sum(weights)) < 1


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("60s", Budget(60.0)),
        ("1.5m", Budget(90.0)),
        ("2 h", Budget(7200.0)),
        ("500", Budget(tilings=500)),
        (7, Budget(tilings=7)),
        (2.5, Budget(2.5)),
        (None, Budget()),
    ],
)
def test_budgets(given: str | float | None, wanted: Budget) -> None:
    assert budget_of(given) == wanted


@pytest.mark.parametrize("given", ["0", "0s", 0, 0.0, -1])
def test_a_budget_of_nothing_is_refused(given: str | float) -> None:
    with pytest.raises(
        VtacError, match=f"a budget of {given} finds nothing: give at least one tiling, or some seconds"
    ):
        vtac.tune(CONV, budget=given)


@pytest.mark.parametrize("given", ["soon", "1.5", "-3", "60 days", ""])
def test_no_budget_is_refused(given: str) -> None:
    with pytest.raises(VtacError, match=f"'{given}' is no budget: give seconds, minutes or hours such as 60s"):
        budget_of(given)


def test_refusals() -> None:
    with pytest.raises(VtacError, match="'speed' is no objective; 'cycles', 'bytes' or 'pareto' is required"):
        vtac.tune(CONV, objective="speed")  # pyright: ignore[reportArgumentType]
    with pytest.raises(WorkersError, match="'cloud' names no executor"):
        vtac.tune(CONV, SMALL, executor="cloud")
    with pytest.raises(WorkersError, match=r"executor is a int; expected a concurrent.futures.Executor, or 'local'"):
        vtac.tune(CONV, SMALL, executor=4)  # pyright: ignore[reportArgumentType]
    with pytest.raises(StoreError, match=r"store is a int; a vtac.store.store.Store or the path of one is required"):
        vtac.tune(CONV, SMALL, store=5)  # pyright: ignore[reportArgumentType]
