"""Folders of saved programs: new as a whole or old as a whole, whatever else lies in them and whoever writes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vtac.files import folders
from vtac.files.folders import write_folder
from vtac.files.signals import signals_deferred
from vtac.files.whole import write_whole


def with_index(files: dict[str, bytes]) -> dict[str, bytes]:
    return {**files, "program.json": json.dumps({"format": 1, "digests": dict.fromkeys(files, "")}).encode()}


FIRST = with_index({"insn.bin": b"1" * 64, "host.mlir": b"1"})
SECOND = with_index({"insn.bin": b"2" * 64, "device_0/insn.bin": b"2"})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_program_takes_the_place_of_another(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    for files in (FIRST, SECOND, FIRST):
        write_folder(folder, files)
        assert contents(folder) == files
    assert [path.name for path in folder.parent.iterdir()] == ["b"]


def test_foreign_files_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "device_7").mkdir()
    (tmp_path / "device_7" / "mine").write_text("mine")
    kept = {"notes.txt": b"mine", "device_7/mine": b"mine"}
    for files in (FIRST, SECOND):
        write_folder(tmp_path, files)
        assert contents(tmp_path) == {**kept, **files}


@pytest.mark.parametrize("name", ["kernel.cu", "uop.bin", "launch.json", "digests.json"])
@pytest.mark.parametrize("before", [{}, FIRST], ids=["no program", "a program that lists others"])
def test_a_file_that_no_index_lists_is_foreign(tmp_path: Path, name: str, before: dict[str, bytes]) -> None:
    write_folder(tmp_path, before)
    (tmp_path / name).write_text("{}")
    write_folder(tmp_path, SECOND)
    assert contents(tmp_path) == {**SECOND, name: b"{}"}


@pytest.mark.parametrize("name", ["insn.bin", "program.json"])
def test_a_foreign_file_in_the_way_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match=f"it belongs to no saved program there; move it away.*{name}"):
        write_folder(tmp_path, FIRST)
    assert contents(tmp_path) == {name: b"mine"}


def test_the_current_directory_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    number = tmp_path.stat().st_ino
    write_folder(Path(), FIRST)
    write_folder(Path(), SECOND)
    assert tmp_path.stat().st_ino == number
    assert contents(tmp_path) == SECOND


def test_a_link_keeps_leading_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_folder(tmp_path / "link", FIRST)
    assert (tmp_path / "link").is_symlink()
    assert contents(tmp_path / "real") == FIRST


def test_without_an_exchange_of_names_no_mix_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_exchange(*_: Path) -> bool:
        return False

    monkeypatch.setattr(folders, "_exchange", no_exchange)
    for files in (FIRST, SECOND):
        write_folder(tmp_path / "p", files)
        assert contents(tmp_path / "p") == files
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_failure_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "p"
    write_folder(folder, FIRST)
    write = Path.write_bytes

    def fail(path: Path, data: bytes) -> int:
        if path.name == "program.json":
            raise OSError(28, "No space left on device", str(path))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        write_folder(folder, SECOND)
    assert contents(folder) == FIRST
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


# A process that is started in the background may ignore SIGINT, and its children with it.
_WRITER = """
import signal, sys
from pathlib import Path
from vtac.files.folders import write_folder
names = ("insn.bin", "uop.bin", "dram.bin", "program.json")
files = dict.fromkeys(names, sys.argv[2].encode() * 4096)
files["program.json"] = b'{"format": 1, "name": "' + files["uop.bin"] + b'"}'
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
for turn in range(int(sys.argv[3])):
    write_folder(Path(sys.argv[1]), files)
    if turn < 6:
        print(turn, flush=True)
"""


def writer(folder: Path, letter: str, times: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _WRITER, folder, letter, str(times)], stdout=subprocess.PIPE)


@pytest.mark.parametrize("foreign", [False, True], ids=["its own", "with foreign files"])
def test_two_writers_leave_one_of_the_two(tmp_path: Path, foreign: bool) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    if foreign:
        (folder / "mine").write_bytes(b"")
    processes = [writer(folder, letter, 60) for letter in "ab"]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0]
    found = contents(folder)
    found.pop("mine", None)
    assert len(found) == 4
    index = found.pop("program.json")
    assert len(set(found.values())) == 1
    assert index.endswith(found["uop.bin"] + b'"}')
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    for turn in range(6):
        with writer(tmp_path / "p", "x", 100_000) as process:
            assert process.stdout is not None
            for _ in range(turn + 1):
                process.stdout.readline()
            process.send_signal(number)
        assert process.returncode != 0
        assert [path.name for path in tmp_path.iterdir()] in ([], ["p"])
        assert len(contents(tmp_path / "p")) in (0, 4)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, whatever the process was started with."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_signals_act_after_the_block() -> None:
    seen: list[str] = []
    with pytest.raises(KeyboardInterrupt), signals_deferred():
        signal.raise_signal(signal.SIGINT)
        seen.append("went on")
    assert seen == ["went on"]


def test_long_names_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 245 + ".npz")
    write_whole(target, b"data")
    assert target.read_bytes() == b"data"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_process_left_long_ago_is_removed(tmp_path: Path) -> None:
    """And nothing else: neither what is being written now nor what has another name."""
    old, now, other = (tmp_path / name for name in (f".vtac.{1:016x}.tmp", f".vtac.{2:016x}.tmp", ".vtac.mine.tmp"))
    for path in (old, now, other):
        path.mkdir()
        (path / "insn.bin").write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (0, 0))
    write_whole(tmp_path / "file", b"data")
    assert {path.name for path in tmp_path.iterdir()} == {"file", now.name, other.name}
