"""Entries of a cache: whole or not there, by several processes, and no more than may be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vtac.files.cache_entries import Entries, Usage

_PUT = """
import sys
from pathlib import Path
from vtac.files.cache_entries import Entries

def write(folder):
    (folder / "first").write_bytes(b"1" * 1000)
    if sys.argv[2] == "waits":
        print("half", flush=True)
        sys.stdin.readline()
    (folder / "last").write_bytes(b"2" * 1000)

for turn in range(1 if sys.argv[2] == "waits" else 50):
    Entries(Path(sys.argv[1]), 100, 1 << 20).put("name", write)
"""


def _process(folder: Path, how: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _PUT, folder, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def _entries(folder: Path, most: int = 100, most_bytes: int = 1 << 20) -> Entries:
    return Entries(folder, most, most_bytes, re.compile("[a-z]+"))


def _put(entries: Entries, name: str, nbytes: int, used: int) -> None:
    entries.put(name, lambda folder: _write(folder / "data", nbytes))
    if entries.path(name).exists():
        os.utime(entries.path(name), (used, used))


def _write(path: Path, nbytes: int) -> None:
    path.write_bytes(bytes(nbytes))


def test_several_processes_leave_one_whole_entry(tmp_path: Path) -> None:
    processes = [_process(tmp_path, "at once") for _ in range(3)]
    said = [process.communicate()[1] for process in processes]
    assert said == [b"", b"", b""]
    assert [path.name for path in tmp_path.iterdir()] == ["name"]
    assert sorted(path.name for path in (tmp_path / "name").iterdir()) == ["first", "last"]


def test_a_process_killed_while_it_writes_leaves_no_entry(tmp_path: Path) -> None:
    with _process(tmp_path, "waits") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    entries = _entries(tmp_path)
    assert entries.usage() == Usage(0, 0)
    (left,) = tmp_path.iterdir()
    _put(entries, "name", 10, 1)
    assert entries.usage() == Usage(1, 10)
    os.utime(left, (1, 1))
    _put(entries, "other", 10, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["name", "other"]


def test_an_entry_takes_the_place_of_a_damaged_one(tmp_path: Path) -> None:
    entries = _entries(tmp_path)
    _put(entries, "name", 10, 1)
    _write(entries.path("name") / "foreign", 5)
    _put(entries, "name", 20, 1)
    assert entries.usage() == Usage(1, 20)


@pytest.mark.parametrize(("most", "most_bytes", "kept"), [(2, 1000, "bc"), (9, 25, "bc"), (9, 9, ""), (9, 30, "abc")])
def test_what_was_used_longest_ago_makes_room(tmp_path: Path, most: int, most_bytes: int, kept: str) -> None:
    for place, name in enumerate("abc"):
        _put(_entries(tmp_path), name, 10, place + 1)
    _entries(tmp_path, most, most_bytes).make_room()
    assert "".join(sorted(path.name for path in tmp_path.iterdir())) == kept


def test_use_keeps_an_entry(tmp_path: Path) -> None:
    entries = _entries(tmp_path)
    for place, name in enumerate("abc"):
        _put(entries, name, 10, place + 1)
    entries.use("a")
    _entries(tmp_path, most=2).make_room()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]


def test_use_in_a_folder_that_is_only_read_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    entries = _entries(tmp_path)
    _put(entries, "a", 10, 1)
    monkeypatch.setattr(os, "utime", fail)
    entries.use("a")
    assert entries.path("a").stat().st_mtime == 1


def test_clear_removes_all(tmp_path: Path) -> None:
    entries = _entries(tmp_path / "cache")
    assert entries.clear() == Usage(0, 0)
    _put(entries, "a", 10, 1)
    assert entries.clear() == Usage(1, 10)
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_is_no_entry_stays_whatever_is_cleared_or_makes_room(tmp_path: Path) -> None:
    (tmp_path / "My thesis").mkdir()
    _write(tmp_path / "My thesis" / "chapter1.tex", 100)
    _write(tmp_path / "notes.txt", 100)
    digest = "0f" * 32
    _entries(tmp_path).put_file(digest, bytes(10))
    entries = Entries(tmp_path, 1, 50)
    entries.make_room()
    assert entries.usage() == Usage(1, 10)
    assert entries.clear() == Usage(1, 10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["My thesis", "notes.txt"]
    assert (tmp_path / "My thesis" / "chapter1.tex").exists()


def test_what_cannot_be_removed_does_not_count_as_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, target: Path) -> None:
        raise OSError(30, "Read-only file system", str(path), None, str(target))

    entries = _entries(tmp_path)
    _put(entries, "a", 10, 1)
    monkeypatch.setattr(Path, "rename", fail)
    assert entries.clear() == Usage(0, 0)
    assert entries.usage() == Usage(1, 10)


def test_a_file_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    entries = _entries(tmp_path)
    _put(entries, "a", 10, 1)
    entries.put_file("a", b"text")
    assert entries.path("a").read_bytes() == b"text"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="exists"):
        _put(_entries(tmp_path / "file"), "a", 10, 1)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        _write(folder / "first", 10)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        _entries(tmp_path).put("name", fail)
    assert list(tmp_path.iterdir()) == []
