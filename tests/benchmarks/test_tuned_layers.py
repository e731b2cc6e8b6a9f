"""`benchmarks/tuned_layers.py`: a table of tuned layers, and what it refuses."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "tuned_layers.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(SCRIPT.parent), *sys.path])
    spec = importlib.util.spec_from_file_location("benchmark_of_tuned_layers", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


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
