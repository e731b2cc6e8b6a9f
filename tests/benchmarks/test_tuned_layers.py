"""`benchmarks/tuned_layers.py`: a table of tuned layers, and what it refuses."""

from __future__ import annotations

import re
import sys
from types import ModuleType

import pytest
from benchmark_scripts import benchmark_script


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return benchmark_script("tuned_layers", monkeypatch)


def test_a_row_says_what_was_found(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "C11", "--budget", "2", "--executor", "local:1", "--memories", "2"])
    assert script.main() == 0
    cells = ("C11", "number", "number", "( [0-9.]+ %)?", "number", "(best|[0-9.]+ %)", "number", "number", "number")
    pattern = " ?[|] ".join(cells).replace("number", "[0-9,]+").replace("[|] ( [", "[|]( [")
    assert re.search(f"^[|] {pattern} [|]$", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["C1"], "invalid choice: 'C1'"),
        (["--budget", "0"], "--budget 0: at least one tiling is required"),
        (["--memories", "3"], "argument --memories: invalid choice: 3"),
        (["--objective", "speed"], "argument --objective: invalid choice: 'speed'"),
    ],
)
def test_refusals(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", *arguments])
    with pytest.raises(SystemExit, match="2"):
        script.main()
    assert message in capsys.readouterr().err
