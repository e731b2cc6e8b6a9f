"""Products of transposed and of unsigned operands: the fragments' types say what memory holds."""

from __future__ import annotations

import numpy as np
import pytest
from lowering import lower

from vtac.errors import ScheduleError
from vtac.evaluate import evaluate
from vtac.schedule import Schedule
from vtac.targets.cuda.building import to_program
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason

TEXT = """
func.func @f(%a: tensor<64x64x{left}>, %b: tensor<64x64x{right}>) -> tensor<64x64x{wide}> {{
  %zero = arith.constant {zero} : {wide}
  %empty = tensor.empty() : tensor<64x64x{wide}>
  %init = linalg.fill ins(%zero : {wide}) outs(%empty : tensor<64x64x{wide}>) -> tensor<64x64x{wide}>
  %c = linalg.generic {{indexing_maps = [affine_map<(i, j, k) -> ({a})>, affine_map<(i, j, k) -> ({b})>,
      affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}}
    ins(%a, %b : tensor<64x64x{left}>, tensor<64x64x{right}>) outs(%init : tensor<64x64x{wide}>) {{
  ^bb0(%x: {left}, %w: {right}, %acc: {wide}):
    %xw = arith.{extend[0]} %x : {left} to {wide}
    %ww = arith.{extend[1]} %w : {right} to {wide}
    %m = arith.mul{f} %xw, %ww : {wide}
    %s = arith.add{f} %acc, %m : {wide}
    linalg.yield %s : {wide}
  }} -> tensor<64x64x{wide}>
  func.return %c : tensor<64x64x{wide}>
}}
"""


def floats(a: str = "i, k", b: str = "k, j", right: str = "f16") -> str:
    extend = ("extf", "extf")
    return TEXT.format(a=a, b=b, left="f16", right=right, wide="f32", zero="0.0", extend=extend, f="f")


def integers(left: str, right: str, a: str = "i, k", b: str = "k, j") -> str:
    return TEXT.format(a=a, b=b, left="i8", right="i8", wide="i32", zero="0", extend=(left, right), f="i")


def tiled(program: str, m: int = 16, n: int = 16) -> Schedule:
    """A warp per tile of c, with its operands' tiles in shared memory."""
    script = Schedule(program)
    product = script.get_block("c")
    shared = [script.cache_read(product, index, "shared") for index in (0, 1)]
    fragments = [script.cache_read(product, i, s) for i, s in enumerate(("wmma.matrix_a", "wmma.matrix_b"))]
    rows, columns = script.get_loops(script.cache_write(product, 0, "wmma.accumulator"))
    rows, row = script.split(rows, factor=m)
    columns, column = script.split(columns, factor=n)
    script.reorder(rows, columns, row, column)
    script.bind(rows, "blockIdx.x")
    script.bind(columns, "threadIdx.y")
    script.tensorize(row, "wmma.store_matrix_sync")
    script.compute_at(product, columns)
    *_, row, column, k = script.get_loops(product)
    k, lane = script.split(k, factor=16)
    script.reorder(k, row, column, lane)
    for block in fragments:
        script.compute_at(block, k)
        script.tensorize(script.get_loops(block)[-2], "wmma.load_matrix_sync")
    for block in shared:
        script.compute_at(block, k)
        _, lane = script.split(script.fuse(*script.get_loops(block)[-2:]), factor=32)
        script.bind(lane, "threadIdx.x")
    script.tensorize(row, "wmma.mma_sync")
    return script


@pytest.mark.parametrize("a", ["i, k", "k, i"])
@pytest.mark.parametrize("b", ["k, j", "j, k"])
def test_transposed_operands(a: str, b: str) -> None:
    program = floats(a, b)
    module = lower(program, None, tiled(program))
    x, y = np.random.default_rng(6).integers(-4, 5, (2, 64, 64)).astype(np.float16)
    expected = (x if a == "i, k" else x.T).astype(np.float64) @ (y if b == "k, j" else y.T)
    assert np.array_equal(evaluate(module, x, y), expected)
    text = str(module)
    assert f"matrix_a [16, 16, 16] f16 {'row' if a == 'i, k' else 'col'}_major" in text
    assert f"matrix_b [16, 16, 16] f16 {'row' if b == 'k, j' else 'col'}_major" in text
    if cpu_unavailable_reason() is None:
        assert np.array_equal(to_program(module)(x, y), expected)


def test_a_transposed_operand_that_is_not_square() -> None:
    program = integers("extsi", "extsi", b="j, k")
    module = lower(program, None, tiled(program, 8, 32))
    x, y = np.random.default_rng(7).integers(-128, 128, (2, 64, 64)).astype(np.int8)
    assert np.array_equal(evaluate(module, x, y), x.astype(np.int32) @ y.T.astype(np.int32))
    assert "matrix_b [8, 32, 16] s8 col_major" in str(module)


def test_unsigned_operands() -> None:
    program = integers("extui", "extui", b="j, k")
    module = lower(program, None, tiled(program))
    x, y = np.random.default_rng(8).integers(-128, 128, (2, 64, 64)).astype(np.int8)
    wide = [array.view(np.uint8).astype(np.int32) for array in (x, y.T)]
    assert np.array_equal(evaluate(module, x, y), wide[0] @ wide[1])
    if cpu_unavailable_reason() is None:
        assert np.array_equal(to_program(module)(x, y), wide[0] @ wide[1])


def test_one_signed_and_one_unsigned_operand() -> None:
    with pytest.raises(ScheduleError, match=r"expected both inputs widened by arith.extsi, or both by extui"):
        tiled(integers("extsi", "extui"))


def test_operands_of_two_types() -> None:
    with pytest.raises(ScheduleError, match="expected both inputs of one type, found f16 and bf16"):
        tiled(floats(right="bf16"))
