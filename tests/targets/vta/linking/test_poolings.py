"""Poolings with padding: where zeros will do, where a border is added, and where the host pads."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_text import LayerText, host_steps, kernel_count
from plain_programs import SMALL_BLOCK, run_against_numpy, said

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.programs.host_program import HostProgram

pytestmark = pytest.mark.everywhere

CONFIGS = pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])
AROUND = (1, 1, 1, 1)


def pooled(low: int, edge: int, stride: int = 2, config: VTAConfig | None = None) -> HostProgram:
    """A layer of at least `low`, then the largest of 3 x 3 elements."""
    net = LayerText((1, 20, 7, 6))
    narrow = net.narrow(net.convolution(net.inputs[0], 20, 1), 6, low)
    return run_against_numpy(net.text(net.pool(narrow, "max", (3, 3), stride, AROUND, edge)), config)


def reads_border(program: HostProgram) -> bool:
    """Whether the second kernel, the pooling, loads accumulators."""
    (only,) = program.devices.values()
    return any("border" in name for name in only.kernels[1].reads)


@CONFIGS
@pytest.mark.parametrize("stride", [1, 2])
def test_zeros_pad_what_is_never_negative(stride: int, config: VTAConfig | None) -> None:
    program = pooled(0, -128, stride, config)
    assert kernel_count(program) == 2
    assert not reads_border(program)


@CONFIGS
@pytest.mark.parametrize("stride", [1, 2])
def test_a_border_is_added_to_the_zeros_around_signed_data(stride: int, config: VTAConfig | None) -> None:
    program = pooled(-128, -128, stride, config)
    assert kernel_count(program) == 2
    assert reads_border(program)


def test_a_border_around_an_argument() -> None:
    net = LayerText((1, 20, 9, 9))
    program = run_against_numpy(net.text(net.pool(net.inputs[0], "max", (3, 2), 2, (1, 0, 2, 1), -128)))
    assert kernel_count(program) == 1


def test_padding_that_may_be_the_largest_is_in_the_buffer_before_a_run() -> None:
    program = pooled(-128, 5)
    assert "tensor.pad" not in host_steps(program)
    assert [buffer.role for buffer in program.stream.buffers].count("filled") == 1


def test_padding_of_what_the_host_has_is_put_there_by_the_host() -> None:
    net = LayerText((1, 20, 9, 9))
    program = run_against_numpy(net.text(net.pool(net.inputs[0], "max", (3, 2), 2, (1, 0, 2, 1), 5)))
    assert "tensor.pad" in host_steps(program)
    assert program.choices[0].startswith("host: padding with 5 ('tensor.pad'): loads put zeros around rows and columns")


def test_windows_in_nothing_but_padding_read_it_from_the_buffer() -> None:
    net = LayerText((1, 16, 4, 4))
    narrow = net.narrow(net.convolution(net.inputs[0], 16, 1), 6, 3)
    program = run_against_numpy(net.text(net.pool(narrow, "max", (2, 2), 2, (2, 0, 0, 0), -128)))
    assert "tensor.pad" not in host_steps(program)
    assert [buffer.role for buffer in program.stream.buffers].count("filled") == 1


@CONFIGS
def test_sums_are_products_with_ones(config: VTAConfig | None) -> None:
    """Also of windows larger than what is taken one by one, with zeros around them."""
    net = LayerText((1, 20, 11, 10))
    sums = net.pool(net.inputs[0], "sum", (9, 8), 2, (0, 1, 1, 1))
    program = run_against_numpy(net.text(net.narrow(sums, 6)), config)
    assert program.stats["alu_counter"] < program.stats["gemm_counter"]


def test_quantised_floats_are_pooled_as_integers() -> None:
    """Dequantise, pad with the least number, pool, quantise, as a QDQ graph has them."""
    net = LayerText((1, 16, 6, 6))
    real = net.elementwise(
        "%s = arith.constant 0.125 : f32\n    %f = arith.sitofp %a0 : i8 to f32\n    %y = arith.mulf %f, %s : f32",
        [net.inputs[0]],
        "f32",
    )
    largest = net.pool(real, "max", (3, 3), 2, AROUND, "0xFF800000")
    body = """%s = arith.constant 0.25 : f32
    %l = arith.constant -128.0 : f32
    %h = arith.constant 127.0 : f32
    %d = arith.divf %a0, %s : f32
    %r = math.roundeven %d : f32
    %m = arith.maximumf %r, %l : f32
    %n = arith.minimumf %m, %h : f32
    %y = arith.fptosi %n : f32 to i8"""
    program = run_against_numpy(net.text(net.elementwise(body, [largest], "i8")))
    assert kernel_count(program) == 1
    assert program.choices == ()


def test_a_largest_window_of_more_elements_is_the_host_s() -> None:
    net = LayerText((1, 16, 9, 9))
    narrow = net.narrow(net.convolution(net.inputs[0], 16, 1), 6)
    program = run_against_numpy(net.text(net.pool(narrow, "max", (9, 9), 1)))
    assert said(program) == (
        "host: 'linalg.pooling_nchw_max' cannot run on the VTA: its window has 81 elements; "
        "at most 64 are taken one by one",
    )


@pytest.mark.parametrize("stride", [1, 2])
def test_windows_of_one_element(stride: int) -> None:
    net = LayerText((1, 18, 5, 4))
    narrow = net.narrow(net.convolution(net.inputs[0], 18, 1), 6)
    program = run_against_numpy(net.text(net.pool(narrow, "max", (1, 1), stride)))
    assert kernel_count(program) == 1


@settings(max_examples=6)
@given(st.data())
def test_random_poolings(data: st.DataObject) -> None:
    size = (data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3)))
    pads = tuple(data.draw(st.integers(0, 2)) for _ in range(4))
    kind = data.draw(st.sampled_from(["max", "sum"]))
    edge = data.draw(st.sampled_from([-128, 0, 7])) if kind == "max" else 0
    net = LayerText((data.draw(st.integers(1, 2)), 18, data.draw(st.integers(3, 7)), data.draw(st.integers(3, 7))))
    low = data.draw(st.sampled_from([-128, -5, 0, 3]))
    narrow = net.narrow(net.convolution(net.inputs[0], 18, 1), 6, low)
    result = net.pool(narrow, kind, size, data.draw(st.integers(1, 3)), pads, edge)
    if kind == "sum":
        result = net.narrow(result, 2)
    run_against_numpy(net.text(result), data.draw(st.sampled_from([None, SMALL_BLOCK])))
