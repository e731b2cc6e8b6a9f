"""Zero points: a bias that follows from the weights, and padding that holds them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_text import LayerText, host_steps, kernel_count
from plain_programs import CLAMP, SMALL_BLOCK, elementwise, run_against_numpy, said

from vtac.dialects.hardware import VTAConfig
from vtac.workloads.linalg_text import affine_map

IDENTITY = f"#id = {affine_map('n, c, h, w', 'n, c, h, w')}"
CONFIGS = pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])


@CONFIGS
def test_a_zero_point_of_the_data_becomes_a_bias(config: VTAConfig | None) -> None:
    """The sum of an argument's weights is the host's, which packs the data with its padding."""
    text = f"""{IDENTITY}
func.func @layer(%a: tensor<1x16x6x6xi8>, %b: tensor<20x16x3x3xi8>) -> tensor<1x20x6x6xi8> {{
  %zero = arith.constant 0 : i32
  %point = arith.constant -7 : i32
  %edge = arith.constant -7 : i8
  %padded = tensor.pad %a low[0, 0, 1, 1] high[0, 0, 1, 1] {{
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index):
    tensor.yield %edge : i8
  }} : tensor<1x16x6x6xi8> to tensor<1x16x8x8xi8>
  %empty = tensor.empty() : tensor<1x20x6x6xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<1x20x6x6xi32>) -> tensor<1x20x6x6xi32>
  %whole = linalg.conv_2d_nchw_fchw_q {{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}}
    ins(%padded, %b, %point, %zero : tensor<1x16x8x8xi8>, tensor<20x16x3x3xi8>, i32, i32)
    outs(%init : tensor<1x20x6x6xi32>) -> tensor<1x20x6x6xi32>
"""
    narrow = elementwise("narrow", ["%whole"], "tensor<1x20x6x6xi32>", "tensor<1x20x6x6xi8>", CLAMP)
    text += "\n".join([*narrow, "  func.return %narrow : tensor<1x20x6x6xi8>", "}", ""])
    program = run_against_numpy(text, config)
    assert said(program) == (
        "host: padding with -7 ('tensor.pad'): loads put zeros around rows and columns, which do not stand for it here",
        "host: the sum of a kernel that is no constant, for the zero point of the data",
    )
    assert program.choices[0].endswith("the host packs this tensor anyway")


def test_padding_with_the_zero_point_between_layers() -> None:
    """Between layers, weights that padding meets are left out of the bias, a constant of every place then."""
    net = LayerText((1, 18, 5, 5))
    first = net.narrow(net.convolution(net.inputs[0], 20, 3, 1, (1, 1, 1, 1), zero_point=-7), 8)
    second = net.narrow(net.convolution(first, 20, 3, 2, (1, 0, 2, 1), zero_point=-128), 9)
    program = run_against_numpy(net.text(second))
    assert host_steps(program) == ["tensor.pad", "packing.fold", "packing.pack", "func.call", "packing.unpack"]
    assert kernel_count(program) == 2


def test_padding_with_another_number_is_in_the_buffer_before_a_run() -> None:
    net = LayerText((1, 18, 5, 5))
    padded = net.pad(net.narrow(net.convolution(net.inputs[0], 18, 1), 7), (1, 1, 1, 1), 5)
    program = run_against_numpy(net.text(net.narrow(net.convolution(padded, 20, zero_point=3), 8)))
    assert "tensor.pad" not in host_steps(program)
    assert [buffer.role for buffer in program.stream.buffers].count("filled") == 1
    assert said(program) == ()


def test_a_zero_point_of_a_constant_kernel_is_taken_off_it() -> None:
    net = LayerText((1, 18, 5, 5))
    total = net.convolution(net.inputs[0], 20, 3, 1, (1, 1, 1, 1), zero_point=5, kernel_zero=-100)
    choices = said(run_against_numpy(net.text(net.narrow(total, 9))))
    assert len(choices) == 2
    assert choices[0].startswith("host: padding with 5")
    assert "folded into channels" in choices[1]


def test_a_kernel_that_its_zero_point_takes_out_of_range() -> None:
    net = LayerText((1, 18, 5, 5))
    total = net.convolution(net.inputs[0], 20, zero_point=5, kernel_zero=-120)
    choices = said(run_against_numpy(net.text(net.narrow(total, 9))))
    assert any("weights of more than 8 bits as the sum of 2 kernels of bytes" in choice for choice in choices)


@settings(max_examples=6)
@given(st.data())
def test_random_zero_points(data: st.DataObject) -> None:
    net = LayerText((data.draw(st.integers(1, 2)), 6, data.draw(st.integers(4, 7)), data.draw(st.integers(4, 7))))
    pads = tuple(data.draw(st.integers(0, 3)) for _ in range(4))
    stride, dilation, size = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    total = net.convolution(net.inputs[0], 9, size, stride, pads, data.draw(st.integers(-128, 127)), dilation)
    run_against_numpy(net.text(net.narrow(total, 7)), data.draw(st.sampled_from([None, SMALL_BLOCK])))
