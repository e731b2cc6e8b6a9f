"""Packing in a scheduled program: the kernel reads and writes plain tensors of any size."""

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
from vtac.evaluate import evaluate
from vtac.schedule import Schedule
from vtac.workloads.wmma_conv2d_plain import PlainConv2D
from vtac.workloads.wmma_fast import fast_schedule
from vtac.workloads.wmma_matmul import WmmaMatmul
from vtac.workloads.wmma_reference import matmul_at, plain_conv2d_at

PAD_AFTER_PACK = """
func.func @f(%x: tensor<{n}x6xf32>) -> tensor<2x8x4xf32> {{
  %zero = arith.constant {value} : f32
  %p = packing.pack %x dims [0] tiles [4] order [0, 1] : tensor<{n}x6xf32> to tensor<2x6x4xf32>
  %y = tensor.pad %p low[0, 1, 0] high[0, 1, 0] {{
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %zero : f32
  }} : tensor<2x6x4xf32> to tensor<2x8x4xf32>
  func.return %y : tensor<2x8x4xf32>
}}
"""


@pytest.mark.parametrize("n", [7, 8])
def test_padding_after_packing_is_inlined(n: int) -> None:
    text = PAD_AFTER_PACK.format(n=n, value="0.0")
    schedule = Schedule(text)
    schedule.compute_inline(schedule.get_block("p"))
    x = np.arange(6 * n, dtype=np.float32).reshape(n, 6)
    expected = evaluate(vtac.parse(text), x)
    assert np.array_equal(evaluate(schedule.module, x), expected)


@refuses(
    PAD_AFTER_PACK.format(n=7, value="1.0"),
    "compute_inline: block 'y' reads 'p' with padding, and block 'p' computes or pads; inline the padded block first",
)
def test_two_pad_values_do_not_merge(schedule: Schedule) -> Callable[[], object]:
    block = schedule.get_block("p")
    return lambda: schedule.compute_inline(block)


@refuses(
    PAD_AFTER_PACK.format(n=8, value="0.0")
    .replace("low[0, 1, 0] high[0, 1, 0]", "low[0, 1, 0] high[0, 0, 1]")
    .replace("2x8x4xf32", "2x7x5xf32"),
    "compute_inline: block 'y' reads 'p' with padding, and block 'p' computes or pads; inline the padded block first",
)
def test_padding_of_a_tile_does_not_merge(schedule: Schedule) -> Callable[[], object]:
    block = schedule.get_block("p")
    return lambda: schedule.compute_inline(block)


@settings(max_examples=8)
@given(
    layer=st.builds(
        PlainConv2D,
        batch=st.integers(1, 34),
        height=st.integers(2, 4),
        width=st.integers(2, 3),
        in_channels=st.integers(1, 33),
        out_channels=st.integers(1, 34),
        kernel=st.integers(1, 3),
        padding=st.integers(1, 2),
        stride=st.integers(1, 2),
        layout=st.sampled_from(["nhwc", "nchw"]),
    )
)
def test_convolutions_of_any_size(layer: PlainConv2D) -> None:
    random = np.random.default_rng(layer.batch)
    data, kernel = (random.integers(-4, 5, s).astype(np.float16) for s in (layer.data_shape, layer.kernel_shape))
    expected = plain_conv2d_at(layer, data, kernel, np.ones(layer.output_shape, np.bool_))
    result = evaluate(lower(layer.text(), None, layer.seed_schedule()), data, kernel)
    assert np.array_equal(result, expected)


@pytest.mark.parametrize("layer", [PlainConv2D(16, 2, 2, 32, 16), PlainConv2D(20, 2, 2, 24, 8, 2, 1, 2)])
def test_pipelined_convolutions_of_images(layer: PlainConv2D) -> None:
    random = np.random.default_rng(1)
    data, kernel = (random.integers(-4, 5, s).astype(np.float16) for s in (layer.data_shape, layer.kernel_shape))
    expected = plain_conv2d_at(layer, data, kernel, np.ones(layer.output_shape, np.bool_))
    for phase in ("blocked", "wmma"):
        module = lower(layer.text(), None, fast_schedule(layer), phase)
        assert np.array_equal(evaluate(module, data, kernel), expected)


@settings(max_examples=8)
@given(
    layer=st.builds(
        WmmaMatmul,
        m=st.integers(1, 70),
        n=st.integers(1, 70),
        k=st.integers(1, 40),
        element=st.sampled_from(["f16", "s8"]),
        bias=st.booleans(),
        relu=st.booleans(),
    )
)
def test_products_of_any_size(layer: WmmaMatmul) -> None:
    random = np.random.default_rng(layer.m)
    narrow, wide = (np.int8, np.int32) if layer.element == "s8" else (np.float16, np.float32)
    a, b = (random.integers(-4, 5, s).astype(narrow) for s in ((layer.m, layer.k), (layer.k, layer.n)))
    inputs = (a, b, random.integers(-9, 9, layer.n).astype(wide)) if layer.bias else (a, b)
    result = evaluate(lower(layer.text(), None, layer.schedule()), *inputs)
    assert np.array_equal(result, matmul_at(layer, inputs, np.ones((layer.m, layer.n), np.bool_)))


