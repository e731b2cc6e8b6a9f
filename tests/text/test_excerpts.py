"""The quoted line is that of the message's place, whatever the place and the line are like."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from run_programs import run_program

import vtac
from vtac.errors import CompileError, ScheduleError, VtacError
from vtac.text.excerpts import excerpt

TEXT = "func.func @f(%a: i32) -> i32 {\n  %0 = arith.addi %a, %b : i32\n  func.return %0 : i32\n}\n"


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("x:2:8", "    2 |   %0 = arith.addi %a, %b : i32\n      |        ^"),
        ("x:4:1", "    4 | }\n      | ^"),
        ("x:4:9", "    4 | }"),
        ("x:3", "    3 |   func.return %0 : i32"),
        ("x:5:1", ""),
        ("x:0:1", ""),
        ("x", ""),
        ("absent:1:1", ""),
        ("/dev/zero:1:1", ""),
    ],
)
def test_places(place: str, shown: str) -> None:
    assert excerpt(place, {"x": TEXT}) == shown


def test_long_lines_are_cut_around_the_place() -> None:
    line = "a" * 300 + "B" + "c" * 300
    first, second = excerpt("x:1:301", {"x": line}).splitlines()
    assert first[second.index("^")] == "B"
    assert len(first) < 130


def test_control_characters_do_not_move_the_caret() -> None:
    first, second = excerpt("x:1:4", {"x": "a\t\x1b[B"}).splitlines()
    assert first[second.index("^")] == "["
    assert "\x1b" not in first


def test_the_tools_quote_files_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "f.mlir").write_text(TEXT)
    for arguments, name in (([str(tmp_path / "f.mlir")], str(tmp_path / "f.mlir")), ([], "<stdin>")):
        outcome = run_program(["vtac-opt", *arguments], TEXT.encode(), merge=False)
        assert outcome.stderr.decode().splitlines() == [
            f"{name}:2:23: error: %b is used and nowhere defined",
            "    2 |   %0 = arith.addi %a, %b : i32",
            "      |                       ^",
        ]


def test_exceptions_quote_the_text_they_are_about() -> None:
    """As notes: the message stays one line."""
    with pytest.raises(CompileError) as caught:
        vtac.compile(TEXT)
    assert str(caught.value) == "<string>:2:23: %b is used and nowhere defined"
    assert caught.value.__notes__ == [f"<string>:2:23:\n{excerpt('x:2:23', {'x': TEXT})}"]


def test_a_refused_directive_shows_its_call_and_the_loop_nest() -> None:
    text = (
        "func.func @f(%a: tensor<6x4xi8>) -> tensor<6x4xi8> {\n  %e = tensor.empty() : tensor<6x4xi8>\n"
        "  %0 = linalg.add ins(%a, %a : tensor<6x4xi8>, tensor<6x4xi8>) outs(%e : tensor<6x4xi8>) -> tensor<6x4xi8>\n"
        "  func.return %0 : tensor<6x4xi8>\n}\n"
    )
    schedule = vtac.Schedule(text)
    first, _ = schedule.get_loops(schedule.get_block("add"))
    with pytest.raises(ScheduleError, match="4 does not divide loop 'i0'") as caught:
        schedule.split(first, factor=4)
    error = caught.value
    call, nest = error.__notes__
    assert call.endswith("        schedule.split(first, factor=4)")
    assert error.locations == (error.caller,)
    assert error.caller.startswith(f"{__file__}:")
    assert nest.startswith("the loop nest:\nf(a: 6x4xi8, ")
    assert "  for i0 in 0..6  <-- here\n    for i1 in 0..4\n" in nest
    assert (error.kind, error.tried) == ("schedule", "split")
    assert error.remedy == "choose a divisor (1, 2, 3, 6), or a tail strategy: guard or peel"
    assert error.found == "factor 4 does not divide loop 'i0' (extent 6): 2 iterations would remain"


def test_frames_of_the_compiler_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def frames() -> int:
        with pytest.raises(VtacError) as caught:
            vtac.compile(TEXT)
        return len(traceback.extract_tb(caught.value.__traceback__))

    monkeypatch.delenv("VTAC_DEBUG", raising=False)
    assert frames() == 2
    monkeypatch.setenv("VTAC_DEBUG", "1")
    assert frames() > 2


def test_parts_as_json_and_the_place_in_the_compiler(tmp_path: Path) -> None:
    (tmp_path / "f.mlir").write_text(TEXT)
    code = "import sys; from vtac.tools.vtac import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "check", str(tmp_path / "absent"), "--json", "--verbose"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["message"] in done.stderr
    assert "Traceback" in done.stderr
