"""Kernels executed by numpy: the same numbers as the levels above, and a fault for what their text would do wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lowering import lower
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.gpu import BarrierOp
from xdsl.ir import Operation

from vtac.dialects import wmma
from vtac.errors import ScheduleError
from vtac.evaluate import EvaluationError, evaluate, evaluate_kernel
from vtac.evaluate.bfloat16 import from_bfloat16, to_bfloat16
from vtac.evaluate.numbers import Array
from vtac.text.source import parse
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_fast import fast_schedule
from vtac.workloads.wmma_matmul import MatmulTiling, WmmaMatmul
from vtac.workloads.wmma_reference import conv2d_at, matmul_at

SMALL = WmmaConv2D(32, 3, 2, 32, 32, 3, 1, 1)
PIPELINED = WmmaConv2D(16, 2, 2, 32, 16, 3, 1, 1)


def halves(seed: int, *shapes: tuple[int, ...]) -> list[Array]:
    random = np.random.default_rng(seed)
    return [random.integers(-4, 5, shape).astype(np.float16) for shape in shapes]


@pytest.mark.parametrize("phase", ["payload", "scheduled", "blocked"])
def test_the_kernel_equals_the_level_above(phase: str) -> None:
    layer = WmmaConv2D(32, 2, 3, 16, 32, 2, 1, 2)
    arrays = halves(0, layer.data_shape, layer.kernel_shape)
    schedule = layer.seed_schedule()
    above = evaluate(lower(layer.text(), None, schedule, phase), *arrays)
    kernel = evaluate(lower(layer.text(), None, schedule), *arrays)
    assert np.array_equal(kernel, above)


@pytest.mark.parametrize(
    "layer",
    [
        SMALL,
        WmmaConv2D(64, 3, 3, 16, 64, 1, 0, 1),
        WmmaConv2D(32, 5, 4, 16, 16, 3, 0, 2),
        WmmaConv2D(16, 4, 4, 32, 16, 2, 2, 3),
    ],
)
def test_convolutions_equal_numpy(layer: WmmaConv2D) -> None:
    data, kernel = halves(1, layer.data_shape, layer.kernel_shape)
    result = evaluate(lower(layer.text(), None, layer.seed_schedule()), data, kernel)
    assert np.array_equal(result, conv2d_at(layer, data, kernel, np.ones(layer.output_shape, np.bool_)))


@pytest.mark.parametrize("layer", [SMALL, PIPELINED])
def test_the_pipelined_schedule_equals_numpy(layer: WmmaConv2D) -> None:
    data, kernel = halves(2, layer.data_shape, layer.kernel_shape)
    result = evaluate(lower(layer.text(), None, fast_schedule(layer)), data, kernel)
    assert np.array_equal(result, conv2d_at(layer, data, kernel, np.ones(layer.output_shape, np.bool_)))


def test_sampled_blocks_of_the_seed_launch() -> None:
    layer = WmmaConv2D()
    data, kernel = halves(3, layer.data_shape, layer.kernel_shape)
    run = evaluate_kernel(lower(layer.text(), None, layer.seed_schedule()), [data, kernel], [0, 1567])
    (output,), (written,) = run.outputs, run.written
    assert written.sum() == 2 * 128 * 128
    assert np.array_equal(output[written], conv2d_at(layer, data, kernel, written)[written])


@pytest.mark.parametrize("element", ["f16", "bf16", "s8"])
@pytest.mark.parametrize(("bias", "relu", "k"), [(False, False, 32), (True, False, 20), (True, True, 33)])
def test_products_equal_numpy(element: str, bias: bool, relu: bool, k: int) -> None:
    layer = WmmaMatmul(32, 64, k, element, bias, relu)
    inputs = product_inputs(layer)
    result = evaluate(lower(layer.text(), None, layer.schedule()), *inputs)
    assert np.array_equal(result, matmul_at(layer, inputs, np.ones((layer.m, layer.n), np.bool_)))


def product_inputs(layer: WmmaMatmul) -> list[Array]:
    random = np.random.default_rng(4)
    shapes = ((layer.m, layer.k), (layer.k, layer.n))
    numbers = [random.integers(-8, 9, shape).astype(np.float32) for shape in shapes]
    arrays: list[Array] = [narrowed(array, layer.element) for array in numbers]
    if layer.bias:
        arrays.append(random.integers(-99, 99, layer.n).astype(np.int32 if layer.element == "s8" else np.float32))
    return arrays


def narrowed(numbers: NDArray[np.float32], element: str) -> Array:
    if element == "bf16":
        return to_bfloat16(numbers)
    return numbers.astype(np.int8 if element == "s8" else np.float16)


def test_bfloat16_rounds_to_nearest_even_and_keeps_nan() -> None:
    values = np.array([1.0, 1.00390625, 1.01171875, -3.5, np.inf, np.nan, 3.4e38], np.float32)
    back = from_bfloat16(to_bfloat16(values))
    assert back[:5].tolist() == [1.0, 1.0, 1.015625, -3.5, np.inf]
    assert np.isnan(back[5])
    assert back[6] == np.inf


def without(module: ModuleOp, kind: type[Operation], position: int) -> ModuleOp:
    """A copy of a module that lacks one operation of a kind."""
    copy = module.clone()
    found = [op for op in copy.walk() if isinstance(op, kind)]
    found[position].detach()
    return copy


@pytest.mark.parametrize(("layer", "barriers"), [(SMALL, 2), (WmmaMatmul(32, 32, 64, "f16", True, True), 3)])
def test_every_barrier_is_needed(layer: WmmaConv2D | WmmaMatmul, barriers: int) -> None:
    if isinstance(layer, WmmaConv2D):
        module = lower(layer.text(), None, layer.seed_schedule())
        arrays = halves(5, layer.data_shape, layer.kernel_shape)
    else:
        module = lower(layer.text(), None, layer.schedule())
        arrays = product_inputs(layer)
    assert sum(isinstance(op, BarrierOp) for op in module.walk()) == barriers
    for position in range(barriers):
        with pytest.raises(EvaluationError, match=r"by one thread and .* by another with no barrier between"):
            evaluate(without(module, BarrierOp, position), *arrays)


def test_a_pipeline_without_its_wait_reads_what_is_under_way() -> None:
    module = lower(PIPELINED.text(), None, fast_schedule(PIPELINED))
    arrays = halves(6, PIPELINED.data_shape, PIPELINED.kernel_shape)
    with pytest.raises(EvaluationError, match="is read while an asynchronous copy writes it"):
        evaluate(without(module, wmma.AsyncWaitOp, 0), *arrays)
    with pytest.raises(EvaluationError, match="with no barrier between"):
        evaluate(without(module, BarrierOp, 0), *arrays)


def test_a_wait_that_leaves_one_group_too_many() -> None:
    module = lower(PIPELINED.text(), None, fast_schedule(PIPELINED))
    wait = next(op for op in module.walk() if isinstance(op, wmma.AsyncWaitOp))
    pending = wait.pending.value.data
    text = re.sub(rf"wmma.async_wait {pending} as %\w+", f"wmma.async_wait {pending + 1}", str(module))
    arrays = halves(7, PIPELINED.data_shape, PIPELINED.kernel_shape)
    with pytest.raises(EvaluationError, match="is read while an asynchronous copy writes it"):
        evaluate(parse(text), *arrays)


KERNEL = """
func.func @k(%a: memref<64xf32>, %c: memref<64xf32> {{schedule.result}})
    attributes {{gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 2, 1>}} {{
  %x = "gpu.thread_id"() <{{dimension = #gpu<dim x>}}> : () -> index
  %y = "gpu.thread_id"() <{{dimension = #gpu<dim y>}}> : () -> index
  %i = affine.apply affine_map<(x, y) -> (x + y * 32)> (%x, %y)
  %s = memref.alloc() : memref<64xf32, "shared">
  %zero = arith.constant 0 : index
  {body}
  func.return
}}
"""
ARRAY = np.arange(64, dtype=np.float32)


def run(body: str) -> Array:
    result = evaluate(parse(KERNEL.format(body=body)), ARRAY)
    assert isinstance(result, np.ndarray)
    return result


REVERSE = """
  %v = memref.load %a[%i] : memref<64xf32>
  memref.store %v, %s[%i] : memref<64xf32, "shared">
  {barrier}
  %j = affine.apply affine_map<(i) -> (63 - i)> (%i)
  %w = memref.load %s[%j] : memref<64xf32, "shared">
  memref.store %w, %c[%i] : memref<64xf32>
"""


def test_threads_exchange_through_shared_memory() -> None:
    assert run(REVERSE.format(barrier='"gpu.barrier"() : () -> ()')).tolist() == ARRAY[::-1].tolist()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (REVERSE.format(barrier=""), "element 63 of 's' is written by one thread and read by another"),
        ('%v = memref.load %s[%i] : memref<64xf32, "shared">', "element 0 of 's' is read, and nothing has written it"),
        ("%v = memref.load %c[%i] : memref<64xf32>", "element 0 of 'c' is read, and nothing has written it"),
        (
            "%j = affine.apply affine_map<(i) -> (i + 1)> (%i)\n  %v = memref.load %a[%j] : memref<64xf32>",
            "'memref.load' at element 64 of 'a', which has 64",
        ),
        (
            '%v = memref.load %a[%i] : memref<64xf32>\n  memref.store %v, %s[%zero] : memref<64xf32, "shared">',
            "element 0 of 's' is written by one thread and written by another",
        ),
        (
            "%h = arith.constant 7 : index\n  %r = arith.cmpi slt, %x, %h : index\n"
            '  scf.if %r {\n    "gpu.barrier"() : () -> ()\n  }',
            "'gpu.barrier' is met by a part of a block's threads only",
        ),
        (
            "%o = affine.apply affine_map<(x) -> (x + 1)> (%x)\n"
            "  %v = vector.load %a[%o] : memref<64xf32>, vector<4xf32>",
            "'vector.load' of 4 elements at element 1 of 'a': its place must be a multiple of 4",
        ),
        ('memref.dealloc %s : memref<64xf32, "shared">', "cannot execute 'memref.dealloc' in a kernel"),
        ("%v = memref.load %a[%i] : memref<64xf32>", "the kernel leaves elements of a result unwritten"),
    ],
)
def test_faults(body: str, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        run(body)
    assert message in str(caught.value)


@settings(max_examples=8)
@given(
    st.builds(MatmulTiling, *(st.sampled_from([1, 2]) for _ in range(5)), stages=st.integers(1, 3)),
    st.integers(1, 2),
    st.booleans(),
)
def test_any_tiling_of_a_product(tiling: MatmulTiling, blocks: int, epilogue: bool) -> None:
    m = 16 * tiling.row_warps * tiling.row_tiles * blocks
    n = 16 * tiling.column_warps * tiling.column_tiles
    layer = WmmaMatmul(m, n, 64 * tiling.chunk, "f16", epilogue, epilogue)
    inputs = product_inputs(layer)
    try:
        module = lower(layer.text(), None, layer.schedule(tiling))
    except ScheduleError as error:
        assert "does not divide" in str(error)
        assume(False)
        raise
    result = evaluate(module, *inputs)
    assert np.array_equal(result, matmul_at(layer, inputs, np.ones((m, n), np.bool_)))
