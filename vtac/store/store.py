"""A store of trials and their outcomes: SQLite with a write-ahead log, so that readers and writers do not wait."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from vtac.closing import Closing
from vtac.errors import VtacError
from vtac.store.records import MISHAPS, Outcome, Status, Trial

VERSION = 1
_APPLICATION = 0x76746163
"""`vtac`: what SQLite keeps in the file's head, so that another program's file is known."""
_WAIT_SECONDS = 30.0
_ROOM = 1 << 16
"""Bytes that SQLite needs beside the file: it calls a disk without room for its index of the log broken, not full."""
_FIELDS = "problem, machine, candidate, model, status, cycles, nbytes, instructions, message, more"
_TABLES = (
    "CREATE TABLE IF NOT EXISTS texts (digest TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS outcomes (problem TEXT NOT NULL, machine TEXT NOT NULL, candidate TEXT NOT NULL, "
    "model TEXT NOT NULL, status TEXT NOT NULL, cycles INTEGER NOT NULL, nbytes INTEGER NOT NULL, "
    "instructions INTEGER NOT NULL, message TEXT NOT NULL, more TEXT NOT NULL, "
    "PRIMARY KEY (problem, machine, model, candidate)) WITHOUT ROWID",
)


class StoreError(VtacError):
    """A store that cannot be read or written."""

    kind = "store"


class Store(Closing):
    """A file of outcomes, made where there is none.

    What is recorded is there when the call returns, whatever happens then. Several programs may use one file: what
    one writes the others see. `wait` is how long one waits for another, in seconds. Raises `StoreError` for a file
    that is no store, that another version wrote, that stays locked, and for a full disk.
    """

    def __init__(self, path: str | Path, *, wait: float = _WAIT_SECONDS) -> None:
        self.path = Path(path)
        with self._explained("open"):
            place = os.path.abspath(self.path)  # SQLite keeps nothing of what is called ":memory:"
            self._link = sqlite3.connect(place, timeout=wait, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._link.close()
                raise

    def close(self) -> None:
        """Let go of the file."""
        self._link.close()

    def record(self, outcomes: Iterable[tuple[Trial, Outcome]], texts: Iterable[tuple[str, str]] = ()) -> None:
        """Keep outcomes, all or none; a trial that has one already keeps that. `texts` say what digests stand for."""
        rows = [
            (*_key(trial), one.status, one.cycles, one.nbytes, one.instructions, one.message, one.more)
            for trial, one in outcomes
        ]
        with self._explained("write to"), self._transaction():
            self._link.executemany("INSERT OR IGNORE INTO texts VALUES (?, ?)", list(texts))
            marks = ", ".join("?" * len(_FIELDS.split(",")))
            self._link.executemany(f"INSERT OR IGNORE INTO outcomes ({_FIELDS}) VALUES ({marks})", rows)

    def forget_mishaps(self) -> None:
        """Let go of the trials that ended their workers, took too long or failed, so that they can be tried again."""
        marks = ", ".join("?" * len(MISHAPS))
        with self._explained("write to"), self._transaction():
            self._link.execute(f"DELETE FROM outcomes WHERE status IN ({marks})", MISHAPS)

    def outcomes(self, problem: str, machine: str, model: str) -> dict[str, Outcome]:
        """What is known of a problem on a machine, by candidate."""
        with self._explained("read"):
            rows = self._link.execute(
                f"SELECT {_FIELDS} FROM outcomes WHERE problem = ? AND machine = ? AND model = ?",
                (problem, machine, model),
            ).fetchall()
        return {trial.candidate: outcome for trial, outcome in map(_row, rows)}

    def candidates(self, machine: str, model: str) -> tuple[str, ...]:
        """What ran on a machine, of whatever problem."""
        asked = "SELECT DISTINCT candidate FROM outcomes WHERE machine = ? AND model = ? AND status = 'ok' ORDER BY 1"
        with self._explained("read"):
            return tuple(str(row[0]) for row in self._link.execute(asked, (machine, model)))

    def machines(self, model: str) -> tuple[str, ...]:
        """The machines on which something ran, whatever its problem."""
        asked = "SELECT DISTINCT machine FROM outcomes WHERE model = ? AND status = 'ok' ORDER BY 1"
        with self._explained("read"):
            return tuple(str(row[0]) for row in self._link.execute(asked, (model,)))

    def text(self, digest: str) -> str | None:
        """What a digest stands for; None where nobody said."""
        with self._explained("read"):
            row = self._link.execute("SELECT text FROM texts WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else str(row[0])

    def __len__(self) -> int:
        with self._explained("read"):
            return int(self._link.execute("SELECT count(*) FROM outcomes").fetchone()[0])

    def to_json(self) -> str:
        """Everything, as a JSON object, in an order that follows from the contents."""
        with self._explained("read"), self._transaction():
            rows = self._link.execute(f"SELECT {_FIELDS} FROM outcomes ORDER BY problem, machine, model, candidate")
            outcomes = [dict(zip(_FIELDS.split(", "), row, strict=True)) for row in rows]
            texts = dict(cast("list[tuple[str, str]]", self._link.execute("SELECT * FROM texts ORDER BY 1").fetchall()))
        return json.dumps({"format": VERSION, "texts": texts, "outcomes": outcomes}, indent=1) + "\n"

    def _prepare(self) -> None:
        with self._transaction("BEGIN"):  # so that nobody makes the tables between these questions
            is_empty = self._link.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            application = int(self._link.execute("PRAGMA application_id").fetchone()[0])
            version = int(self._link.execute("PRAGMA user_version").fetchone()[0])
        if not is_empty and application != _APPLICATION:
            raise StoreError(f"{self.path} is a database of another program; give another file for the store")
        if not is_empty and version != VERSION:
            raise StoreError(
                f"{self.path} is a store of version {version}, this vtac reads version {VERSION}: give another file, "
                "or the vtac that wrote it"
            )
        self._link.execute("PRAGMA journal_mode = WAL")
        self._link.execute("PRAGMA synchronous = NORMAL")
        if is_empty:
            with self._transaction():
                for table in _TABLES:
                    self._link.execute(table)
                self._link.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._link.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _transaction(self, begin: str = "BEGIN IMMEDIATE") -> Generator[None]:
        self._link.execute(begin)
        try:
            yield
        except BaseException:
            if self._link.in_transaction:
                self._link.execute("ROLLBACK")
            raise
        self._link.execute("COMMIT")

    @contextmanager
    def _explained(self, what: str) -> Generator[None]:
        """Database errors in the user's terms."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StoreError(f"cannot {what} the store {self.path}: {_reason(error, self.path)}") from None


