"""Schedules that bind legal loops and still let threads or blocks meet where nothing orders them."""

from __future__ import annotations

import numpy as np
import pytest
from lowering import lower

from vtac.dialects.schedule.spellings import ThreadName
from vtac.errors import CompileError
from vtac.evaluate import evaluate
from vtac.schedule import Schedule
from vtac.workloads.wmma_matmul import WmmaMatmul

PRODUCT = """
func.func @f(%a: tensor<32x32xf32>, %b: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<32x32xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<32x32xf32>) -> tensor<32x32xf32>
  %c = linalg.matmul ins(%a, %b : tensor<32x32xf32>, tensor<32x32xf32>) outs(%init : tensor<32x32xf32>)
    -> tensor<32x32xf32>
  func.return %c : tensor<32x32xf32>
}
"""
DOUBLE = """
  %{to} = linalg.generic {{indexing_maps = [affine_map<(i, j) -> ({read})>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}}
    ins(%{source} : tensor<32x32xf32>) outs(%empty : tensor<32x32xf32>) {{
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %v, %v : f32
    linalg.yield %r : f32
  }} -> tensor<32x32xf32>"""


def chain(read: str = "j, i", results: str = "z") -> str:
    """y = 2 x, z = 2 y, read as told."""
    kinds = ", ".join(["tensor<32x32xf32>"] * len(results))
    names = ", ".join(f"%{name}" for name in results)
    return f"""
func.func @f(%x: tensor<32x32xf32>) -> ({kinds}) {{
  %empty = tensor.empty() : tensor<32x32xf32>{DOUBLE.format(to="y", source="x", read="i, j")}
{DOUBLE.format(to="z", source="y", read=read)}
  func.return {names} : {kinds}
}}
"""


def by_rows(script: Schedule, *names: str) -> Schedule:
    """Rows over blocks, columns over threads."""
    for name in names:
        rows, columns = script.get_loops(script.get_block(name))[-2:]
        script.bind(rows, "blockIdx.x")
        script.bind(columns, "threadIdx.x")
    return script


def refused(program: str, script: Schedule) -> str:
    with pytest.raises(CompileError) as caught:
        lower(program, None, script)
    return str(caught.value)


def test_a_sum_that_every_thread_of_an_index_repeats() -> None:
    script = Schedule(PRODUCT)
    product = script.get_block("c")
    shared = script.cache_read(product, 0, "shared")
    rows, columns, _ = script.get_loops(product)
    script.bind(rows, "blockIdx.x")
    script.bind(columns, "threadIdx.x")
    script.compute_at(shared, rows)
    script.bind(script.get_loops(shared)[-1], "threadIdx.y")
    message = refused(PRODUCT, script)
    assert "all 32 of threadIdx.y add to the same elements of 'c', each time anew" in message
    assert "bind a spatial loop of that sum to threadIdx.y" in message


def test_a_sum_in_shared_memory_that_all_threads_repeat() -> None:
    script = Schedule(PRODUCT)
    product = script.get_block("c")
    store = script.cache_write(product, 0, "shared")
    rows, columns = script.get_loops(store)
    script.bind(rows, "blockIdx.x")
    script.bind(columns, "threadIdx.x")
    script.compute_at(product, rows)
    assert "all 32 of threadIdx.x add to the same elements of 'c_shared'" in refused(PRODUCT, script)


def test_a_sum_with_a_thread_per_element() -> None:
    script = Schedule(PRODUCT)
    rows, columns, k = script.get_loops(script.get_block("c"))
    script.reorder(k, rows, columns)
    script.bind(rows, "blockIdx.x")
    script.bind(columns, "threadIdx.x")
    a, b = np.random.default_rng(1).integers(-4, 5, (2, 32, 32)).astype(np.float32)
    assert np.array_equal(evaluate(lower(PRODUCT, None, script), a, b), a @ b)


