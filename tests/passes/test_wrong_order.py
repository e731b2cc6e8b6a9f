"""Passes in another order than a pipeline's: refused with the buffer or function, or without effect; never damage."""

from __future__ import annotations

from pathlib import Path

import pytest

import vtac
from vtac.tools.vtac_opt import main

EXAMPLES = Path(__file__).parents[2] / "examples"
MEMREFS = """
func.func @copy(%a: memref<4x16xi32>, %b: memref<4x16xi32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%a : memref<4x16xi32>) outs(%b : memref<4x16xi32>) {
  ^bb0(%x: i32, %o: i32):
    linalg.yield %x : i32
  }
  func.return
}
"""


@pytest.mark.parametrize(
    ("passes", "found"),
    [
        ("lower-to-vta,pack-for-vta", "pack-for-vta: function 'vadd' works on memrefs; it takes functions on tensors"),
        ("lower-to-vta{phase=units},schedule-compact-buffers", "is used by 'vta.alu'; it takes buffers that blocks"),
        ("lower-to-vta{phase=units},lower-to-vta", "is used by 'vta.alu'; it takes buffers that blocks alone use"),
        ("lower-to-vta{phase=scheduled},vta-place-buffers", "is used by 'schedule.block'; run the passes to the vta"),
    ],
)
def test_what_a_pass_does_not_take_is_named(passes: str, found: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(EXAMPLES / "vta_vadd.mlir"), "-p", passes]) == 1
    out, err = capsys.readouterr()
    assert found in err
    assert not out


@pytest.mark.parametrize("passes", ["pack-for-vta", "lower-plain-to-vta"])
def test_functions_on_memrefs_are_not_packed(passes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "copy.mlir"
    source.write_text(MEMREFS)
    assert main([str(source), "-p", passes]) == 1
    assert "function 'copy' works on memrefs" in capsys.readouterr().err


@pytest.mark.parametrize(
    "passes", ["lower-to-vta,lower-to-vta", "lower-to-vta{phase=tokens},vta-group-stages,vta-insert-dependences"]
)
def test_tokens_are_placed_once(passes: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(EXAMPLES / "vta_vadd.mlir"), "-p", passes]) == 0
    assert capsys.readouterr().out.count("vta.sync") == 1


@pytest.mark.parametrize("name", ["a/b", "../../x", "a b"])
def test_any_name_suits_a_buffer(name: str) -> None:
    text = (EXAMPLES / "vta_vadd.mlir").read_text().split("schedule.script")[0]
    named = text.replace("(%A: tensor<1x64x1x16xi32>", f'(%A: tensor<1x64x1x16xi32> {{schedule.name = "{name}"}}')
    assert named != text
    schedule = vtac.Schedule(named)
    schedule.cache_read(schedule.get_block("C_buf"), 0, "vta.acc")
    assert f'schedule.name = "{name}_vta_acc"' in str(schedule.module)
