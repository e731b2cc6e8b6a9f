"""`vtac run --check` and `--json`: results against the input program, and everything as one object."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vtac.tools.commands import comparing
from vtac.tools.vtac import main

TEXT = """func.func @net(%a: tensor<3x20xi8>, %b: tensor<20x5xi8>) -> (tensor<3x5xi32>, tensor<3x20xi8>) {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<3x5xi32>
  %s = linalg.fill ins(%z : i32) outs(%e : tensor<3x5xi32>) -> tensor<3x5xi32>
  %c = linalg.matmul ins(%a, %b : tensor<3x20xi8>, tensor<20x5xi8>) outs(%s : tensor<3x5xi32>) -> tensor<3x5xi32>
  %f = tensor.empty() : tensor<3x20xi8>
  %m = linalg.max ins(%a, %a : tensor<3x20xi8>, tensor<3x20xi8>) outs(%f : tensor<3x20xi8>) -> tensor<3x20xi8>
  func.return %c, %m : tensor<3x5xi32>, tensor<3x20xi8>
}
"""


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "net.mlir"
    path.write_text(TEXT)
    return str(path)


def test_results_are_compared(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", source, "--check"]) == 0
    c, m = capsys.readouterr().out.splitlines()[-2:]
    assert c.startswith("c: 15 elements, largest error 0 of ")
    assert m.startswith("m: 60 elements, largest error 0 of ")


def test_a_difference_names_its_element(
    source: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = comparing.evaluate

    def wrong(*arguments: object) -> tuple[np.ndarray, ...]:
        c, m = right(*arguments)  # pyright: ignore[reportArgumentType]
        c[1, 4] += 1
        return c, m

    monkeypatch.setattr(comparing, "evaluate", wrong)
    assert main(["run", source, "--check"]) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert "result 'c' differs from the program executed by numpy in 1 of 15 elements, first in [1, 4]: " in message


def test_a_saved_program_has_no_input_program(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", source, "-o", str(tmp_path / "saved")]) == 0
    assert main(["run", str(tmp_path / "saved"), "--check"]) == 1
    assert "--check are for program files" in capsys.readouterr().err


def test_one_object(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", source, "--json", "--check"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["summary"]["macs"] == 300
    assert [one["name"] for one in found["results"]] == ["c", "m"]
    assert sum(layer["cycles"] for layer in found["layers"]) == found["stats"]["cycles"]


def test_an_error_is_an_object_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.mlir"
    path.write_text(TEXT.replace("ins(%a, %b", "ins(%a, %q"))
    assert main(["run", str(path), "--json"]) == 1
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert (error["kind"], error["locations"]) == ("source", [f"{path}:5:30"])
    assert error["found"] == "%q is used and nowhere defined"
    assert "     |                              ^" in err
