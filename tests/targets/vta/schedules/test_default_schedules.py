"""Default schedules of random layers on random configurations: equal to numpy, proven clean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import vtac
from vtac.errors import CompileError
from vtac.targets.vta.schedules import default_schedule
from vtac.workloads import reference
from vtac.workloads.conv2d import Conv2D
from vtac.workloads.matmul import Matmul
from vtac.workloads.vadd import VectorAdd

CONFIGS = (
    vtac.VTAConfig(),
    vtac.VTAConfig(log_batch=2, log_block=3, log_inp_buff_size=16, log_wgt_buff_size=16, log_acc_buff_size=18),
    vtac.VTAConfig(log_inp_buff_size=10, log_wgt_buff_size=13, log_acc_buff_size=11),
)
TINY = vtac.VTAConfig(log_inp_buff_size=4, log_wgt_buff_size=8, log_acc_buff_size=7, log_uop_buff_size=6)
"""One input tile, one weight tile, two accumulator tiles."""


def int8(random: np.random.Generator, *shape: int) -> NDArray[np.int8]:
    return random.integers(-128, 128, shape, dtype=np.int8)


def packed_images(array: NDArray[np.int8], rows: int, columns: int) -> NDArray[np.int8]:
    return np.ascontiguousarray(reference.pack_images(array, rows, columns)).astype(np.int8)


def packed_rows(array: NDArray[np.int8], rows: int, columns: int) -> NDArray[np.int8]:
    return np.ascontiguousarray(reference.pack_rows(array, rows, columns)).astype(np.int8)


def assert_convolves(layer: Conv2D) -> vtac.Program:
    """Compile without a schedule, check, run, compare."""
    config = layer.config
    program = vtac.compile(layer.text(), config=config)
    assert vtac.check(program) == []
    random = np.random.default_rng(3)
    data = int8(random, layer.batch, layer.in_channels, layer.height, layer.width)
    kernel = int8(random, layer.out_channels, layer.in_channels, layer.kernel, layer.kernel)
    found = program(
        packed_images(data, config.batch, config.block_in), packed_images(kernel, config.block_out, config.block_in)
    )
    wanted = packed_images(reference.conv2d(layer, data, kernel), config.batch, config.block_out)
    np.testing.assert_array_equal(found, wanted)
    return program.stream


@st.composite
def convolutions(draw: st.DrawFn) -> Conv2D:
    config = draw(st.sampled_from(CONFIGS))
    kernel = draw(st.sampled_from((1, 2, 3, 5)))
    return Conv2D(
        config.batch * draw(st.integers(1, 2)),
        draw(st.integers(max(4, kernel), 9)),
        draw(st.integers(max(4, kernel), 9)),
        config.block_in * draw(st.integers(1, 3)),
        config.block_out * draw(st.integers(1, 4)),
        kernel,
        draw(st.integers(0, kernel // 2)),
        draw(st.integers(1, 3)),
        shift=draw(st.sampled_from((2, 5, 8))),
        config=config,
    )


@settings(max_examples=12)
@given(convolutions())
def test_any_convolution_is_correct(layer: Conv2D) -> None:
    assert_convolves(layer)


@settings(max_examples=6)
@given(st.sampled_from(CONFIGS), st.integers(1, 5), st.integers(1, 6), st.integers(1, 6))
def test_any_matrix_product_is_correct(config: vtac.VTAConfig, rows: int, inside: int, columns: int) -> None:
    layer = Matmul(config.batch * rows, config.block_in * inside, config.block_out * columns, config=config)
    program = vtac.compile(layer.text(), config=config)
    assert vtac.check(program) == []
    random = np.random.default_rng(4)
    data = int8(random, layer.batch, layer.in_features)
    weight = int8(random, layer.out_features, layer.in_features)
    found = program(
        packed_rows(data, config.batch, config.block_in), packed_rows(weight, config.block_out, config.block_in)
    )
    wanted = packed_rows(reference.matmul(layer, data, weight), config.batch, config.block_out)
    np.testing.assert_array_equal(found, wanted)


@settings(max_examples=6)
@given(st.sampled_from(CONFIGS), st.integers(1, 3), st.integers(1, 300))
def test_any_vector_sum_is_correct(config: vtac.VTAConfig, rows: int, blocks: int) -> None:
    layer = VectorAdd(config.block_out * blocks, config.batch * rows, config)
    program = vtac.compile(layer.text(), config=config)
    assert vtac.check(program) == []
    random = np.random.default_rng(5)
    left, right = random.integers(-(2**31), 2**31, (2, *layer.shape), dtype=np.int64).astype(np.int32)
    np.testing.assert_array_equal(program(left, right), reference.vadd(left, right))


def test_single_tiles_are_enough_memory() -> None:
    assert_convolves(Conv2D(1, 4, 4, 32, 32, 3, 1, config=TINY))


def test_skipped_padding_saves_multiplications() -> None:
    program = assert_convolves(Conv2D(1, 7, 7, 64, 64))
    assert program.stats["gemm_counter"] == 4 * 4 * 19 * 19


def test_gathered_columns_are_loaded_once() -> None:
    program = assert_convolves(Conv2D(1, 14, 14, 64, 64, 1, 0, 2))
    assert program.stats["inp_load_nbytes"] == 7 * 7 * 64


def test_steps_that_are_taken_once_are_none() -> None:
    """A 1x1 convolution with a stride that its result never takes."""
    assert_convolves(Conv2D(1, 2, 2, 16, 32, 1, 0, 2))


def test_weights_stay_on_chip() -> None:
    program = assert_convolves(Conv2D(1, 28, 28, 64, 64))
    assert program.stats["wgt_load_nbytes"] == 64 * 64 * 9


def test_the_printed_script_gives_the_same_program() -> None:
    layer = Conv2D(1, 14, 14, 64, 64)
    script = str(default_schedule(vtac.parse(layer.text()), layer.config))
    assert "schedule.double_buffer" in script
    again = vtac.compile(layer.text() + script)
    assert again.stream.instructions == vtac.compile(layer.text()).stream.instructions


def test_a_given_script_counts() -> None:
    layer = VectorAdd(256)
    given_schedule = layer.schedule(block=64)
    program = vtac.compile(layer.text(), schedule=given_schedule)
    assert program.stream.instructions != vtac.compile(layer.text()).stream.instructions


def test_two_layers_in_one_function() -> None:
    first = Matmul(2, 32, 64)
    text = first.text()
    body = text[text.index("  %zero") : text.index("  func.return")]
    second = body.replace("%data", "%res").replace("%weight", "%other").replace("2x2x1x16xi8", "2x4x1x16xi8")
    second = second.replace("4x2x16x16", "4x4x16x16")
    for name in ("zero", "empty", "init", "res_gemm", "res_shr", "res_max", "res_min"):
        second = second.replace(f"%{name}", f"%second_{name}")
    second = second.replace("%res =", "%out =").replace("%res_empty", "%out_empty")
    head = text[: text.index("  %zero")].replace(
        "%weight: tensor<4x2x16x16xi8>", "%weight: tensor<4x2x16x16xi8>, %other: tensor<4x4x16x16xi8>"
    )
    program = vtac.compile(f"{head}{body}{second}  func.return %out : tensor<2x4x1x16xi8>\n}}\n")
    assert vtac.check(program) == []
    random = np.random.default_rng(6)
    data, weight, other = int8(random, 2, 32), int8(random, 64, 32), int8(random, 64, 64)
    middle = reference.matmul(first, data, weight)
    wanted = reference.matmul(Matmul(2, 64, 64), middle, other)
    found = program(packed_rows(data, 1, 16), packed_rows(weight, 16, 16), packed_rows(other, 16, 16))
    np.testing.assert_array_equal(found, packed_rows(wanted, 1, 16))


def test_what_fits_nowhere_is_refused() -> None:
    config = vtac.VTAConfig(log_acc_buff_size=6, log_uop_buff_size=6)
    layer = VectorAdd(64, config=config)
    with pytest.raises(CompileError) as caught:
        vtac.compile(layer.text(), config=config)
    assert "default schedule: no tiling of block 'C' fits on chip" in str(caught.value)
    assert "use a configuration with larger buffers" in str(caught.value)
