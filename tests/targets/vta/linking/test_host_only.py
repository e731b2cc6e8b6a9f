"""Functions of which nothing is left for the VTA: the host runs them, and says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plain_programs import said

import vtac
from vtac.errors import CompileError
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.tools.vtac import main

HALF = """
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @halves(%a: tensor<3x5xf16>, %b: tensor<3x5xf16>) -> tensor<3x5xf16> {
  %empty = tensor.empty() : tensor<3x5xf16>
  %sum = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : tensor<3x5xf16>, tensor<3x5xf16>) outs(%empty : tensor<3x5xf16>) {
  ^bb0(%x: f16, %y: f16, %o: f16):
    %z = arith.addf %x, %y : f16
    linalg.yield %z : f16
  } -> tensor<3x5xf16>
  func.return %sum : tensor<3x5xf16>
}
"""


def _arrays() -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float16]], ...]:
    random = np.random.default_rng(0)
    return tuple(random.normal(size=(3, 5)).astype(np.float16) for _ in range(2))


def _compiled() -> HostProgram:
    program = vtac.compile(HALF)
    assert isinstance(program, HostProgram)
    return program


def test_the_host_runs_it_and_says_why(tmp_path: Path) -> None:
    program = _compiled()
    a, b = _arrays()
    np.testing.assert_array_equal(np.asarray(program(a, b)), a + b)  # pyright: ignore[reportArgumentType]
    assert program.devices == {}
    assert said(program) == (
        "host: 'linalg.generic' cannot run on the VTA: its result is f16; the VTA stores i8 (and i32 as four planes "
        "of bytes)",
    )
    assert program.stats["gemm_counter"] == program.stats["out_store_nbytes"] == 0
    assert vtac.check(program) == []
    program.save(tmp_path)
    loaded = vtac.load_program(tmp_path, "vta")
    np.testing.assert_array_equal(np.asarray(loaded(a, b)), a + b)  # pyright: ignore[reportArgumentType]


def test_without_the_host_it_is_refused() -> None:
    with pytest.raises(CompileError, match=r"<string>:5:10: 'linalg.generic' cannot run on the VTA: its result is f16"):
        vtac.compile(HALF, host=False)


def test_the_command_notes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "halves.mlir"
    file.write_text(HALF)
    assert main(["run", str(file)]) == 0
    captured = capsys.readouterr()
    assert "float16 3x5" in captured.out
    assert "note: host: 'linalg.generic' cannot run on the VTA" in captured.err
