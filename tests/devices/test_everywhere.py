"""What `--everywhere` does with the programs that tests call."""

from __future__ import annotations

import numpy as np
import pytest
from device_programs import arguments_of, device_program
from everywhere import CHISEL, DEVICES, HLS, PIPE, Everywhere

import vtac
from vtac.workloads.vadd import VectorAdd

MULTIPLIED = """#id = affine_map<(i, j) -> (i, j)>
func.func @times(%x: tensor<4x16xi8>) -> tensor<4x16xi32> {
  %e = tensor.empty() : tensor<4x16xi32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x16xi8>) outs(%e : tensor<4x16xi32>) {
  ^bb0(%a: i8, %b: i32):
    %w = arith.extsi %a : i8 to i32
    %c = arith.constant 9 : i32
    %s = arith.addi %w, %c : i32
    linalg.yield %s : i32
  } -> tensor<4x16xi32>
  func.return %q : tensor<4x16xi32>
}
"""


def test_each_call_is_followed_by_one_on_each_device() -> None:
    found = Everywhere()
    with found.following():
        for name in ("vta_vadd", "two-streams"):
            program = device_program(name)
            program(*arguments_of(program))
        loads_8bit = vtac.compile(MULTIPLIED, acc_8bit=True)
        loads_8bit(*arguments_of(loads_8bit))
    found.close()
    program(*arguments_of(program))
    assert found.counts == {(PIPE, "equal"): 3, **{(name, "equal"): 2 for name in (CHISEL, HLS)}} | {
        (name, "relaxed"): 1 for name in (CHISEL, HLS)
    }
    assert found.lines()[1:] == [f"{name}: 2 calls of programs equal, 1 refused (1 relaxed)" for name in (CHISEL, HLS)]


def test_a_device_that_computes_something_else() -> None:
    program = vtac.compile(VectorAdd().text())
    arrays = arguments_of(program)
    expected = np.asarray(program(*arrays))
    found = Everywhere()
    with pytest.raises(AssertionError, match=f"{DEVICES[0]} computes something else than the interpreter"):
        found.compare(program, arrays, expected ^ 1)
    found.close()
