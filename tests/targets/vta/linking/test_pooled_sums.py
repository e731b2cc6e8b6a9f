"""Maxima of windows of a product's sums: one kernel with the product, exact on every machine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_text import LayerText, kernel_count
from plain_programs import SMALL_BLOCK, run_against_numpy

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.programs.host_program import HostProgram


def tiny(config: VTAConfig, less: int) -> VTAConfig:
    """The same machine with memories of so many bits less."""
    fields: dict[str, object] = dict(config.to_fields())
    for name in ("UOP", "INP", "WGT", "ACC"):
        fields[f"LOG_{name}_BUFF_SIZE"] = int(str(fields[f"LOG_{name}_BUFF_SIZE"])) - less
    return VTAConfig.from_fields(fields, "tests")


def large_block() -> VTAConfig:
    return VTAConfig.from_fields({**VTAConfig().to_fields(), "LOG_BLOCK": 5}, "tests")


MACHINES = (VTAConfig(), SMALL_BLOCK, large_block(), tiny(VTAConfig(), 3), tiny(SMALL_BLOCK, 3), tiny(VTAConfig(), 5))


def pooled(net: LayerText, features: int, taps: int, size: tuple[int, int], stride: int, low: int = -128) -> str:
    sums = net.convolution(net.inputs[0], features, taps, 1, (taps // 2,) * 4)
    return net.text(net.pool(net.narrow(sums, 6, low, half_up=True), "max", size, stride, (0, 0, 0, 0), -128))


@settings(max_examples=14)
@given(
    st.sampled_from(MACHINES),
    st.sampled_from([1, 3]),
    st.sampled_from([(2, 2), (3, 3), (3, 2), (1, 2), (4, 3)]),
    st.integers(1, 3),
    st.integers(5, 12),
    st.integers(4, 11),
    st.sampled_from([7, 16, 40]),
)
def test_maxima_of_sums(
    config: VTAConfig, taps: int, size: tuple[int, int], stride: int, height: int, width: int, features: int
) -> None:
    net = LayerText((1 + height % 2, 18, height, width))
    run_against_numpy(pooled(net, features, taps, size, stride), config)


@pytest.mark.parametrize("low", [-128, 0])
def test_windows_side_by_side_are_one_kernel_with_their_product(low: int) -> None:
    program = run_against_numpy(pooled(LayerText((1, 32, 12, 12)), 32, 3, (2, 2), 2, low))
    assert kernel_count(program) == 1
    assert _gemm(program) < 2 * 12 * 12 * 2 * 9 + 2 * 12 * 12


def test_an_image_that_takes_several_tiles() -> None:
    """Windows overlap: tiles compute the sums between them twice."""
    program = run_against_numpy(pooled(LayerText((1, 16, 41, 39)), 16, 1, (3, 3), 2), tiny(VTAConfig(), 3))
    assert kernel_count(program) == 1
    assert _gemm(program) > 41 * 39


def test_windows_of_many_products_that_overlap_much_stay_apart() -> None:
    """Windows that move by one: what two tiles compute twice takes longer than what is saved."""
    assert kernel_count(run_against_numpy(pooled(LayerText((1, 64, 9, 9)), 16, 3, (3, 3), 1))) == 2


def test_windows_that_do_not_fit_stay_apart() -> None:
    config = tiny(VTAConfig(), 6)
    program = run_against_numpy(pooled(LayerText((1, 16, 12, 12)), 16, 1, (4, 4), 4), config)
    assert config.capacity("acc") == 32
    assert kernel_count(program) == 2


def test_what_is_read_before_it_is_pooled_is_stored() -> None:
    net = LayerText((1, 16, 8, 8))
    value = net.narrow(net.convolution(net.inputs[0], 16, 1), 6)
    program = vtac.compile(vtac.parse(net.text(net.pool(value, "max", (2, 2), 2, (0, 0, 0, 0), -128), value)))
    assert isinstance(program, HostProgram)
    assert kernel_count(program) == 2


def test_a_residual_differs_within_a_window() -> None:
    net = LayerText((1, 16, 8, 8))
    sums = net.convolution(net.inputs[0], 16, 1)
    body = """%r = arith.extsi %a1 : i8 to i32
    %t = arith.addi %a0, %r : i32
    %s = arith.constant 7 : i32
    %h = arith.shrsi %t, %s : i32
    %l = arith.constant -128 : i32
    %g = arith.constant 127 : i32
    %m = arith.maxsi %h, %l : i32
    %n = arith.minsi %m, %g : i32
    %y = arith.trunci %n : i32 to i8"""
    value = net.elementwise(body, [sums, net.inputs[0]], "i8")
    assert kernel_count(run_against_numpy(net.text(net.pool(value, "max", (2, 2), 2, (0, 0, 0, 0), -128)))) == 2


def _gemm(program: HostProgram) -> int:
    return int(np.int64(program.stats["gemm_counter"]))


@pytest.mark.parametrize("config", [MACHINES[0], MACHINES[1], MACHINES[3]], ids=["default", "batch4block8", "tiny"])
@pytest.mark.parametrize(("size", "stride", "pads"), [((3, 3), 2, (1, 1, 1, 1)), ((2, 3), 1, (0, 1, 1, 2))])
def test_padding_repeats_edges_of_what_the_host_lays_out(
    config: VTAConfig, size: tuple[int, int], stride: int, pads: tuple[int, int, int, int]
) -> None:
    """Few channels: the host lays windows side by side, and edges of the image once more; the sums are negative."""
    net = LayerText((1, 3, 16, 15))
    sums = net.convolution(net.inputs[0], 16, 3, 1, (1, 1, 1, 1))
    shifted = net.elementwise(
        "%d = arith.constant -20000 : i32\n    %y = arith.addi %a0, %d : i32",
        [sums],
        "i32",
    )
    text = net.text(net.pool(net.narrow(shifted, 8), "max", size, stride, pads, -128))
    program = run_against_numpy(text, config)
    assert kernel_count(program) == 1 or config is not MACHINES[0]


def test_padding_of_other_data_stays() -> None:
    net = LayerText((1, 32, 8, 8))
    sums = net.convolution(net.inputs[0], 16, 3, 1, (1, 1, 1, 1))
    text = net.text(net.pool(net.narrow(sums, 8), "max", (3, 3), 2, (1, 1, 1, 1), -128))
    assert kernel_count(run_against_numpy(text)) == 2
