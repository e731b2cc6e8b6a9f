"""Integer sums that are computed many points at once are those of one point after the other."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import vtac
from vtac.evaluate import EvaluationError, evaluate

_SUM = """
func.func @f(%x: tensor<{rows}x{columns}xi8>, %start: tensor<{rows}xi32>) -> tensor<{rows}xi32> {{
  %r = linalg.generic {{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>],
      iterator_types = ["parallel", "reduction"]}}
      ins(%x : tensor<{rows}x{columns}xi8>) outs(%start : tensor<{rows}xi32>) {{
  ^bb0(%a: i8, %sum: i32):
    %w = arith.extsi %a : i8 to i32
    {body}
    linalg.yield %s : i32
  }} -> tensor<{rows}xi32>
  func.return %r : tensor<{rows}xi32>
}}
"""
_PLAIN = "%s = arith.addi %sum, %w : i32"
_COUNTED = "%k = linalg.index 1 : index\n%i = arith.index_cast %k : index to i32\n%s = arith.addi %i, %sum : i32"
_DOUBLED = "%t = arith.addi %sum, %w : i32\n%s = arith.addi %t, %sum : i32"


def _run(body: str, x: NDArray[np.int8], start: NDArray[np.int32]) -> NDArray[np.int32]:
    rows, columns = x.shape
    found = evaluate(vtac.parse(_SUM.format(rows=rows, columns=columns, body=body)), x, start)
    return np.asarray(found, np.int32)


def _random(rows: int, columns: int) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    rng = np.random.default_rng(0)
    return rng.integers(-128, 128, (rows, columns)).astype(np.int8), np.full(rows, 2**31 - 5, np.int32)


@pytest.mark.parametrize(("rows", "columns"), [(3, 50), (1 << 10, 400), (2, 0)])
def test_sums_wrap(rows: int, columns: int) -> None:
    x, start = _random(rows, columns)
    want = (start.astype(np.int64) + x.astype(np.int64).sum(axis=1)).astype(np.int32)
    np.testing.assert_array_equal(_run(_PLAIN, x, start), want)


def test_the_reduction_s_index_is_summed_for_each_point() -> None:
    x, start = _random(4, 30)
    np.testing.assert_array_equal(_run(_COUNTED, x, start * 0), np.full(4, 435, np.int32))


def test_a_body_that_looks_at_the_sum_goes_point_by_point() -> None:
    x, start = _random(2, 5)
    want = start.astype(np.int64)
    for column in x.T:
        want = (2 * want + column).astype(np.int32).astype(np.int64)
    np.testing.assert_array_equal(_run(_DOUBLED, x, start), want.astype(np.int32))


def test_reading_what_nothing_has_written_is_refused() -> None:
    rows = _SUM.format(rows=4, columns=30, body=_PLAIN).replace("(%x: tensor<4x30xi8>, %start", "(%start")
    text = rows.replace("%r =", "%x = tensor.empty() : tensor<4x30xi8>\n  %r =")
    with pytest.raises(EvaluationError, match=r"reads .* where nothing has written it"):
        evaluate(vtac.parse(text), np.zeros(4, np.int32))
