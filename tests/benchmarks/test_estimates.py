"""`benchmarks/estimates.py`: a table of errors of estimates, and what it refuses."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from benchmark_scripts import benchmark_script


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return benchmark_script("estimates", monkeypatch)


def _run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["estimates.py", *arguments])
    return int(script.main())


def test_ranked_random_and_threads_are_rows(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    once = ("C11", "--config", "default", "--ranked", "2", "--random", "1", "--threads", "1", "--worst", "1")
    assert _run(script, monkeypatch, *once, "--within", "50") == 0
    printed = capsys.readouterr()
    rows = [line.split(" | ")[:2] for line in printed.out.splitlines() if line.startswith("| r") or "threads," in line]
    assert rows[:4] == [
        ["| ranked, the formula", "2"],
        ["| ranked, rehearsed", "2"],
        ["| random, the formula", "1"],
        ["| random, rehearsed", "1"],
    ]
    assert re.search(r"^[+-]\d\.\d% (ranked|random|threads), default, C11: tile=\(1, ", printed.out, re.MULTILINE)
    assert printed.err.startswith("default: C11, ")
    assert _run(script, monkeypatch, *once, "--within", "0") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["C99"], "no network or layer C99; there are layers, C2, C3"),
        (["C8", "--random", "-1"], "--random -1: a number from 0 on is required"),
        (
            ["--ranked", "0", "--random", "0", "--threads", "0"],
            "nothing is compared: --ranked, --random and --threads are 0",
        ),
        (
            ["C8", "--config", "huge"],
            "--config huge: cannot read the configuration huge: No such file or directory; or d",
        ),
        (["C8", "--within", "-3"], "--within -3.0: a share of 0 per cent or more is required"),
        (["C8", "--within", "nan"], "--within nan: a share of 0 per cent or more is required"),
    ],
)
def test_refusals(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    with pytest.raises(SystemExit, match="2"):
        _run(script, monkeypatch, *arguments)
    assert message in capsys.readouterr().err


def test_a_configuration_of_a_file(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "wide.json"
    file.write_text('{"LOG_BLOCK_OUT": 5}')
    few = ("C11", "--config", str(file), "--ranked", "2", "--random", "0", "--threads", "0")
    assert _run(script, monkeypatch, *few) == 0
    assert f"ranked, {file}, C11: tile=(" in capsys.readouterr().out


def test_a_machine_with_larger_tiles_than_a_layer(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "wide.json"
    file.write_text('{"LOG_BLOCK": 9}')
    assert _run(script, monkeypatch, "C8", "--config", str(file)) == 1
    assert capsys.readouterr().err == (
        "estimates.py: in-channels is 128; a positive multiple of BLOCK = 512 is required\n"
    )
