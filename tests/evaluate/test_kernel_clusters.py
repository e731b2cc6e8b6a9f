"""Clusters at the kernel level: what blocks bring to each other in numpy, and protocols that are refused."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.errors import EvaluationError
from vtac.evaluate import evaluate

MEET = "tma.cluster_arrive\n  tma.cluster_wait"
BOX = "boxes <[32] of [64] strides [] steps [1] swizzle 0 fill zero>"
KERNEL = f"""
builtin.module attributes {{wmma.architecture = "sm_90"}} {{
func.func @f(%a: memref<64xf32>, %y: memref<128xf32> {{schedule.result}}) attributes {{gpu.kernel, \
wmma.grid = array<i64: 2, 1, 1>, wmma.block = array<i64: 64, 1, 1>, wmma.cluster = array<i64: 2, 1, 1>}} {{
  %t = memref.alloc() : memref<64xf32, "shared">
  %full = memref.alloc() : memref<1xi64, "shared">
  %free = memref.alloc() : memref<1xi64, "shared">
  %zero = arith.constant 0 : index
  %block = "gpu.block_id"() <{{dimension = #gpu<dim x>}}> : () -> index
  %thread = "gpu.thread_id"() <{{dimension = #gpu<dim x>}}> : () -> index
  %half = affine.apply affine_map<(b) -> (b * 32)> (%block)
  %to = affine.apply affine_map<(b, t) -> (b * 64 + t)> (%block, %thread)
  %elected = tma.elect z 0
  scf.if %elected {{
    tma.mbarrier_init %full[%zero] arrivals 1 : memref<1xi64, "shared">
    tma.mbarrier_init %free[%zero] arrivals 4 : memref<1xi64, "shared">
    tma.fence_mbarrier_init
  }}
  {MEET}
  scf.if %elected {{
    tma.arrive_expect %full[%zero] bytes 256 : memref<1xi64, "shared">
    tma.load %t[%half], %a[%half], %full[%zero] {BOX} mask 3 : memref<64xf32, "shared">, memref<64xf32>, \
memref<1xi64, "shared">
  }}
  tma.wait %full[%zero] parity %zero : memref<1xi64, "shared">
  %v = memref.load %t[%thread] : memref<64xf32, "shared">
  tma.arrive %free[%zero] blocks 2 : memref<1xi64, "shared">
  tma.wait %free[%zero] parity %zero cluster : memref<1xi64, "shared">
  memref.store %v, %y[%to] : memref<128xf32>
  {MEET}
  func.return
}}
}}
"""
NUMBERS = np.arange(64, dtype=np.float32)


def test_both_blocks_get_both_halves() -> None:
    np.testing.assert_array_equal(evaluate(vtac.parse(KERNEL), NUMBERS), np.tile(NUMBERS, 2))


REFUSED = {
    "nobody meets before": (
        f"  {MEET}\n  scf.if",
        "  scf.if",
        "reaches other blocks of its cluster before",
    ),
    "nobody meets at the end": (
        f"  {MEET}\n  func",
        "  func",
        "blocks end while others of their cluster",
    ),
    "threads only arrive": (f"  {MEET}\n  func", "  tma.cluster_arrive\n  func", "blocks end while others"),
    "threads arrive twice": (f"  {MEET}\n  func", f"  tma.cluster_arrive\n  {MEET}\n  func", "wait then, in turns"),
    "threads wait alone": (f"  {MEET}\n  func", "  tma.cluster_wait\n  func", "wait then, in turns"),
    "one warp meets": (
        f"  {MEET}\n  func",
        "  scf.if %elected {\n  tma.cluster_arrive\n  }\n  func",
        "a part of a block's",
    ),
    "one half comes to its block": ("mask 3", "mask 2", "misses 0 of 1 arrivals and 128 bytes of phase 0"),
    "halves lie in one place": ("tma.load %t[%half]", "tma.load %t[%zero]", "is being written by an asynchronous copy"),
    "one arrival is missing": ("%free[%zero] arrivals 4", "%free[%zero] arrivals 5", "misses 1 of 5 arrivals"),
}


@pytest.mark.parametrize(("old", "new", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_wrong_protocols_are_refused(old: str, new: str, message: str) -> None:
    assert KERNEL.count(old) == 1
    text = KERNEL.replace(old, new).replace("bytes 256", "bytes 128" if "mask 2" in new else "bytes 256")
    with pytest.raises(EvaluationError) as caught:
        evaluate(vtac.parse(text), NUMBERS)
    assert message in caught.value.message
