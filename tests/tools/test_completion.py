"""Shells learn the commands and their options by argcomplete's protocol."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("argcomplete", reason="needs the extra 'complete'")


def completions(line: str, answer: Path) -> list[str]:
    """What a shell offers at the end of a line."""
    tool = Path(sys.executable).with_name(line.split(" ", maxsplit=1)[0])
    environment = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "PYTHONPATH": ":".join(sys.path),
    }
    subprocess.run([tool], env=environment, capture_output=True, check=False)
    return [word.strip() for word in answer.read_text().split("\n") if word.strip()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("vtac expla", ["explain"]),
        ("vtac run --stat", ["--stats"]),
        ("vtac disasm --la", ["--layer"]),
        ("vtac compile --target ", ["vta", "cuda"]),
        ("vtac-opt --print-between", ["--print-between-passes"]),
    ],
)
def test_completions(line: str, expected: list[str], tmp_path: Path) -> None:
    assert completions(line, tmp_path / "answer")[: len(expected)] == expected
