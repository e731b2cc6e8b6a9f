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


def two_products(name: str, depth: int, middle: int, quotient: str, constant: int) -> str:
    """Two products with `middle` channels between them, which `quotient`, an operation of `arith`, makes bytes."""
    sums, bytes_between = f"tensor<4x{middle}xi32>", f"tensor<4x{middle}xi8>"
    first = f"tensor<4x{depth}xi8>, tensor<{depth}x{middle}xi8>"
    second = f"{bytes_between}, tensor<{middle}x16xi8>"
    arguments = f"%x: tensor<4x{depth}xi8>, %w: tensor<{depth}x{middle}xi8>, %v: tensor<{middle}x16xi8>"
    return f"""#id = affine_map<(i, j) -> (i, j)>
func.func @{name}({arguments}) -> tensor<4x16xi32> {{
  %z = arith.constant 0 : i32
  %e = tensor.empty() : {sums}
  %i = linalg.fill ins(%z : i32) outs(%e : {sums}) -> {sums}
  %c = linalg.matmul ins(%x, %w : {first}) outs(%i : {sums}) -> {sums}
  %n = tensor.empty() : {bytes_between}
  %d = arith.constant {constant} : i32
  %q = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%c : {sums}) outs(%n : {bytes_between}) {{
  ^bb0(%a: i32, %b: i8):
    %r = {quotient} %a, %d : i32
    %t = arith.trunci %r : i32 to i8
    linalg.yield %t : i8
  }} -> {bytes_between}
  %e2 = tensor.empty() : tensor<4x16xi32>
  %i2 = linalg.fill ins(%z : i32) outs(%e2 : tensor<4x16xi32>) -> tensor<4x16xi32>
  %o = linalg.matmul ins(%q, %v : {second}) outs(%i2 : tensor<4x16xi32>) -> tensor<4x16xi32>
  func.return %o : tensor<4x16xi32>
}}
"""


TWO_STREAMS = two_products("two", 32, 16, "arith.divsi", 77)
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
