"""`vtac cache`, and what commands that compile do with it, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vtac.files.user_cache import VARIABLE
from vtac.tools.vtac import main

TEXT = """func.func @add(%x: tensor<1x32xi8>, %y: tensor<1x32xi8>) -> tensor<1x32xi8> {
  %empty = tensor.empty() : tensor<1x32xi8>
  %sum = linalg.add ins(%x, %y : tensor<1x32xi8>, tensor<1x32xi8>) outs(%empty : tensor<1x32xi8>) -> tensor<1x32xi8>
  func.return %sum : tensor<1x32xi8>
}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    (tmp_path / "net.mlir").write_text(TEXT)
    return tmp_path / "net.mlir"


def _said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def _programs(capsys: pytest.CaptureFixture[str]) -> int:
    return json.loads(_said(capsys, "cache", "info", "--json"))["programs"]


def _vtac(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """In a shell's way: another process, with the environment of this one."""
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-m", "vtac.tools.vtac", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def test_a_program_is_kept_found_and_removed(file: Path) -> None:
    folder = file.parent / "cache"
    assert (
        _vtac("cache", "info").stdout
        == f"{folder}: 0 programs, 0 kernels, 0 tilings, 0 stream records, 0 bytes of at most 1,073,741,824\n"
    )
    first = _vtac("run", file, "--seed", "1")
    held = json.loads(_vtac("cache", "info", "--json").stdout)
    assert (held["folder"], held["limit"]) == (str(folder), 1 << 30)
    assert (held["programs"], held["kernels"], held["tilings"], held["stream_records"]) == (1, 1, 1, 2)
    (entry,) = (folder / "programs").iterdir()
    before = entry.stat().st_ino
    again = _vtac("run", file, "--seed", "1")
    assert (again.stdout, again.stderr) == (first.stdout, first.stderr)
    assert entry.stat().st_ino == before
    assert (
        _vtac("cache", "clear").stdout
        == f"{folder}: removed 1 program, 1 kernel, 1 tiling, 2 stream records, {held['bytes']:,} bytes\n"
    )
    assert list((folder / "programs").iterdir()) == []


@pytest.mark.parametrize("command", ["run", "compile", "stats", "disasm"])
def test_every_command_that_compiles_keeps_unless_told_otherwise(
    command: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("-o", str(file.parent / "out")) if command == "compile" else ()
    plain = _said(capsys, command, str(file), "--no-cache", *more)
    assert _programs(capsys) == 0
    assert [_said(capsys, command, str(file), *more) for _ in range(2)] == [plain, plain]
    assert _programs(capsys) == 1


def test_what_is_no_action_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del file
    assert main(["cache", "empty"]) == 1
    assert "argument action: invalid choice: 'empty' (choose from" in capsys.readouterr().err


def test_a_cache_that_is_off_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert _said(capsys, "cache", "clear") == "there is no cache: VTAC_CACHE_DIR is 'off', or the user has no home\n"


def test_a_folder_that_keeps_nothing_says_why(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file.parent / "cache").write_bytes(b"")
    assert _said(capsys, "cache", "info").endswith(f"\nnothing new is kept: {file.parent}/cache is no folder\n")
    assert json.loads(_said(capsys, "cache", "info", "--json"))["unusable"] == f"{file.parent}/cache is no folder"


def test_what_a_user_keeps_beside_the_cache_stays(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, str(file.parent))
    own = file.parent / "programs" / "games"
    own.mkdir(parents=True)
    _said(capsys, "run", str(file), "--seed", "1")
    assert ": removed 1 program, " in _said(capsys, "cache", "clear")
    assert own.is_dir() and file.exists()


def test_a_limit_that_is_none_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VTAC_MAX_CACHE", "much")
    assert main(["run", str(file)]) == 1
    assert "VTAC_MAX_CACHE='much': a positive number of bytes is required" in capsys.readouterr().err
