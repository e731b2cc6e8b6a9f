"""Files that the subcommands refuse by looking at them, and output that cannot be written."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vtac.tools.vtac import main

KIND = "tensor<1x16x4x4xi8>"
TEXT = f"""func.func @f(%a: {KIND}, %b: {KIND}) -> ({KIND}, {KIND}) {{
  %e = tensor.empty() : {KIND}
  %file = linalg.max ins(%a, %b : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  %allow_pickle = linalg.min ins(%a, %b : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  func.return %file, %allow_pickle : {KIND}, {KIND}
}}
"""


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    (tmp_path / "net.mlir").write_text(TEXT)
    assert main(["compile", str(tmp_path / "net.mlir"), "-o", str(tmp_path / "saved")]) == 0
    return tmp_path / "saved"


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


KINDS: dict[str, Callable[[Path], None]] = {"a pipe": _pipe, "a device": _zeros, "a folder": Path.mkdir}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["insn.bin", "uop.bin", "dram.bin", "program.json", "host.mlir"])
def test_parts_of_saved_programs_are_files(
    saved: Path, name: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (saved / name).unlink()
    KINDS[kind](saved / name)
    for command in ("run", "check"):
        assert main([command, str(saved)]) == 1
        assert f"cannot read {name}: it is {kind}, not a file" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["source", "--inputs", "--config", "--schedule"])
def test_what_is_read_is_a_file(saved: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    pipe, source = saved.parent / "pipe", str(saved.parent / "net.mlir")
    os.mkfifo(pipe)
    arguments = ["run", str(pipe)] if option == "source" else ["run", source, option, str(pipe)]
    assert main(arguments) == 1
    assert "it is a pipe, not a file" in capsys.readouterr().err


def test_an_array_is_refused_by_its_header(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez_compressed(saved.parent / "x.npz", a=np.zeros(1 << 24, np.int8), b=np.zeros(1, np.int8))
    assert main(["run", str(saved), "--inputs", str(saved.parent / "x.npz")]) == 1
    assert "argument 'a' is 16777216 int8; the program takes 1x16x4x4 int8" in capsys.readouterr().err


def test_an_encrypted_archive_is_one_message(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved.parent / "x.npz"
    np.savez(path, a=np.zeros((1, 16, 4, 4), np.int8), b=np.zeros((1, 16, 4, 4), np.int8))
    data = bytearray(path.read_bytes())
    for place in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data[place] |= 1
    path.write_bytes(data)
    assert main(["run", str(saved), "--inputs", str(path)]) == 1
    assert "x.npz' is no archive of numbers as numpy.savez writes it: 'a' is encrypted" in capsys.readouterr().err


def test_a_name_that_stands_for_two_arrays_is_refused(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved.parent / "x.npz"
    np.savez(path, a=np.zeros((1, 16, 4, 4), np.int8), b=np.zeros((1, 16, 4, 4), np.int8))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a.npy", archive.read("b.npy"))
    assert main(["run", str(saved), "--inputs", str(path)]) == 1
    assert "x.npz' is no archive of numbers as numpy.savez writes it: it holds 'a' twice" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--outputs", "--trace", "--dump"])
def test_a_file_is_no_stream(saved: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(saved), option, "-"]) == 1
    assert f"{option} -: standard output holds the counters; name a file, or ./- for" in capsys.readouterr().err


def test_results_may_have_any_name(saved: Path) -> None:
    assert main(["run", str(saved), "--outputs", str(saved.parent / "y.npz")]) == 0
    assert list(np.load(saved.parent / "y.npz")) == ["file", "allow_pickle"]


def test_statistics_on_standard_output(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(saved), "--stats", "-"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("{\n")
    assert captured.out.endswith("}\n")
    assert "sha256" in captured.err
    assert not Path("-").exists()


def test_disassembly_of_several_streams(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind = "tensor<1x16x4x4xi32>"
    (tmp_path / "net.mlir").write_text(f"""func.func @f(%a: {kind}, %b: {kind}) -> {kind} {{
  %e = tensor.empty() : {kind}
  %first = linalg.add ins(%a, %b : {kind}, {kind}) outs(%e : {kind}) -> {kind}
  %host = linalg.mul ins(%first, %b : {kind}, {kind}) outs(%e : {kind}) -> {kind}
  %second = linalg.add ins(%host, %a : {kind}, {kind}) outs(%e : {kind}) -> {kind}
  func.return %second : {kind}
}}
""")
    assert main(["compile", str(tmp_path / "net.mlir"), "-o", str(tmp_path / "p")]) == 0
    capsys.readouterr()
    for options in ([], ["--sources"]):
        assert main(["disasm", str(tmp_path / "p"), *options]) == 0
        assert capsys.readouterr().out.count("// f_") == 2
    assert main(["diff", str(tmp_path / "p"), str(tmp_path / "p")]) == 0
    assert capsys.readouterr().out == "no difference\n"
    assert main(["diff", str(tmp_path / "p"), str(tmp_path / "p" / "device_0")]) == 1
    assert capsys.readouterr().out == "2 streams against 1\n"


@pytest.mark.parametrize("arguments", [["run", ""], ["compile", "net.mlir", "-o", ""], ["check", ""]])
def test_no_argument_is_empty(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An empty path would be the current directory."""
    assert main(arguments) == 1
    assert "error: an argument is empty; a file, a directory or a value is required" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--config", "c.json"], "--config is for program files"),
        (["--schedule", "s.mlir", "--function", "f"], "--schedule and --function are for program files"),
    ],
)
def test_a_report_of_a_saved_program_compiles_nothing(
    given: list[str], said: str, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = saved.parent / "page.html"
    capsys.readouterr()
    assert main(["report", str(saved), "-o", str(page), *given]) == 1
    assert f"'{saved}' is a saved program: {said}" in capsys.readouterr().err
    assert not page.exists()


def test_a_record_without_layers_is_refused_by_its_name(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = saved.parent / "r.json"
    record.write_text("{}")
    page = saved.parent / "page.html"
    assert main(["report", str(saved), "-o", str(page), "--quantisation", str(record)]) == 1
    assert f"'{record}' is no report of a quantised model: no 'layers' in it; give" in capsys.readouterr().err