def test_a_sum_whose_start_another_thread_writes() -> None:
    script = Schedule(PRODUCT)
    product = script.get_block("c")
    rows, columns, k = script.get_loops(product)
    script.reorder(k, rows, columns)
    init = script.decompose_reduction(product, k)
    script.bind(script.get_loops(init)[0], "threadIdx.x")
    script.bind(columns, "threadIdx.x")
    message = refused(PRODUCT, script)
    assert "'c' is written by one thread of threadIdx.x and read by another, in global memory" in message
    assert "bind both loops alike" in message


def test_a_result_that_other_threads_read() -> None:
    program = chain(results="yz")
    assert "'y' is written by one thread of threadIdx.x and read by another" in refused(
        program, by_rows(Schedule(program), "y", "z")
    )


def test_a_result_that_the_same_thread_reads() -> None:
    program = chain("i, j", "yz")
    x = np.random.default_rng(2).integers(-4, 5, (32, 32)).astype(np.float32)
    y, z = evaluate(lower(program, None, by_rows(Schedule(program), "y", "z")), x)
    assert np.array_equal(y, 2 * x)
    assert np.array_equal(z, 4 * x)


def test_an_intermediate_in_global_memory() -> None:
    program = chain()
    message = refused(program, by_rows(Schedule(program), "y", "z"))
    assert "'y' is an intermediate result in global memory, of which a kernel has none: inline it" in message


def test_a_part_of_shared_memory_from_another_block() -> None:
    program = chain()
    script = Schedule(program)
    script.set_scope(script.get_block("y"), 0, "shared")
    message = refused(program, by_rows(script, "y", "z"))
    assert "each block writes another part of 'y', which lies in shared memory" in message
    assert "compute_at it in the loop bound to blockIdx.x" in message


def tiles(rows: ThreadName, columns: ThreadName, lanes: int = 32) -> tuple[str, Schedule]:
    """A product of 64 x 64 straight from global memory, and an elementwise pass over shared memory by the lanes."""
    layer = WmmaMatmul(64, 64, 64, relu=True)
    script = Schedule(layer.text())
    product = script.get_block("product")
    a = script.cache_read(product, 0, "wmma.matrix_a")
    b = script.cache_read(product, 1, "wmma.matrix_b")
    store = script.cache_write(product, 0, "wmma.accumulator")
    script.set_scope(store, 0, "shared")
    _, lane = script.split(script.get_loops(script.get_block("c"))[-1], factor=lanes)
    script.bind(lane, "threadIdx.x")
    i, j = script.get_loops(store)
    i, ii = script.split(i, factor=16)
    j, jj = script.split(j, factor=16)
    script.reorder(i, j, ii, jj)
    script.bind(i, rows)
    script.bind(j, columns)
    script.tensorize(ii, "wmma.store_matrix_sync")
    script.compute_at(product, j)
    *_, i, j, k = script.get_loops(product)
    k, kk = script.split(k, factor=16)
    script.reorder(k, i, j, kk)
    for block in (a, b):
        script.compute_at(block, k)
        script.tensorize(script.get_loops(block)[-2], "wmma.load_matrix_sync")
    script.tensorize(i, "wmma.mma_sync")
    return layer.text(), script


def test_tiles_of_warps() -> None:
    program, script = tiles("threadIdx.y", "threadIdx.z")
    a, b = np.random.default_rng(3).integers(-4, 5, (2, 64, 64)).astype(np.float16)
    expected = np.maximum(a.astype(np.float64) @ b, 0)
    assert np.array_equal(evaluate(lower(program, None, script), a, b), expected)


def test_less_than_a_warp() -> None:
    message = refused(*tiles("threadIdx.y", "blockIdx.x", 2))
    assert "'wmma.fill_fragment' in blocks of 8 threads; whole warps of 32 are required" in message


def test_lanes_that_disagree() -> None:
    message = refused(*tiles("threadIdx.y", "threadIdx.z", 16))
    assert "lanes of one warp do different things at 'wmma.load_matrix_sync', which depends on threadIdx.y" in message
    assert "let threadIdx.x be the lane" in message
