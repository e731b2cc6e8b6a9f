"""Convolutions in groups: on blocks of their own where groups fill them, else on zeros between groups."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_programs import CLAMP, SMALL_BLOCK, elementwise, run_against_numpy, said

from vtac.dialects.hardware import VTAConfig
from vtac.workloads.linalg_text import tensor

CONFIGS = pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])


def grouped(groups: int, features: int, channels: int, size: int = 5, stride: int = 1, batch: int = 1) -> str:
    """As PyTorch's exporter writes it: expanded, convolved by group, collapsed, and then narrowed."""
    out = (size - 3) // stride + 1
    data = tensor((batch, groups * channels, size, size), "i8")
    split = tensor((batch, groups, channels, size, size), "i8")
    kernel = tensor((groups, features, channels, 3, 3), "i8")
    parts = tensor((batch, groups, features, out, out), "i32")
    wide = tensor((batch, groups * features, out, out), "i32")
    result = wide.replace("i32", "i8")
    text = f"""#id = affine_map<(n, c, h, w) -> (n, c, h, w)>
func.func @layer(%a: {data}, %b: {kernel}) -> {result} {{
  %zero = arith.constant 0 : i32
  %groups = tensor.expand_shape %a [[0], [1, 2], [3], [4]]
    output_shape [{batch}, {groups}, {channels}, {size}, {size}] : {data} into {split}
  %empty = tensor.empty() : {parts}
  %init = linalg.fill ins(%zero : i32) outs(%empty : {parts}) -> {parts}
  %grouped = linalg.conv_2d_ngchw_gfchw {{dilations = dense<1> : tensor<2xi64>,
      strides = dense<{stride}> : tensor<2xi64>}}
    ins(%groups, %b : {split}, {kernel}) outs(%init : {parts}) -> {parts}
  %whole = tensor.collapse_shape %grouped [[0], [1, 2], [3], [4]] : {parts} into {wide}
"""
    narrow = elementwise("narrow", ["%whole"], wide, result, CLAMP)
    return text + "\n".join([*narrow, f"  func.return %narrow : {result}", "}", ""])


@settings(max_examples=8)
@given(
    st.integers(1, 6),
    st.sampled_from([1, 3, 4, 8, 16, 24, 32]),
    st.sampled_from([1, 4, 7, 8, 16, 32]),
    st.integers(3, 6),
    st.integers(1, 2),
    st.integers(1, 3),
    st.sampled_from([VTAConfig(), SMALL_BLOCK]),
)
def test_groups_of_any_size(
    groups: int, features: int, channels: int, size: int, stride: int, batch: int, config: VTAConfig
) -> None:
    program = run_against_numpy(grouped(groups, features, channels, size, stride, batch), config)
    assert len(program.devices) == 1


@pytest.mark.parametrize(("features", "channels"), [(16, 16), (32, 16), (16, 48), (48, 32)])
def test_groups_that_fill_blocks_cost_no_extra_products(features: int, channels: int) -> None:
    program = run_against_numpy(grouped(3, features, channels))
    assert program.choices == ()
    assert program.stats["gemm_counter"] == 9 * 9 * 3 * (features // 16) * (channels // 16)


def test_neighbouring_groups_fill_a_block_together() -> None:
    program = run_against_numpy(grouped(8, 8, 8))
    assert said(program) == (
        "narrow: a convolution in 8 groups (8 channels to 8 features each), 2 groups at once to fill blocks of 16: "
        "2 times the products",
    )
    assert program.stats["gemm_counter"] == 9 * 9 * 4


@CONFIGS
def test_groups_that_fill_no_block_are_one_convolution(config: VTAConfig | None) -> None:
    block = 16 if config is None else 8
    assert said(run_against_numpy(grouped(4, 6, 7), config)) == (
        "narrow: a convolution in 4 groups (7 channels to 6 features each) over all channels, 4 times the products: "
        f"fewer groups fill no blocks of {block}",
    )
