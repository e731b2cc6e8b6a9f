"""Programs that were compiled before are read from a folder; what is damaged is compiled again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vtac
from vtac.errors import VtacError
from vtac.files.user_cache import VARIABLE
from vtac.targets.vta import choosing, compiling
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.program_cache import CachedProgram
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.workloads.conv2d import Conv2D

TEXT = """
func.func @add(%x: tensor<1x32xi8>, %y: tensor<1x32xi8>) -> tensor<1x32xi8> {
  %empty = tensor.empty() : tensor<1x32xi8>
  %sum = linalg.add ins(%x, %y : tensor<1x32xi8>, tensor<1x32xi8>) outs(%empty : tensor<1x32xi8>) -> tensor<1x32xi8>
  func.return %sum : tensor<1x32xi8>
}
"""
SEVERAL = """
func.func @f(%x: tensor<1x32xi8>, %d: tensor<1x32xi8>) -> tensor<1x32xi8> {
  %empty = tensor.empty() : tensor<1x32xi8>
  %sum = linalg.add ins(%x, %x : tensor<1x32xi8>, tensor<1x32xi8>) outs(%empty : tensor<1x32xi8>) -> tensor<1x32xi8>
  %div = linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]
  } ins(%sum, %d : tensor<1x32xi8>, tensor<1x32xi8>) outs(%empty : tensor<1x32xi8>) {
  ^bb0(%a: i8, %b: i8, %c: i8):
    %q = arith.divsi %a, %b : i8
    linalg.yield %q : i8
  } -> tensor<1x32xi8>
  %end = linalg.sub ins(%div, %x : tensor<1x32xi8>, tensor<1x32xi8>) outs(%empty : tensor<1x32xi8>) -> tensor<1x32xi8>
  func.return %end : tensor<1x32xi8>
}
"""
_PROCESS = """
import sys, vtac
print("ready", flush=True)
sys.stdin.readline()
program = vtac.compile(sys.argv[1])
print(program.stream.instructions.hex(), flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path / "programs"


def _compile_nothing(*_: object, **__: object) -> None:
    raise ValueError("it was compiled")


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _fresh_and_known(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[VtaProgram, VtaProgram]:
    fresh = vtac.compile(text)
    monkeypatch.setattr(compiling, "compile_scheduled", _compile_nothing)
    monkeypatch.setattr(choosing, "compile_kept", _compile_nothing)
    return fresh, vtac.compile(text)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "text", [TEXT, SEVERAL, f"{Conv2D().text()}\n{Conv2D().schedule()}"], ids=["one", "two", "own"]
)
def test_a_known_program_is_what_compilation_gives(
    text: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh, known = _fresh_and_known(text, monkeypatch)
    assert len(_entries(folder)) == 1
    assert (str(known), repr(known), known.choices, known.summary) == (
        str(fresh),
        repr(fresh),
        fresh.choices,
        fresh.summary,
    )
    assert (known.arguments, known.results, known.cycles) == (fresh.arguments, fresh.results, fresh.cycles)
    assert known.disassemble() == fresh.disassemble()
    for one, other in zip(known.devices.values(), fresh.devices.values(), strict=True):
        assert (one.origins, one.kernels, one.layers, one.buffers) == (
            other.origins,
            other.kernels,
            other.layers,
            other.buffers,
        )
    known.save(tmp_path / "known")
    fresh.save(tmp_path / "fresh")
    assert _contents(tmp_path / "known") == _contents(tmp_path / "fresh")


def test_its_report_is_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jinja2", reason="needs the extra 'report'")
    fresh, known = _fresh_and_known(SEVERAL, monkeypatch)
    assert _entries(folder)
    assert isinstance(fresh, HostProgram) and isinstance(known, HostProgram)
    assert [str(script) for script in known.scripts] == [str(script) for script in fresh.scripts]
    assert known.report() == fresh.report()


def test_what_the_host_refuses_has_its_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = _fresh_and_known(SEVERAL, monkeypatch)
    assert _entries(folder)
    said: list[str] = []
    for program in programs:
        with pytest.raises(VtacError) as caught:
            program(np.ones((1, 32), np.int8), np.zeros((1, 32), np.int8))
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert ":10:" in said[0]


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace("@add", "@sum"),
        TEXT.replace("%sum", "%total"),
        TEXT.replace("linalg.add", "linalg.sub"),
        TEXT.replace("(%x, %y :", "(%y, %x :"),
        f"\n{TEXT}",
    ],
)
def test_what_differs_is_another_program(folder: Path, other: str) -> None:
    vtac.compile(TEXT)
    vtac.compile(other)
    assert len(_entries(folder)) == 2


def test_numbers_of_constants_and_options_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (1, 2):
        constant = f"%y = arith.constant dense<{value}> : tensor<1x32xi8>\n  %empty ="
        vtac.compile(TEXT.replace(", %y: tensor<1x32xi8>)", ")").replace("%empty =", constant, 1))
    vtac.compile(TEXT)
    vtac.compile(TEXT, host=False)
    vtac.compile(TEXT, config=vtac.VTAConfig(log_inp_buff_size=14))
    monkeypatch.setenv("VTAC_MAX_OPERATIONS", "100000")
    vtac.compile(TEXT)
    assert len(_entries(folder)) == 6


@pytest.mark.parametrize(
    "name", ["program/insn.bin", "program/program.json", "program/host.mlir", "program/dram.bin", "scripts.mlir"]
)
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_program_is_compiled_and_written_again(folder: Path, name: str, damage: str) -> None:
    expected = vtac.compile(TEXT).stream.instructions
    (entry,) = _entries(folder)
    whole = _contents(entry)
    data = whole[name]
    (entry / name).unlink()
    if damage != "gone":
        (entry / name).write_bytes(data[:-3] if damage == "cut" else bytes([*data[:-9], data[-9] ^ 1, *data[-8:]]))
    assert _known(entry) is None
    assert vtac.compile(TEXT).stream.instructions == expected
    assert _contents(entry) == whole
    assert _known(entry) is not None


def _known(entry: Path) -> VtaProgram | None:
    from vtac.files.cache_entries import Entries

    return CachedProgram(Entries(entry.parent, 10, 1 << 20), entry.name).find()


def test_several_processes_compile_the_same(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", _PROCESS, TEXT]
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(3)
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    said = [process.communicate("go\n") for process in running]
    assert said[0][0]
    assert [one == (said[0][0], "") for one in said] == [True, True, True]
    (entry,) = _entries(folder)
    assert _known(entry) is not None


def test_a_folder_that_takes_nothing_stops_no_compilation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv(VARIABLE, str(file))
    assert vtac.compile(TEXT).stream.instructions


@pytest.mark.parametrize("variable", [None, "off"])
def test_nothing_is_kept_unasked(variable: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    if variable is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    vtac.compile(TEXT, cache=True if variable == "off" else None)
    assert list(tmp_path.iterdir()) == []
