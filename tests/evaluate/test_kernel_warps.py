"""Operations of warps under numpy: one tile, and what a warp cannot do."""

from __future__ import annotations

import numpy as np
import pytest

from vtac.evaluate import EvaluationError, evaluate
from vtac.evaluate.numbers import Array
from vtac.text.source import parse

FRAGMENTS = """
func.func @k(%a: memref<512xf16>, %c: memref<256xf32> {{schedule.result}})
    attributes {{gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: {threads}, 1, 1>}} {{
  %x = "gpu.thread_id"() <{{dimension = #gpu<dim x>}}> : () -> index
  %zero = arith.constant 0 : index
  %nine = arith.constant 9 : index
  %l = wmma.fragments : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 {layout}>
  %r = wmma.fragments : !wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>
  %t = wmma.fragments : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
  {body}
  func.return
}}
"""
LOAD = "wmma.load_matrix_sync %{f}[%zero], %a[%{at}] leading {pitch} : {kind}, memref<512xf16>\n"
LEFT = "!wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>"
COLUMNS = "!wmma.fragment<1 x matrix_a [16, 16, 16] f16 col_major>"
RIGHT = "!wmma.fragment<1 x matrix_b [16, 16, 16] f16 row_major>"
TOTAL = "!wmma.fragment<1 x accumulator [16, 16, 16] f32>"
FILL = f"wmma.fill_fragment %t[%zero], 1.0 : f32 : {TOTAL}\n"
MULTIPLY = "wmma.mma_sync %t[%zero], %l[%zero], %r[%zero] : {total}, {left}, {right}\n"
STORE = f"wmma.store_matrix_sync %c[%zero] leading 16, %t[%zero] : memref<256xf32>, {TOTAL}\n"
MAP = f"""wmma.map %t[%zero] : {TOTAL} {{
  ^bb0(%e: f32):
    %two = arith.constant 2.0 : f32
    %d = arith.mulf %e, %two : f32
    wmma.yield %d : f32
  }}
"""


def fragments(body: str, threads: int = 32, layout: str = "row_major") -> Array:
    array = (np.arange(512) % 7).astype(np.float16)
    result = evaluate(parse(FRAGMENTS.format(body=body, threads=threads, layout=layout)), array)
    assert isinstance(result, np.ndarray)
    return result


@pytest.mark.parametrize(("layout", "left"), [("row_major", LEFT), ("col_major", COLUMNS)])
def test_a_multiply_and_a_map_of_one_tile(layout: str, left: str) -> None:
    body = (
        FILL
        + LOAD.format(f="l", at="zero", pitch=16, kind=left)
        + LOAD.format(f="r", at="zero", pitch=32, kind=RIGHT)
        + MULTIPLY.format(total=TOTAL, left=left, right=RIGHT)
        + MAP
        + STORE
    )
    array = (np.arange(512) % 7).astype(np.float32)
    a, b = array[:256].reshape(16, 16), array.reshape(16, 32)[:, :16]
    expected = 2 * (1 + (a if layout == "row_major" else a.T) @ b)
    assert np.array_equal(fragments(body, layout=layout), expected.reshape(-1))


@pytest.mark.parametrize(
    ("body", "threads", "message"),
    [
        (STORE, 32, "'wmma.store_matrix_sync' uses a fragment that was neither filled nor loaded"),
        (FILL.replace("%t[%zero]", "%t[%nine]"), 32, "'wmma.fill_fragment' names fragment 9 of an array of 1"),
        (FILL.replace("%t[%zero]", "%t[%x]"), 32, "lanes of one warp pass different operands to 'wmma.fill_fragment'"),
        (FILL, 48, "'wmma.fill_fragment' in a block of 48 threads: whole warps are required"),
        (
            LOAD.format(f="l", at="nine", pitch=16, kind=LEFT),
            32,
            "a tile at element 9 of 'a' does not start at a multiple of 32 bytes",
        ),
        (LOAD.format(f="l", at="zero", pitch=40, kind=LEFT), 32, "at element 520 of 'a', which has 512"),
        (
            "%p = arith.cmpi slt, %x, %nine : index\n  scf.if %p {\n  " + FILL + "  }",
            32,
            "'wmma.fill_fragment' is met by a part of a warp's lanes only",
        ),
    ],
)
def test_what_warps_cannot_do(body: str, threads: int, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        fragments(body, threads)
    assert message in str(caught.value)
