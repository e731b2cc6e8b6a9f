"""A store keeps what was recorded: several writers, writers that are killed, and files that are no store."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest

from vtac.store.records import Outcome, Status, Trial, canonical, digest
from vtac.store.store import Store, StoreError

OK = Outcome("ok", 100, 2000, 30, "", '{"a":1}')


def trial(candidate: str = "c") -> Trial:
    return Trial("p", "m", candidate, "1")


def test_outcomes_come_back(tmp_path: Path) -> None:
    refused = Outcome("refused", message="does not fit")
    with Store(tmp_path / "s.db") as store:
        store.record([(trial("a"), OK), (trial("b"), refused)], [("p", "the problem")])
    with Store(tmp_path / "s.db") as store:
        assert store.outcomes("p", "m", "1") == {"a": OK, "b": refused}
        assert store.outcomes("p", "m", "2") == {}
        assert (store.text("p"), store.text("q"), len(store)) == ("the problem", None, 2)
        exported = json.loads(store.to_json())
    assert (exported["format"], len(exported["outcomes"]), exported["texts"]) == (1, 2, {"p": "the problem"})


def test_the_first_outcome_of_a_trial_stays(tmp_path: Path) -> None:
    with Store(tmp_path / "s.db") as one, Store(tmp_path / "s.db") as other:
        one.record([(trial(), OK)])
        other.record([(trial(), Outcome("crashed")), (trial("d"), OK)])
        assert one.outcomes("p", "m", "1") == {"c": OK, "d": OK}


_WRITER = """
import sys
from vtac.store.records import Outcome, Trial
from vtac.store.store import Store
store = Store(sys.argv[1])
for number in range(10**6):
    store.record([(Trial("p", "m", f"{sys.argv[2]}{number}", "1"), Outcome("ok", number))])
    if number == 20:
        print("written", flush=True)
"""


def test_candidates_that_ran_are_found_whatever_their_problem(tmp_path: Path) -> None:
    good, bad = Outcome("ok", 1, 2, 3), Outcome("refused", message="no")
    with Store(tmp_path / "s.db") as store:
        store.record([(Trial("p", "m", "b", "1"), good), (Trial("q", "m", "a", "1"), good)])
        store.record([(Trial("q", "m", "b", "1"), good), (Trial("q", "m", "c", "1"), bad)])
        assert store.candidates("m", "1") == ("a", "b")
        assert store.candidates("m", "2") == store.candidates("n", "1") == ()


def test_mishaps_are_forgotten_and_nothing_else(tmp_path: Path) -> None:
    statuses: tuple[Status, ...] = get_args(Status)
    with Store(tmp_path / "s.db") as store:
        store.record([(trial(status), Outcome(status, message="x")) for status in statuses])
        store.forget_mishaps()
        assert set(store.outcomes("p", "m", "1")) == {"ok", "refused"}


def test_writers_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    Store(path).close()
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name], stdout=subprocess.PIPE) for name in "ab"
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
    with Store(path) as store:
        found = store.outcomes("p", "m", "1")
    assert {f"{name}{number}" for name in "ab" for number in range(20)} <= set(found)
    assert all(outcome.cycles == int(candidate[1:]) for candidate, outcome in found.items())


def test_a_locked_store_is_said(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store(path, wait=0) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program holds it locked; let that end, or give another file"):
            store.record([(trial(), OK)])
        other.execute("ROLLBACK")
        other.close()
        store.record([(trial(), OK)])
        assert len(store) == 1


def test_a_full_disk_is_said_and_what_was_written_stays(tmp_path: Path) -> None:
    with Store(tmp_path / "s.db") as store:
        store.record([(trial(), OK)])
        store._link.execute("PRAGMA max_page_count = 1")  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(StoreError, match="the disk is full; make room and start again: what was written before"):
            store.record([(trial(str(number)), Outcome("ok", message="x" * 10_000)) for number in range(50)])
        assert store.outcomes("p", "m", "1") == {"c": OK}


_OPEN = """
import resource, sys
from vtac.store.store import Store, StoreError
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
try:
    Store(sys.argv[1])
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (100, r"the disk is full; make room and start again: .* \(100 bytes are free in {folder}\)"),
        (
            10**9,
            r"the disk of {folder} does not take it \(SQLITE_IOERR_\w+\): it is damaged, or no more of it is yours",
        ),
    ],
)
def test_a_store_that_the_disk_has_no_room_to_create_is_said(free: int, said: str, tmp_path: Path) -> None:
    """A limit of 8 KiB for a file stands for a disk without room for the index of the log."""
    room = f"import shutil\nshutil.disk_usage = lambda path: shutil._ntuple_diskusage(10**9, 0, {free})\n"
    path = tmp_path / "s.db"
    run = subprocess.run([sys.executable, "-c", room + _OPEN, str(path)], capture_output=True, text=True, check=True)
    assert re.match(rf"cannot open the store {path}: {said.format(folder=tmp_path)}", run.stdout), run
    with Store(path) as store:
        store.record([(trial(), OK)])
        assert len(store) == 1


def test_other_files_are_refused(tmp_path: Path) -> None:
    text, foreign, newer = tmp_path / "a.txt", tmp_path / "b.db", tmp_path / "c.db"
    text.write_text("no database at all" * 100)
    with closing(sqlite3.connect(foreign)) as link:
        link.execute("CREATE TABLE t (x)")
    Store(newer).close()
    with closing(sqlite3.connect(newer, isolation_level=None)) as link:
        link.execute("PRAGMA user_version = 7")
    for path, message in (
        (text, "it is no store, or damaged; give another file"),
        (foreign, "is a database of another program; give another file for the store"),
        (newer, "is a store of version 7, this vtac reads version 1: give another file, or the vtac that wrote it"),
        (tmp_path / "no" / "s.db", "there is no directory '"),
        *([(Path("/proc/s.db"), "no file can be made or opened in /proc; give")] if Path("/proc").is_dir() else []),
    ):
        with pytest.raises(StoreError, match=message):
            Store(path)
    assert text.read_text() == "no database at all" * 100


def test_a_store_may_be_called_as_sqlite_calls_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Store(":memory:") as store:
        store.record([(trial(), OK)])
    with Store(tmp_path / ":memory:") as store:
        assert store.outcomes("p", "m", "1") == {"c": OK}


def test_two_that_make_a_store_at_once_both_have_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other makes it between the questions that the one asks of the file."""
    path, connect = tmp_path / "s.db", sqlite3.connect

    class Interrupted(sqlite3.Connection):
        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            if sql == "PRAGMA user_version":
                monkeypatch.setattr(sqlite3, "connect", connect)
                with contextlib.suppress(StoreError):
                    Store(path, wait=0).close()
            return super().execute(sql, *rest)

    def interrupted(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, factory=Interrupted, **options)

    monkeypatch.setattr(sqlite3, "connect", interrupted)
    with Store(path) as store:
        store.record([(trial(), OK)])
        assert len(store) == 1


@dataclass(frozen=True)
class _Named:
    size: int
    name: str = field(compare=False)
    parts: tuple[int, ...] = (1, 2)


def test_names_are_no_part_of_the_canonical_text() -> None:
    assert canonical(_Named(3, "a")) == canonical(_Named(3, "b")) != canonical(_Named(4, "a"))
    assert len(digest(canonical(_Named(3, "a")))) == 32
