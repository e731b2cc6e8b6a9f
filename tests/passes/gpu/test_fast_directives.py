"""Directives of fast GPU schedules: refusals, and programs that stay right at every level and as text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering import lower
from refusals import refuses

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import CompileError
from vtac.evaluate import evaluate, evaluate_kernel
from vtac.schedule import Schedule
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_fast import FastTiling, fast_schedule
from vtac.workloads.wmma_matmul import MatmulTiling, WmmaMatmul
from vtac.workloads.wmma_reference import conv2d_at, matmul_at

PRODUCT = WmmaMatmul(96, 64, 64).text()
CONVOLUTION = WmmaConv2D(16, 4, 4, 32, 16)


@refuses(PRODUCT, "rasterize: loop 'i0' (extent 96) does not run over blocks of the grid; bind it to blockIdx first")
def test_only_loops_over_blocks_are_rasterized(schedule: Schedule) -> Callable[[], object]:
    rows, columns, _ = schedule.get_loops(schedule.get_block("c"))
    return lambda: schedule.rasterize(rows, columns, 2)


@refuses(
    PRODUCT,
    "rasterize: loop 'i1' (extent 64) (threadIdx.x) does not run over blocks of the grid; bind it to blockIdx first",
)
def test_threads_are_not_rasterized(schedule: Schedule) -> Callable[[], object]:
    rows, columns, _ = schedule.get_loops(schedule.get_block("c"))
    schedule.bind(rows, "blockIdx.x")
    schedule.bind(columns, "threadIdx.x")
    return lambda: schedule.rasterize(rows, columns, 2)


@refuses(
    PRODUCT,
    "rasterize: groups of 5 rows do not divide loop 'i0' (extent 96); its divisors are 6, 8, 12, 16, 24, 32, 48, 96",
)
def test_groups_divide_the_rows(schedule: Schedule) -> Callable[[], object]:
    rows, columns, _ = schedule.get_loops(schedule.get_block("c"))
    schedule.bind(rows, "blockIdx.y")
    schedule.bind(columns, "blockIdx.x")
    return lambda: schedule.rasterize(rows, columns, 5)


@refuses(PRODUCT, "rasterize: groups of 0 rows; at least 1 is required")
def test_groups_have_rows(schedule: Schedule) -> Callable[[], object]:
    rows, columns, _ = schedule.get_loops(schedule.get_block("c"))
    return lambda: schedule.rasterize(rows, columns, 0)


@refuses(PRODUCT, "rasterize: both loops are bound to blockIdx.x; give two loops of one nest")
def test_two_indices_are_rasterized(schedule: Schedule) -> Callable[[], object]:
    rows, _, _ = schedule.get_loops(schedule.get_block("c"))
    schedule.bind(rows, "blockIdx.x")
    return lambda: schedule.rasterize(rows, rows, 2)


@refuses(
    WmmaMatmul(32, 32, 32, bias=True).text(),
    "rasterize: loops 'i0' (extent 32) and 'i1' (extent 32) are not in one nest; give two loops around one block",
)
def test_one_nest_is_rasterized(schedule: Schedule) -> Callable[[], object]:
    rows, *_ = schedule.get_loops(schedule.get_block("product"))
    _, columns = schedule.get_loops(schedule.get_block("c"))
    schedule.bind(rows, "blockIdx.y")
    schedule.bind(columns, "blockIdx.x")
    return lambda: schedule.rasterize(rows, columns, 2)


@refuses(
    PRODUCT,
    "double_buffer: 1 copy of the fragments 'a_wmma_matrix_a'; 2 let the next ones load while these multiply",
)
def test_fragments_have_two_copies(schedule: Schedule) -> Callable[[], object]:
    a = schedule.cache_read(schedule.get_block("c"), 0, "wmma.matrix_a")
    return lambda: schedule.double_buffer(a, 1)


@refuses(
    PRODUCT,
    "double_buffer: 'a_shared' lives in shared; only buffers in vta.inp, vta.wgt, vta.acc, wmma.matrix_a, "
    "wmma.matrix_b have copies: use cache_read or set_scope first",
)
def test_shared_memory_is_pipelined_instead(schedule: Schedule) -> Callable[[], object]:
    shared = schedule.cache_read(schedule.get_block("c"), 0, "shared")
    return lambda: schedule.double_buffer(shared)


def test_loads_do_not_run_ahead_of_the_copies() -> None:
    layer = WmmaMatmul(32, 32, 64)
    with pytest.raises(CompileError, match=r"double_buffer of '.*': loop 'r2_inner_outer', which loads it, has"):
        lower(layer.text(), None, layer.schedule(MatmulTiling(1, 1, 1, 1, 1, 2, True)))


def test_a_pipelined_loop_does_not_load_fragments_ahead() -> None:
    layer = WmmaMatmul(16, 16, 64)
    script = Schedule(layer.text())
    product = script.get_block("c")
    shared = [script.cache_read(product, index, "shared") for index in (0, 1)]
    fragments = [script.cache_read(product, 0, "wmma.matrix_a"), script.cache_read(product, 1, "wmma.matrix_b")]
    store = script.cache_write(product, 0, "wmma.accumulator")
    script.tensorize(script.get_loops(store)[0], "wmma.store_matrix_sync")
    rows, columns, k = script.get_loops(product)
    step, lane = script.split(k, factor=16)
    script.reorder(step, rows, columns, lane)
    for block in fragments:
        script.compute_at(block, step)
        script.tensorize(script.get_loops(block)[-2], "wmma.load_matrix_sync")
        script.double_buffer(block)
    script.tensorize(rows, "wmma.mma_sync")
    for copy in shared:
        script.compute_at(copy, step)
    with pytest.raises(CompileError, match="loop 'r2_outer', which loads it, also writes 'a_shared'"):
        lower(layer.text(), None, script, "tiles")
    for copy in shared:
        *_, outer, inner = script.get_loops(copy)
        inner, vector = script.split(inner, factor=8)
        script.vectorize(vector)
        script.bind(script.fuse(outer, inner), "threadIdx.x")
    script.pipeline(step, 2)
    with pytest.raises(CompileError, match="loop 'r2_outer', which loads it, is pipelined: the next iteration's tiles"):
        lower(layer.text(), None, script, "tiles")


def test_fragments_beyond_a_threads_registers() -> None:
    layer = WmmaMatmul(256, 256, 64)
    tiling = MatmulTiling(4, 4, 4, 4, 2)
    lower(layer.text(), gpu_architecture("sm_90"), layer.schedule(MatmulTiling(2, 2, 4, 4, 2)))
    with pytest.raises(CompileError) as caught:
        lower(layer.text(), gpu_architecture("sm_90"), layer.schedule(tiling))
    message = str(caught.value)
    assert "fragments of kernel 'matmul' take 160 registers of each thread or more" in message
    assert "with 512 threads per block a thread has 128 on sm_90" in message
    assert "a_shared_wmma_matrix_a: 4 x matrix_a [16, 16, 16] f16 row_major, 16 registers" in message
    assert "use fewer tiles per warp, fewer warps, or no double_buffer" in message


def test_blocks_of_a_group_take_rows_first() -> None:
    layer = WmmaMatmul(128, 96, 32)
    module = lower(layer.text(), None, layer.schedule(MatmulTiling(1, 1, 1, 1, 2, group=4)))
    random = np.random.default_rng(0)
    a, b = (random.integers(-4, 5, s).astype(np.float16) for s in ((layer.m, layer.k), (layer.k, layer.n)))
    run = evaluate_kernel(module, [a, b], [0, 1, 2, 3, 4, 24])
    tiles = run.written[0].reshape(8, 16, 6, 16).any(axis=(1, 3))
    assert np.argwhere(tiles).tolist() == [[0, 0], [0, 1], [1, 0], [2, 0], [3, 0], [4, 0]]
    everything = evaluate(module, a, b)
    assert np.array_equal(everything, matmul_at(layer, (a, b), np.ones((layer.m, layer.n), np.bool_)))


@settings(max_examples=6)
@given(
    rows=st.integers(1, 4),
    group=st.integers(1, 4),
    columns=st.integers(1, 3),
    chunk=st.integers(2, 4),
    stages=st.integers(1, 3),
    bias=st.booleans(),
)
def test_products_with_every_directive(
    rows: int, group: int, columns: int, chunk: int, stages: int, bias: bool
) -> None:
    layer = WmmaMatmul(16 * rows * group, 32 * columns, 16 * chunk * 3, "f16", bias)
    tiling = MatmulTiling(1, 1, 1, 2, chunk, stages, stages > 1, group)
    random = np.random.default_rng(rows)
    a, b = (random.integers(-4, 5, s).astype(np.float16) for s in ((layer.m, layer.k), (layer.k, layer.n)))
    inputs = (a, b, random.integers(-9, 9, layer.n).astype(np.float32)) if bias else (a, b)
    result = evaluate(lower(layer.text(), None, layer.schedule(tiling)), *inputs)
    assert np.array_equal(result, matmul_at(layer, inputs, np.ones((layer.m, layer.n), np.bool_)))


@settings(max_examples=5)
@given(
    kernel=st.integers(2, 3),
    padding=st.integers(1, 3),
    stride=st.integers(1, 2),
    chunk=st.integers(1, 2),
    extras=st.tuples(st.booleans(), st.booleans()),
)
def test_convolutions_with_every_directive(
    kernel: int, padding: int, stride: int, chunk: int, extras: tuple[bool, bool]
) -> None:
    skip, double = extras
    layer = WmmaConv2D(16, 2, 2, 32, 16, kernel, padding, stride)
    tiling = FastTiling(1, 1, 1, 1, chunk, 2, skip, double)
    schedule = fast_schedule(layer, tiling)
    assert ("skip_padding" in str(schedule)) == (skip and padding > 0)
    assert ("double_buffer" in str(schedule)) == (double and chunk > 1)
    random = np.random.default_rng(padding)
    data, weights = (random.integers(-4, 5, s).astype(np.float16) for s in (layer.data_shape, layer.kernel_shape))
    expected = conv2d_at(layer, data, weights, np.ones(layer.output_shape, np.bool_))
    for phase in ("blocked", "wmma"):
        assert np.array_equal(evaluate(lower(layer.text(), None, schedule, phase), data, weights), expected)


@pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
def test_barriers_under_a_condition_that_a_block_agrees_on() -> None:
    """Taps outside, channels inside: one test of the tap stands around a loop that copies and multiplies."""
    layer = WmmaConv2D(16, 2, 2, 32, 16)
    script = Schedule(layer.text())
    conv = script.get_block("output")
    script.compute_inline(script.get_block("data_pad"))
    store = script.cache_write(conv, 0, "wmma.accumulator")
    n, h, w, o, row, _ = script.get_loops(store)
    script.bind(h, "blockIdx.x")
    script.bind(w, "blockIdx.y")
    script.bind(n, "threadIdx.y")
    script.tensorize(row, "wmma.store_matrix_sync")
    script.compute_at(conv, o)
    *_, n, h, w, o, row, column, ic, kh, kw, k = script.get_loops(conv)
    script.reorder(kh, kw, ic, n, h, w, o, row, column, k)
    init = script.decompose_reduction(conv, kh)
    script.tensorize(script.get_loops(init)[-2], "wmma.fill_fragment")
    script.skip_padding(conv)
    shared = [script.cache_read(conv, index, "shared") for index in (0, 1)]
    for index, scope in enumerate(("wmma.matrix_a", "wmma.matrix_b")):
        block = script.cache_read(conv, index, scope)
        script.compute_at(block, ic)
        script.tensorize(script.get_loops(block)[-2], "wmma.load_matrix_sync")
    for copy in shared:
        script.compute_at(copy, ic)
        _, lane = script.split(script.fuse(*script.get_loops(copy)[-2:]), factor=32)
        script.bind(lane, "threadIdx.x")
    script.tensorize(row, "wmma.mma_sync")
    program = vtac.compile(layer.text(), "cuda", schedule=script)
    before, inside = program.text.split("for (int step_2 = 0; ")
    assert before.count("if (") == 2
    assert "if (" not in inside
    assert inside.count("__syncthreads();") == 2
    random = np.random.default_rng(8)
    data, weights = (random.integers(-4, 5, s).astype(np.float16) for s in (layer.data_shape, layer.kernel_shape))
    expected = conv2d_at(layer, data, weights, np.ones(layer.output_shape, np.bool_))
    assert np.array_equal(program(data, weights), expected)
    assert np.array_equal(evaluate(lower(layer.text(), None, script), data, weights), expected)


def test_steps_in_the_padding_are_not_taken() -> None:
    """A corner pixel of a 3 x 3 window multiplies 4 of 9 taps."""
    layer = WmmaConv2D(16, 2, 2, 16, 16)
    data, weights = (np.ones(s, np.float16) for s in (layer.data_shape, layer.kernel_shape))
    weights[0] = np.nan
    weights[:, 0] = np.nan
    skipping = lower(layer.text(), None, fast_schedule(layer, FastTiling(1, 1, 1, 1, 1, 2)))
    (output,) = evaluate_kernel(skipping, [data, weights], [0]).outputs
    assert (output[0, 0, 0] == 4 * 16).all()