def _reason(error: sqlite3.DatabaseError, path: Path) -> str:
    text = str(error)
    if "locked" in text:
        return "another program holds it locked; let that end, or give another file"
    if "full" in text or ("disk I/O error" in text and _free_bytes(path) < _ROOM):
        return (
            "the disk is full; make room and start again: what was written before is kept "
            f"({_free_bytes(path):,} bytes are free in {_folder(path)})"
        )
    if "disk I/O error" in text:
        return (
            f"the disk of {_folder(path)} does not take it ({error.sqlite_errorname}): it is damaged, or no more of it "
            "is yours; give a file on another disk"
        )
    if "not a database" in text or "malformed" in text:
        return "it is no store, or damaged; give another file"
    if "unable to open" in text and not path.parent.is_dir():
        return f"there is no directory '{path.parent}'"
    if "unable to open" in text and path.is_dir():
        return "it is a directory; give a file"
    if "unable to open" in text:
        return f"no file can be made or opened in {_folder(path)}; give another one"
    if "readonly" in text:
        return "it may not be written; give another file"
    return text


def _folder(path: Path) -> Path:
    return Path(os.path.abspath(path)).parent


def _free_bytes(path: Path) -> int:
    """The room on the disk of a file; 0 where nobody can tell."""
    try:
        return shutil.disk_usage(_folder(path)).free
    except OSError:
        return 0


def _key(trial: Trial) -> Sequence[str]:
    return trial.problem, trial.machine, trial.candidate, trial.model


def _row(row: tuple[str, str, str, str, Status, int, int, int, str, str]) -> tuple[Trial, Outcome]:
    return Trial(*row[:4]), Outcome(*row[4:])


def opened(store: Store | str | Path | None) -> Store | None:
    """A store that was given as one, or as the path of one. Raises `StoreError` for anything else."""
    if not isinstance(store, Store | str | Path | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise StoreError(f"store is a {type(store).__name__}; a vtac.store.store.Store or the path of one is required")
    return store if store is None or isinstance(store, Store) else Store(store)
