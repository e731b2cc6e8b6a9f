"""Programs mean the same before and after mlir-opt lowers them, by the passes that frontends run."""

from __future__ import annotations

import numpy as np
import pytest
from mlir_opt import mlir_opt, needs_mlir_opt

from vtac.evaluate import evaluate
from vtac.text.source import parse

CONVOLUTION = """
func.func @f(%x: tensor<1x5x6x3xi8>, %w: tensor<3x3x3x4xi8>, %b: tensor<4xi32>) -> tensor<1x3x4x4xi32> {
  %e = tensor.empty() : tensor<1x3x4x4xi32>
  %s = linalg.broadcast ins(%b : tensor<4xi32>) outs(%e : tensor<1x3x4x4xi32>) dimensions = [0, 1, 2]
  %r = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x5x6x3xi8>, tensor<3x3x3x4xi8>) outs(%s : tensor<1x3x4x4xi32>) -> tensor<1x3x4x4xi32>
  %z = arith.constant dense<0> : tensor<1x3x4x4xi32>
  %m = arith.maxsi %r, %z : tensor<1x3x4x4xi32>
  return %m : tensor<1x3x4x4xi32>
}
"""
GENERATED = """
func.func @f(%x: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %g = tensor.generate {
  ^bb0(%i: index, %j: index):
    %v = tensor.extract %x[%i, %j] : tensor<4x6xi32>
    %s = arith.addi %i, %j : index
    %c = arith.index_cast %s : index to i32
    %t = arith.muli %v, %c : i32
    tensor.yield %t : i32
  } : tensor<4x6xi32>
  %r = tensor.rank %g : tensor<4x6xi32>
  %n = arith.index_cast %r : index to i32
  %e = tensor.splat %n : tensor<4x6xi32>
  %o = arith.addi %g, %e : tensor<4x6xi32>
  return %o : tensor<4x6xi32>
}
"""
TILED = """
func.func @f(%x: tensor<8x8xi32>, %y: tensor<8x8xi32>) -> (tensor<8x8xi32>, tensor<8x8xi32>) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c2 = arith.constant 2 : index
  %r = scf.for %i = %c0 to %c8 step %c2 iter_args(%a = %x) -> (tensor<8x8xi32>) {
    %p = tensor.extract_slice %a[%i, 0] [2, 8] [1, 1] : tensor<8x8xi32> to tensor<2x8xi32>
    %q = tensor.extract_slice %y[%i, 0] [2, 8] [1, 1] : tensor<8x8xi32> to tensor<2x8xi32>
    %s = linalg.add ins(%p, %q : tensor<2x8xi32>, tensor<2x8xi32>) outs(%p : tensor<2x8xi32>) -> tensor<2x8xi32>
    %b = tensor.insert_slice %s into %a[%i, 0] [2, 8] [1, 1] : tensor<2x8xi32> into tensor<8x8xi32>
    scf.yield %b : tensor<8x8xi32>
  }
  %e = tensor.empty() : tensor<8x8xi32>
  %t = scf.forall (%i) = (0) to (8) step (4) shared_outs(%o = %e) -> (tensor<8x8xi32>) {
    %p = tensor.extract_slice %r[%i, 0] [4, 8] [1, 1] : tensor<8x8xi32> to tensor<4x8xi32>
    %d = tensor.extract_slice %o[%i, 0] [4, 8] [1, 1] : tensor<8x8xi32> to tensor<4x8xi32>
    %s = linalg.sub ins(%p, %p : tensor<4x8xi32>, tensor<4x8xi32>) outs(%d : tensor<4x8xi32>) -> tensor<4x8xi32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %s into %o[%i, 0] [4, 8] [1, 1] : tensor<4x8xi32> into tensor<8x8xi32>
    }
  }
  return %r, %t : tensor<8x8xi32>, tensor<8x8xi32>
}
"""
PROGRAMS = {
    "convolution": (CONVOLUTION, ((1, 5, 6, 3), np.int8), ((3, 3, 3, 4), np.int8), ((4,), np.int32)),
    "generated": (GENERATED, ((4, 6), np.int32)),
    "tiled": (TILED, ((8, 8), np.int32), ((8, 8), np.int32)),
}
BUFFERS = (
    "--convert-elementwise-to-linalg",
    "--one-shot-bufferize=bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map",
)
PASSES = {
    "generic operations": ("--convert-elementwise-to-linalg", "--linalg-generalize-named-ops", "--canonicalize"),
    "buffers inside of functions": ("--convert-elementwise-to-linalg", "--one-shot-bufferize"),
    "buffers": (*BUFFERS, "--buffer-deallocation-pipeline"),
    "loops": (*BUFFERS, "--convert-linalg-to-loops", "--canonicalize", "--cse"),
    "loops in any order": (*BUFFERS, "--convert-linalg-to-parallel-loops", "--canonicalize"),
    "affine loops": (*BUFFERS, "--convert-linalg-to-affine-loops", "--affine-loop-tile=tile-size=3"),
    "affine loops in any order": (*BUFFERS, "--convert-linalg-to-affine-loops", "--affine-parallelize"),
    "affine loops, lowered": (*BUFFERS, "--convert-linalg-to-affine-loops", "--lower-affine", "--canonicalize"),
    "views by strides": (*BUFFERS, "--convert-linalg-to-loops", "--expand-strided-metadata", "--canonicalize"),
}


@needs_mlir_opt
@pytest.mark.parametrize("passes", PASSES.values(), ids=PASSES)
@pytest.mark.parametrize(("source", "shapes"), [(text, of) for text, *of in PROGRAMS.values()], ids=PROGRAMS)
def test_what_mlir_opt_lowers_means_the_same(
    source: str, shapes: list[tuple[tuple[int, ...], type[np.generic]]], passes: tuple[str, ...]
) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.integers(-50, 50, shape).astype(dtype) for shape, dtype in shapes]
    wanted, found = (
        evaluate(parse(text), *arrays)
        for text in (source, mlir_opt("--mlir-print-op-generic=false", *passes, text=source))
    )
    several = (wanted, found) if isinstance(wanted, tuple) and isinstance(found, tuple) else ((wanted,), (found,))
    returned = len(several[0])
    for one, other in zip(several[0], several[1][-returned:], strict=True):
        assert np.array_equal(one, other)
