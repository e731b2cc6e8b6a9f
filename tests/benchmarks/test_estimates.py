"""`benchmarks/estimates.py`: a table of errors of estimates, and what it refuses."""

from __future__ import annotations

import re
import sys
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
        (["C8", "--config", "huge"], "argument --config: invalid choice: 'huge'"),
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
