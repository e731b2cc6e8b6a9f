"""`vtac stats`: numbers of a program of any target, which is not run for them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vtac
from vtac.tools.vtac import main

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_stream_in_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", str(EXAMPLES / "vta_vadd.mlir")]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["cycles", "1,486"] in lines and ["load", "instructions", "5"] in lines and ["vadd", "1,486"] in lines


def test_they_are_those_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = vtac.compile(EXAMPLES / "vta_vadd.mlir")
    program.save(tmp_path / "saved")
    assert main(["stats", str(tmp_path / "saved"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    program(*(np.zeros(one.shape, one.dtype) for one in program.arguments))
    assert program.stats.items() <= found.items()
    assert found["layers"] == {"vadd": program.cycles}


def test_a_kernel_in_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vtac.compile(EXAMPLES / "wmma_conv2d.mlir", "cuda").save(tmp_path / "kernel")
    assert main(["stats", str(tmp_path / "kernel"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["blocks"] == 1568 and found["__syncthreads in the text"] == 2
    assert found["parameters"]["kernel"] == 2_359_296


def test_a_program_on_the_host_has_no_cycles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> {\n  func.return %a : tensor<4xf32>\n}\n"
    (tmp_path / "f.mlir").write_text(text)
    assert main(["stats", str(tmp_path / "f.mlir")]) == 0
    assert ["streams", "0"] in [line.split() for line in capsys.readouterr().out.splitlines()]


def test_what_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "absent.mlir"]) == 1
    assert capsys.readouterr().err.startswith("vtac: error: cannot read 'absent.mlir': No such file or directory")
