"""Loops, choices and accesses of memory, executed element by element, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from vtac.evaluate import EvaluationError, evaluate
from vtac.limits import ITERATIONS
from vtac.text.source import parse

INDICES = """
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %m1 = arith.constant -1 : index
  %z = arith.constant 0 : i32
"""
X = np.array([5, -3, 7, 11], np.int32)


def run(body: str, *arrays: np.ndarray, head: str = "%m: memref<4xi32>") -> object:
    return evaluate(parse(f"func.func @f({head}) {{{INDICES}{body}\n  return\n}}\n"), *arrays)


ORDERED = {
    "scf.for": (
        """
  scf.for %i = %c0 to %c4 step %c2 {
    %x = memref.load %m[%i] : memref<4xi32>
    %j = arith.addi %i, %c1 : index
    memref.store %x, %m[%j] : memref<4xi32>
  }""",
        [5, 5, 7, 7],
    ),
    "scf.for unsigned, once around": (
        """
  scf.for unsigned %i = %c0 to %m1 step %m1 {
    memref.store %z, %m[%i] : memref<4xi32>
  }""",
        [0, -3, 7, 11],
    ),
    "scf.for of nothing": ("scf.for %i = %c4 to %c2 step %c1 {\n memref.store %z, %m[%i] : memref<4xi32> }", X),
    "scf.while": (
        """
  %r = scf.while (%i = %c0) : (index) -> index {
    %x = memref.load %m[%i] : memref<4xi32>
    %go = arith.cmpi sgt, %x, %z : i32
    scf.condition(%go) %i : index
  } do {
  ^bb0(%i: index):
    memref.store %z, %m[%i] : memref<4xi32>
    %n = arith.addi %i, %c2 : index
    scf.yield %c1 : index
  }""",
        [0, -3, 7, 11],
    ),
    "affine.for with bounds of values": (
        """
  affine.for %i = 0 to 4 {
    affine.for %j = affine_map<(d0) -> (d0)>(%i) to min affine_map<(d0)[s0] -> (d0 + 2, s0)>(%i)[%c4] {
      %x = affine.load %m[%j] : memref<4xi32>
      %y = arith.addi %x, %x : i32
      affine.store %y, %m[symbol(%c4) - %j * 1 - 1] : memref<4xi32>
    }
  }""",
        None,
    ),
    "affine.if": (
        """
  affine.for %i = 0 to 4 {
    affine.if affine_set<(d0)[s0] : (d0 mod 2 == 0, d0 - s0 >= 0)>(%i)[%c1] {
      affine.store %z, %m[%i] : memref<4xi32>
    } else {
      %x = affine.load %m[(%i + 1) mod 4] : memref<4xi32>
      affine.store %x, %m[%i] : memref<4xi32>
    }
  }""",
        [-3, 7, 0, -3],
    ),
    "affine.min and affine.max": (
        """
  %i = affine.min affine_map<(d0)[s0] -> (d0 + 1, s0)>(%c4)[%c1]
  %j = affine.max affine_map<(d0)[s0] -> (d0 floordiv 2, s0)>(%c4)[%c1]
  memref.store %z, %m[%i] : memref<4xi32>
  affine.store %z, %m[%j] : memref<4xi32>""",
        [5, 0, 0, 11],
    ),
}


@pytest.mark.parametrize(("body", "wanted"), ORDERED.values(), ids=ORDERED)
def test_iterations_and_choices(body: str, wanted: list[int] | None) -> None:
    if wanted is None:
        expected = X.copy()
        for i in range(4):
            for j in range(i, min(i + 2, 4)):
                expected[3 - j] = 2 * expected[j]
    else:
        expected = np.array(wanted)
    found = run(body, X)
    assert np.array_equal(X if isinstance(found, tuple) else np.asarray(found), expected)


SUMS = """
func.func @f(%m: memref<4x3xi32>, %t: memref<4x3xf32>) -> (i32, i32, i32, i32, f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %z = arith.constant 10 : i32
  %a, %b = scf.parallel (%i, %j) = (%c0, %c0) to (%c4, %c3) step (%c1, %c1) init (%z, %z) -> (i32, i32) {
    %x = memref.load %m[%i, %j] : memref<4x3xi32>
    scf.reduce(%x, %x : i32, i32) {
    ^bb0(%l: i32, %r: i32):
      %y = arith.addi %l, %r : i32
      scf.reduce.return %y : i32
    }, {
    ^bb0(%l: i32, %r: i32):
      %y = arith.maxsi %l, %r : i32
      scf.reduce.return %y : i32
    }
  }
  %c, %d = affine.parallel (%i, %j) = (0, max(0, 1)) to (4, min(symbol(%c4), 3))
      step (2, 1) reduce ("addi", "maxu") -> (i32, i32) {
    %x = affine.load %m[%i, %j] : memref<4x3xi32>
    affine.yield %x, %x : i32, i32
  }
  %e = affine.parallel (%i) = (0) to (4) reduce ("minimumf") -> f32 {
    %x = affine.load %t[%i, 1] : memref<4x3xf32>
    affine.yield %x : f32
  }
  return %a, %b, %c, %d, %e : i32, i32, i32, i32, f32
}
"""


def test_reductions_of_loops_in_any_order() -> None:
    rng = np.random.default_rng(3)
    m, t = rng.integers(-50, 50, (4, 3)).astype(np.int32), rng.standard_normal((4, 3)).astype(np.float32)
    part = m[::2, 1:]
    found = evaluate(parse(SUMS), m, t)
    wanted = (10 + m.sum(), max(10, m.max()), part.sum(), part.view(np.uint32).max().astype(np.int32), t[:, 1].min())
    assert [one.item() for one in found] == [one.item() if isinstance(one, np.generic) else one for one in wanted]


FORALL = """
func.func @f(%t: tensor<6x4xi32>, %n: index) -> tensor<6x4xi32> {{
  %e = tensor.empty() : tensor<6x4xi32>
  %r = scf.forall (%a, %b) = (0, 0) to (6, %n) step ({step}, 2) shared_outs(%o = %e) -> (tensor<6x4xi32>) {{
    %p = tensor.extract_slice %t[%a, %b] [3, 2] [1, 1] : tensor<6x4xi32> to tensor<3x2xi32>
    %d = tensor.empty() : tensor<3x2xi32>
    %s = linalg.add ins(%p, %p : tensor<3x2xi32>, tensor<3x2xi32>) outs(%d : tensor<3x2xi32>) -> tensor<3x2xi32>
    scf.forall.in_parallel {{
      tensor.parallel_insert_slice %s into %o[%a, %b] [3, 2] [1, 1] : tensor<3x2xi32> into tensor<6x4xi32>
    }}
  }}
  return %r : tensor<6x4xi32>
}}
"""


def test_iterations_put_their_slices_into_a_shared_tensor() -> None:
    t = np.arange(24, dtype=np.int32).reshape(6, 4)
    assert np.array_equal(evaluate(parse(FORALL.format(step=3)), t, np.array(4)), 2 * t)
    with pytest.raises(EvaluationError, match=r"<string>:4:8|result 'r': nothing has written its element \[0, 2\]"):
        evaluate(parse(FORALL.format(step=3)), t, np.array(2))


def test_slices_of_two_iterations_that_overlap_are_refused() -> None:
    with pytest.raises(EvaluationError, match="two iterations write one element, in no order that is told"):
        evaluate(parse(FORALL.format(step=2)), np.zeros((6, 4), np.int32), np.array(4))


NONE = 'affine.parallel (%i) = (0) to (0) reduce ("addi") -> i32 {\naffine.yield %z : i32\n}'
LAST = 'affine.parallel (%i) = (0) to (4) reduce ("assign") -> i32 {\naffine.yield %z : i32\n}'
REFUSED = {
    "scf.for %i = %c0 to %c4 step %c0 {\n}": "'scf.for' has a step of 0: a positive one is required",
    "scf.for %i = %c0 to %c4 step %m1 {\n}": "'scf.for' has a step of -1: a positive one is required",
    "memref.store %z, %m[%c4] : memref<4xi32>": r"'memref.store' reaches 'm' at \[4\]: dimension 0 has an extent of 4",
    "%x = affine.load %m[symbol(%c0) - 1] : memref<4xi32>": r"'affine.load' reaches 'm' at \[-1\]",
    f"%x = {LAST}": "depends on the order",
    f"%x = {NONE}": "no iteration to reduce",
}


@pytest.mark.parametrize(("body", "message"), REFUSED.items())
def test_what_has_no_meaning_is_refused(body: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        run(body, X)


def test_a_loop_without_end_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ITERATIONS.variable, "500000")
    body = """
  %r = scf.while (%i = %c0) : (index) -> index {
    %go = arith.constant true
    scf.condition(%go) %i : index
  } do {
  ^bb0(%i: index):
    scf.yield %i : index
  }"""
    with pytest.raises(EvaluationError, match=r"'scf\.while' and the loops before it take .* iterations; the limit is"):
        run(body, X)