@pytest.mark.parametrize("layer", [WmmaMatmul(33, 40, 40, bias=True), WmmaMatmul(20, 32, 48, "s8", relu=True)])
def test_pipelined_products_whose_last_tiles_are_incomplete(layer: WmmaMatmul) -> None:
    random = np.random.default_rng(2)
    narrow = np.int8 if layer.element == "s8" else np.float16
    a, b = (random.integers(-4, 5, s).astype(narrow) for s in ((layer.m, layer.k), (layer.k, layer.n)))
    inputs = (a, b, random.integers(-9, 9, layer.n).astype(np.float32)) if layer.bias else (a, b)
    module = lower(layer.text(), None, layer.schedule(layer.fast_tiling(gpu_architecture("sm_90"))))
    assert "wmma.async_copy" in str(module)
    assert np.array_equal(evaluate(module, *inputs), matmul_at(layer, inputs, np.ones((layer.m, layer.n), np.bool_)))


EDGE = """
func.func @f(%x: tensor<{n}xf16>) -> tensor<16xf16> {{
  %zero = arith.constant 0.0 : f16
  %y = tensor.pad %x low[0] high[{high}] {{
  ^bb0(%i: index):
    tensor.yield %zero : f16
  }} : tensor<{n}xf16> to tensor<16xf16>
  func.return %y : tensor<16xf16>
}}
"""


@pytest.mark.parametrize(("n", "fits"), [(8, True), (12, False)])
def test_vectors_lie_inside_or_outside_of_padding(n: int, fits: bool) -> None:
    text = EDGE.format(n=n, high=16 - n)
    script = Schedule(text)
    outer, vector = script.split(script.get_loops(script.get_block("y"))[0], factor=8)
    script.bind(outer, "threadIdx.x")
    script.vectorize(vector)
    if not fits:
        with pytest.raises(CompileError, match="vectorize of block 'y': lanes reach over the padded edge of 'x'"):
            lower(text, None, script)
        return
    x = np.arange(1, n + 1, dtype=np.float16)
    assert np.array_equal(evaluate(lower(text, None, script), x), np.pad(x, (0, 16 - n)))


def test_sizes_are_rounded_to_what_blocks_compute() -> None:
    assert WmmaMatmul(1000, 100, 50).padded == (1024, 112, 64)
    assert WmmaMatmul(48, 1, 16).padded == (48, 16, 16)


@pytest.mark.parametrize(
    ("layer", "lanes"),
    [
        (PlainConv2D(layout="nchw"), (1, 1)),
        (PlainConv2D(in_channels=20), (4, 8)),
        (PlainConv2D(out_channels=34), (8, 2)),
        (PlainConv2D(in_channels=255, out_channels=257), (1, 1)),
    ],
)
def test_copies_are_as_wide_as_channels_allow(layer: PlainConv2D, lanes: tuple[int, int]) -> None:
    """A convolution of any channels is pipelined; what is narrower than 4 bytes waits in registers."""
    assert layer.lanes == lanes
    text = str(lower(layer.text(), None, fast_schedule(layer)))
    assert ("wmma.async_copy" in text) == (max(lanes) > 1)
    assert ("%carried" in text) == (min(lanes) == 1)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"layout": "chwn"}, "layout 'chwn'; the layouts of plain images are nhwc, nchw"),
        ({"batch": 0}, "batch is 0; it must be positive"),
        ({"in_channels": -1}, "in-channels is -1; it must be positive"),
    ],
)
def test_images_that_are_none(sizes: dict[str, int | str], message: str) -> None:
    with pytest.raises(CompileError) as caught:
        PlainConv2D(**sizes)  # pyright: ignore[reportArgumentType]
    assert message in str(caught.value)


def test_a_part_of_a_fragment_is_not_stored() -> None:
    layer = PlainConv2D(20, 2, 2, 16, 16, 1, 0, 1)
    script = Schedule(layer.text())
    conv = script.get_block("tiles")
    for name in layer.packs:
        script.compute_inline(script.get_block(name))
    fragments = [script.cache_read(conv, 0, "wmma.matrix_a"), script.cache_read(conv, 1, "wmma.matrix_b")]
    script.set_scope(conv, 0, "wmma.accumulator")
    n, h, w, o, row, column, *_, k = script.get_loops(conv)
    script.reorder(n, h, w, o, *script.get_loops(conv)[6:9], row, column, k)
    script.tensorize(row, "wmma.mma_sync")
    for block in fragments:
        script.compute_at(block, script.get_loops(conv)[-4])
    n, *_, row, _ = script.get_loops(script.get_block("output"))
    script.bind(n, "blockIdx.x")
    script.tensorize(row, "wmma.store_matrix_sync")
    with pytest.raises(CompileError) as caught:
        lower(layer.text(), None, script)
    assert "a guard of block 'output' holds for a part of a tile only (loop 'i4')" in str(caught.value)
    assert "stage the tile in shared memory and guard its copy" in str(caught.value)
