"""Products whose loops look like a matrix product or a convolution, yet are none: refused with the first difference."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from plain_programs import run_against_numpy

import vtac
from vtac.errors import CompileError
from vtac.workloads.linalg_text import MULTIPLY_ACCUMULATE, affine_map, iterators, tensor

Shape = tuple[int, ...]


def product(loops: str, reductions: int, maps: Sequence[str], shapes: Sequence[Shape]) -> str:
    """result += a * b over the loops; `maps` and `shapes` are those of a, b and the result."""
    first, second, wide = (tensor(shape, kind) for shape, kind in zip(shapes, ("i8", "i8", "i32"), strict=True))
    count = len(loops.split(","))
    indices = ", ".join(affine_map(loops, dims) for dims in maps)
    return f"""
func.func @f(%a: {first}, %b: {second}) -> {wide} {{
  %empty = tensor.empty() : {wide}
  %zero = arith.constant 0 : i32
  %fill = linalg.fill ins(%zero : i32) outs(%empty : {wide}) -> {wide}
  %r = linalg.generic {{indexing_maps = [{indices}], {iterators(count - reductions, reductions)}}}
    ins(%a, %b : {first}, {second}) outs(%fill : {wide}) {{{MULTIPLY_ACCUMULATE}
  }} -> {wide}
  func.return %r : {wide}
}}
"""


TWICE = "expected every loop in one index of the data, loop {} stands in several"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(
            product("n, o, k", 1, ["n, n, k", "o, k", "n, o"], [(4, 4, 32), (20, 32), (4, 20)]),
            TWICE.format("d0 (parallel, extent 4)"),
            id="diagonal of the rows",
        ),
        pytest.param(
            product("n, o, k", 1, ["n, k, k", "o, k", "n, o"], [(4, 8, 8), (20, 8), (4, 20)]),
            TWICE.format("d2 (reduction, extent 8)"),
            id="diagonal of the channels",
        ),
        pytest.param(
            product(
                "n, o, h, w, c, p, q",
                3,
                ["n, c, h + p, w + q, h", "o, c, p, q", "n, o, h, w"],
                [(1, 16, 6, 6, 4), (16, 16, 3, 3), (1, 16, 4, 4)],
            ),
            TWICE.format("d2 (parallel, extent 4)"),
            id="images that change from row to row",
        ),
    ],
)
def test_refused_without_a_host_and_exact_with_it(text: str, reason: str) -> None:
    with pytest.raises(CompileError, match=re.escape(f"cannot run on the VTA: {reason}")):
        vtac.compile(text, host=False)
    run_against_numpy(text)
