"""Entries of a cache: folders and files that appear whole, by any number of processes, under names of what is in them.

What is used is marked by its time. An entry that is not what its reader expects is put in place again; two processes
that make the same one make the same, so that either may come last. Whatever else lies in the folder is left alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from vtac.files.signals import signals_deferred
from vtac.files.whole import scratch_beside, write_whole

DIGEST_NAMES: Final = re.compile(r"[0-9a-f]{64}")
"""The names of entries that are called by a SHA-256 digest of what is in them."""


class Usage(NamedTuple):
    """What a cache holds."""

    entries: int
    nbytes: int


class _Entry(NamedTuple):
    used: int
    nbytes: int
    path: Path


@dataclass(frozen=True)
class Entries:
    """The entries in a folder, which need not exist: at most so many, of at most so many bytes together.

    Only what has one of the `names` is an entry, and is counted and removed as one.
    """

    folder: Path
    most: int
    most_bytes: int
    names: re.Pattern[str] = DIGEST_NAMES

    def path(self, name: str) -> Path:
        """Where the entry of a name is, or would be."""
        return self.folder / name

    def use(self, name: str) -> None:
        """Count an entry as used now, where the folder can be written."""
        with contextlib.suppress(OSError):
            os.utime(self.path(name))

    def put(self, name: str, write: Callable[[Path], None]) -> None:
        """Make an entry: `write` fills a folder, which then gets the name. The oldest make room. Raises `OSError`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch = scratch_beside(self.path(name))
        try:
            scratch.mkdir()
            write(scratch)
            with signals_deferred():
                self._name(scratch, self.path(name))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        self.make_room()

    def put_file(self, name: str, data: bytes) -> None:
        """Make an entry that is a file; nothing makes room before `make_room` is called. Raises `OSError`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            write_whole(self.path(name), data)
        except IsADirectoryError:
            self._remove(self.path(name))
            write_whole(self.path(name), data)

    def _name(self, scratch: Path, entry: Path) -> None:
        """Give a folder the name of an entry; one that has it already makes way."""
        with contextlib.suppress(FileNotFoundError):
            old = scratch_beside(entry)
            entry.rename(old)
            shutil.rmtree(old, ignore_errors=True)
        with contextlib.suppress(FileExistsError, OSError):  # another process has just made the same
            scratch.rename(entry)

    def make_room(self) -> None:
        """Remove the entries that were used longest ago, until the others are no more than may be."""
        total = 0
        for place, entry in enumerate(sorted(self._found(), reverse=True)):
            total += entry.nbytes
            if place >= self.most or total > self.most_bytes:
                self._remove(entry.path)

    def usage(self) -> Usage:
        """How many entries there are, and their bytes."""
        found = self._found()
        return Usage(len(found), sum(entry.nbytes for entry in found))

    def clear(self) -> Usage:
        """Remove all entries; what they were. Those of a folder that cannot be written stay, and are none of it."""
        gone = [entry.nbytes for entry in self._found() if self._remove(entry.path)]
        return Usage(len(gone), sum(gone))

    def _remove(self, entry: Path) -> bool:
        """An entry goes at once, so that nobody reads a part of it; whether it did."""
        old = scratch_beside(entry)
        try:
            entry.rename(old)
        except OSError:
            return False
        with contextlib.suppress(OSError):
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.unlink(missing_ok=True)
        return True

    def _found(self) -> list[_Entry]:
        """All entries; none where there is no folder."""
        try:
            there = [entry for entry in os.scandir(self.folder) if self.names.fullmatch(entry.name)]
        except OSError:
            return []
        entries: list[_Entry] = []
        for entry in there:
            with contextlib.suppress(OSError):  # it was removed meanwhile
                found = entry.stat(follow_symlinks=False)
                nbytes = _bytes_under(entry.path) if entry.is_dir(follow_symlinks=False) else found.st_size
                entries.append(_Entry(found.st_mtime_ns, nbytes, Path(entry.path)))
        return entries


def _bytes_under(folder: str) -> int:
    total = 0
    for entry in os.scandir(folder):
        total += _bytes_under(entry.path) if entry.is_dir(follow_symlinks=False) else entry.stat().st_size
    return total
