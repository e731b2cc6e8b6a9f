"""Programs that run on devices, with their arguments: a stream for each thing that a device has to do right."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import vtac
from vtac.targets.vta.programs.vta_program import VtaProgram

Arrays = tuple[NDArray[np.int8], ...]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

TWO_STREAMS = """#id = affine_map<(i, j) -> (i, j)>
func.func @two(%x: tensor<4x32xi8>, %w: tensor<32x16xi8>, %v: tensor<16x16xi8>) -> tensor<4x16xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<4x16xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<4x16xi32>) -> tensor<4x16xi32>
  %c = linalg.matmul ins(%x, %w : tensor<4x32xi8>, tensor<32x16xi8>) outs(%i : tensor<4x16xi32>) -> tensor<4x16xi32>
  %n = tensor.empty() : tensor<4x16xi8>
  %d = arith.constant 77 : i32
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%c : tensor<4x16xi32>) outs(%n : tensor<4x16xi8>) {
  ^bb0(%a: i32, %b: i8):
    %r = arith.divsi %a, %d : i32
    %t = arith.trunci %r : i32 to i8
    linalg.yield %t : i8
  } -> tensor<4x16xi8>
  %o = linalg.matmul ins(%q, %v : tensor<4x16xi8>, tensor<16x16xi8>) outs(%i : tensor<4x16xi32>) -> tensor<4x16xi32>
  func.return %o : tensor<4x16xi32>
}
"""
"""Two products around what only the host can do."""

CASES = ("vta_vadd", "vta_matmul", "two-streams")
"""A marked subset of the suite's programs: ALU alone, GEMM with virtual threads, a host between two streams."""


@cache
def device_program(name: str) -> VtaProgram:
    """A program of `CASES`, or an example by the name of its file."""
    source = TWO_STREAMS if name == "two-streams" else EXAMPLES / f"{name}.mlir"
    return vtac.compile(vtac.parse(source), target="vta")


def arguments_of(program: VtaProgram, seed: int = 0) -> Arrays:
    """Random arguments."""
    generator = np.random.default_rng(seed)
    return tuple(generator.integers(-128, 128, buffer.shape).astype(buffer.dtype) for buffer in program.arguments)
