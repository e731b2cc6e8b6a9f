"""The IR of any phase from `vtac run` and `vtac compile`, and one function of several."""

from __future__ import annotations

from pathlib import Path

import pytest

import vtac
from vtac.tools.vtac import main
from vtac.workloads.vadd import VectorAdd

KIND = "tensor<1x16x4x4xi32>"
HOST = "tensor<4x4xf32>"
SEVERAL = f"""
func.func @f(%a: {KIND}, %b: {KIND}) -> {KIND} {{
  %e = tensor.empty() : {KIND}
  %r = linalg.add ins(%a, %b : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  func.return %r : {KIND}
}}
func.func @g(%a: {HOST}, %b: {HOST}) -> {HOST} {{
  %e = tensor.empty() : {HOST}
  %r = linalg.add ins(%a, %b : {HOST}, {HOST}) outs(%e : {HOST}) -> {HOST}
  func.return %r : {HOST}
}}
"""
TILED = VectorAdd(64)


@pytest.fixture
def several(tmp_path: Path) -> str:
    path = tmp_path / "several.mlir"
    path.write_text(SEVERAL)
    return str(path)


@pytest.fixture
def tiled(tmp_path: Path) -> str:
    path = tmp_path / "tiled.mlir"
    path.write_text(f"{TILED.text()}\n{TILED.schedule()}")
    return str(path)


def test_a_phase_of_a_network_and_its_kernels(several: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", several, "--function", "f", "--print-ir", "grouped", "--print-ir", "tokens:f_0"]) == 0
    printed = capsys.readouterr()
    assert "IR after" not in printed.out
    grouped, tokens = printed.err.split("// -----// IR after phase ")[1:]
    assert grouped.startswith("grouped //----- //\nbuiltin.module") and "func.call @f_0" in grouped
    assert tokens.startswith("tokens //----- //\nfunc.func private @f_0(") and "vta.stage" in tokens


def test_every_pass_is_seen(tiled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", tiled, "-o", str(tmp_path / "out"), "--print-ir-after-all"]) == 0
    printed = capsys.readouterr().err
    assert "IR after apply-schedule //" in printed and "IR after vta-place-buffers //" in printed


def test_a_folder_holds_every_phase(several: str, tmp_path: Path) -> None:
    folder = tmp_path / "ir"
    assert main(["run", several, "--function", "f", "--dump-ir", str(folder)]) == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names[0] == "000_input.mlir" and names[-1].endswith("_linked.mlir")
    assert [name[4:] for name in names if "scheduled" in name] == ["scheduled_f_0.mlir"]
    for name in names:
        vtac.parse(folder / name)


def test_a_program_without_a_schedule_gets_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plain.mlir"
    path.write_text(TILED.text())
    assert main(["run", str(path), "--print-ir", "scheduled"]) == 0
    assert "schedule.for" in capsys.readouterr().err


REFUSALS = {
    "phase": (["--print-ir", "never"], "--print-ir never: no such phase; the phases are input, payload, scheduled, "),
    "function": (["--print-ir", "vta:g"], "--print-ir vta:g: no such function; after the phase there are vadd"),
    "no function": (["--function", "vad"], "has no function 'vad'; did you mean 'vadd'?"),
    "target": (["--dump-ir", "/dev/null/ir"], "'/dev/null"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(case: str, tiled: str, capsys: pytest.CaptureFixture[str]) -> None:
    options, message = REFUSALS[case]
    assert main(["run", tiled, *options]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and message in printed.err.splitlines()[-1]


def test_a_saved_program_has_no_ir(tiled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = str(tmp_path / "saved")
    assert main(["compile", tiled, "-o", saved]) == 0
    for options, message in ((["--print-ir", "vta"], "its IR is gone"), (["--function", "f"], "--function is for")):
        assert main(["run", saved, *options]) == 1
        assert message in capsys.readouterr().err


def test_nothing_to_schedule_is_said(several: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schedule", several, "--function", "g"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.endswith("several.mlir runs on the VTA: it needs no schedule\n")
    assert main(["schedule", several, "--function", "f"]) == 0
    assert capsys.readouterr().out.startswith("schedule.script @f_0")
