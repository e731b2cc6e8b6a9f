"""The 8-bit load of accumulators: for simulators, on request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from operand_programs import Pooling, Term, joined
from plain_programs import CLAMP, SMALL_BLOCK, random_inputs

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import CompileError
from vtac.evaluate import evaluate
from vtac.schedule import Schedule
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.saved_program import load_program
from vtac.tools.vtac import main

pytestmark = pytest.mark.everywhere

SUM = joined([Term(), Term("channel"), Term(shift=2)], (2, 20, 3, 3), CLAMP)
WIDENED = """
func.func @f(%x: tensor<4x1x16xi8>) -> tensor<4x1x16xi8> {
  %e = tensor.empty() : tensor<4x1x16xi32>
  %w = linalg.generic {indexing_maps = [affine_map<(t, b, l) -> (t, b, l)>, affine_map<(t, b, l) -> (t, b, l)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<4x1x16xi8>) outs(%e : tensor<4x1x16xi32>) {
  ^bb0(%v: i8, %o: i32):
    %t = arith.extsi %v : i8 to i32
    linalg.yield %t : i32
  } -> tensor<4x1x16xi32>
  %e8 = tensor.empty() : tensor<4x1x16xi8>
  %r = linalg.generic {indexing_maps = [affine_map<(t, b, l) -> (t, b, l)>, affine_map<(t, b, l) -> (t, b, l)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%w : tensor<4x1x16xi32>) outs(%e8 : tensor<4x1x16xi8>) {
  ^bb0(%v: i32, %o: i8):
    %t = arith.trunci %v : i32 to i8
    linalg.yield %t : i8
  } -> tensor<4x1x16xi8>
  func.return %r : tensor<4x1x16xi8>
}
"""


@pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])
@pytest.mark.parametrize("text", [SUM, Pooling(2, 2, 1, "max").text((1, 20, 4, 4))], ids=["sum", "pool"])
def test_operands_are_loaded_as_8_bit(text: str, config: VTAConfig | None, tmp_path: Path) -> None:
    """The same numbers, also after saving; operands with a factor still go through GEMM."""
    module = vtac.parse(text)
    program = vtac.compile(module, config=config, acc_8bit=True)
    inputs = random_inputs(program)
    np.testing.assert_array_equal(program(*inputs), evaluate(module, *inputs))
    assert program.stream.simulator_only
    assert "load.acc8" in program.disassemble()
    assert vtac.check(program, acc_8bit=True) == []
    program.save(tmp_path / "saved")
    loaded = load_program(tmp_path / "saved")
    assert loaded.stream.simulator_only
    np.testing.assert_array_equal(loaded(*inputs), evaluate(module, *inputs))


def test_without_the_option_nothing_is_for_simulators_only() -> None:
    program = vtac.compile(SUM)
    assert not program.stream.simulator_only
    assert "acc8" not in program.disassemble()


def test_the_checker_names_each_load() -> None:
    findings = vtac.check(vtac.compile(SUM, acc_8bit=True))
    assert {finding.kind for finding in findings} == {"memory"}
    assert "the hardware does not decode ACC_8BIT; load i32 into ACC" in findings[0].message


def test_the_hardware_s_rules_refuse_to_run_one() -> None:
    program = vtac.compile(SUM, acc_8bit=True)
    assert isinstance(program, HostProgram)
    program.devices["layer_0"].simulator_only = False
    with pytest.raises(vtac.ExecutionError, match="the hardware does not decode ACC_8BIT; load i32 into ACC"):
        program(*random_inputs(program))


def test_a_schedule_cannot_load_8_bit_without_the_option() -> None:
    schedule = Schedule(WIDENED)
    block = schedule.get_block("w")
    schedule.set_scope(block, 0, "vta.acc")
    with pytest.raises(
        CompileError,
        match="dma_copy: block 'w' loads i8 into accumulators, which simulators decode and the hardware does not; "
        r"load it as an input and multiply by the identity, or compile for simulators only \(--acc-8bit\)",
    ):
        schedule.dma_copy(schedule.get_loop(block, "i0"))


def test_the_command_s_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "sum.mlir"
    source.write_text(SUM)
    assert main(["compile", str(source), "-o", str(tmp_path / "saved"), "--acc-8bit"]) == 0
    assert main(["run", str(tmp_path / "saved")]) == 0
    assert main(["run", str(source), "--acc-8bit"]) == 0
    capsys.readouterr()
    assert main(["check", str(tmp_path / "saved")]) == 1
    assert "the hardware does not decode ACC_8BIT" in capsys.readouterr().out
    assert main(["run", str(tmp_path / "saved"), "--acc-8bit"]) != 0
    assert "--config, --schedule, --acc-8bit and --check are for program files" in capsys.readouterr().err
