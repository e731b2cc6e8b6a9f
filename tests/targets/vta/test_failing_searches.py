"""What may go wrong with a search or a sweep: one clear message each, and nothing that came back before is lost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from plain_programs import PlainConv
from tuned_programs import CONV, Here

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.store.records import Outcome, Trial
from vtac.store.store import Store, StoreError
from vtac.targets.vta.exploring.jobs import PointJob
from vtac.tools.vtac import main
from vtac.workers.errors import WorkerDied, WorkersError
from vtac.workloads.vadd import VectorAdd

NET = {"net": PlainConv().text()}
WHERE = "wgt_kib in (64, 128, 256) and acc_kib in (64, 128)"
SIX = 6


def tuned(executor: Executor, store: Store | Path | None = None) -> str:
    """A search as text."""
    return json.dumps(vtac.tune(CONV, executor=executor, store=store, budget=14).to_json())


def swept(executor: Executor, store: Store | Path | None = None) -> str:
    """A sweep as text."""
    return json.dumps(vtac.explore(NET, where=WHERE, executor=executor, store=store).to_json())


SEARCHES = pytest.mark.parametrize("search", [tuned, swept], ids=["tune", "explore"])
Search = Callable[..., str]


class Then(Here):
    """Does so many tasks, and then something else, once."""

    def __init__(self, after: int, what: Callable[[], object]) -> None:
        super().__init__()
        self.left, self.what = after, what

    def submit(self, fn: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.left -= 1
        if self.left == -1:
            self.what()
        return super().submit(fn, *args, **kwargs)


def gone() -> None:
    raise BrokenExecutor("scheduler closed")


@SEARCHES
def test_a_scheduler_that_is_gone_is_said_and_the_store_goes_on(search: Search, tmp_path: Path) -> None:
    whole = search(Here())
    with pytest.raises(WorkersError, match=r"executor is gone and takes no more tasks \(scheduler closed\): what came"):
        search(Then(3, gone), tmp_path / "s.db")
    with Store(tmp_path / "s.db") as store:
        assert len(store) >= 1
        assert search(Here(), store) == whole


@SEARCHES
def test_a_store_that_gets_locked_is_said_and_goes_on(search: Search, tmp_path: Path) -> None:
    whole = search(Here())
    with Store(tmp_path / "s.db", wait=0) as store, closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        with pytest.raises(StoreError, match="another program holds it locked; let that end, or give another file"):
            search(Then(3, lambda: other.execute("BEGIN IMMEDIATE")), store)
        other.execute("ROLLBACK")
        assert len(store) >= 1
        assert search(Here(), store) == whole


@SEARCHES
def test_a_disk_that_gets_full_is_said_and_goes_on(search: Search, tmp_path: Path) -> None:
    whole = search(Here())
    with Store(tmp_path / "s.db") as store:
        with pytest.raises(StoreError, match="the disk is full; make room and start again: what was written before"):
            search(Then(3, lambda: _fill(store)), store)
        store._link.execute("PRAGMA max_page_count = 1000000")  # pyright: ignore[reportPrivateUsage]
        assert search(Here(), store) == whole


def _fill(store: Store) -> None:
    """Let no page be added, and leave no room in those that there are."""
    store._link.execute("PRAGMA max_page_count = 1")  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(StoreError, match="full"):
        for number in range(1000):
            store.record([(Trial("filler", "m", str(number), "1"), Outcome("ok"))], [(f"f{number}", "")])


@pytest.mark.parametrize("command", ["tune", "explore"])
def test_a_store_of_another_version_is_one_message(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, program = tmp_path / "s.db", tmp_path / "net.mlir"
    program.write_text(NET["net"])
    Store(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as link:
        link.execute("PRAGMA user_version = 9")
    assert main([command, str(program), "--executor", "local:1", "--store", str(path)]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "is a store of version 9, this vtac reads version 1: give another file, or the vtac that wrote it" in err


class Fatal(Here):
    """Kills the worker of one configuration, each time."""

    def __init__(self, victim: VTAConfig) -> None:
        super().__init__()
        self.config = victim

    def submit(self, fn: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:  # pyright: ignore[reportIncompatibleMethodOverride]
        future = super().submit(fn, *args, **kwargs)
        if cast("tuple[PointJob, ...]", args[0])[0].config == self.config:
            future = Future[object]()
            future.set_exception(WorkerDied("was killed by SIGKILL"))
        return future


def test_a_configuration_that_kills_its_workers_is_a_point_with_an_error(tmp_path: Path) -> None:
    victim = VTAConfig(log_wgt_buff_size=17)
    with Store(tmp_path / "s.db") as store:
        sweep = vtac.explore(NET, where=WHERE, executor=Fatal(victim), store=store)
        rows = json.loads(store.to_json())["outcomes"]
    errors = {point.config: point.error for point in sweep if point.error}
    again = "; with a store, --retry-crashed tries again"
    assert errors == {victim: f"net: its worker was killed by SIGKILL, twice{again}"}
    assert (len(sweep), [row["status"] for row in rows].count("crashed")) == (SIX, 1)


def test_an_empty_space_leaves_the_default_schedule_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtac.targets.vta.tuning.space.LONGEST", 0)
    found = vtac.tune(CONV, executor=Here())
    assert (found.cycles, found.evaluated) == (found.default_cycles, 1)
    assert "note: no tiling of conv2d is in the space: its default schedule stays" in str(found)


def test_nothing_to_tune_is_said() -> None:
    text = """func.func @f(%x: tensor<4x3xf64>) -> tensor<4x3xf64> {
  %e = tensor.empty() : tensor<4x3xf64>
  %y = linalg.exp ins(%x : tensor<4x3xf64>) outs(%e : tensor<4x3xf64>) -> tensor<4x3xf64>
  func.return %y : tensor<4x3xf64>
}
"""
    found = vtac.tune(text, executor=Here())
    assert found.statement == "nothing to tune"
    assert str(found).splitlines()[1:] == ["nothing of it runs on the VTA; vtac run FILE says why", "nothing to tune"]
    assert found.failure is not None
    kept = replace(found, default_cycles=9, untuned=("f: 2 layers in one function", "g: 3 layers in one function"))
    assert str(kept.failure) == (
        "nothing to tune, all of it keeps its schedule: f: 2 layers in one function; g: 3 layers in one function"
    )


def test_memories_that_hold_no_tile_are_one_message_or_a_point_with_an_error() -> None:
    tiny, text = VTAConfig(log_acc_buff_size=6), VectorAdd().text()
    with pytest.raises(VtacError) as refusal:
        vtac.tune(text, tiny, executor=Here())
    (point,) = vtac.explore({"sum": text}, [tiny], executor=Here())
    assert point.error == f"sum: {refusal.value}"
    assert "fits on chip with {" in point.error
    assert "use a configuration with larger buffers" in point.error
