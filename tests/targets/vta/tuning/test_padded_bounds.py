"""Bounds of padded layers: nothing of padding is loaded, and a tile may consist of nothing else."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import vtac
from vtac.analysis.ir.device_functions import device_functions
from vtac.dialects.hardware import VTAConfig
from vtac.passes.vta.isolate_device_functions import isolated
from vtac.preparation import prepare
from vtac.schedule import Schedule
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.linking.plain import split_plain
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.roof import roof
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.target import VTA
from vtac.targets.vta.tuning.space import Space, member_of, space_of
from vtac.targets.vta.tuning.trials import Job, measure
from vtac.workloads.conv2d import Conv2D

CONFIG = VTAConfig()


def assert_bounded(text: str, layer: Layer, tiling: Tiling) -> tuple[int, int]:
    """Compare a tiling's bounds, and the layer's, with its program; the bound of its bytes, and these."""
    member, limit = member_of(layer, tiling, CONFIG), roof(layer, CONFIG)
    (outcome,) = measure([Job(text, tiling, Timing.de10())])
    assert outcome.status == "ok", outcome.message
    assert max(member.least_bytes, limit.nbytes) <= outcome.nbytes
    assert max(member.least_cycles, limit.cycles) <= outcome.cycles
    return member.least_bytes, outcome.nbytes


@cache
def convolution(height: int, width: int, channels: int, kernel: int, pad: int, stride: int) -> tuple[str, Layer]:
    schedule = Schedule(vtac.parse(Conv2D(1, height, width, channels, 32, kernel, pad, stride).text()), config=CONFIG)
    (layer,) = layers_of(schedule)
    return str(schedule.module), layer


@settings(max_examples=16)
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from([16, 32, 64])),
    st.sampled_from([(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2)]),
    st.integers(1, 4),
    st.integers(0, 10**9),
)
@example((2, 1, 64), (1, 1), 2, 0)
def test_no_program_of_a_padded_convolution_goes_below(
    sizes: tuple[int, int, int], window: tuple[int, int], pad: int, number: int
) -> None:
    text, layer = convolution(*sizes, window[0], pad, window[1])
    space = space_of(layer, CONFIG)
    assert_bounded(text, layer, space.member(number % len(space)).tiling)


@pytest.mark.parametrize(
    ("shape", "tiling"),
    [
        pytest.param((2, 1, 64, 1, 2, 1), Tiling((1, 2, 1, 1), 1, inp=2, wgt=4, pieces=2), id="all rows but two"),
        pytest.param((3, 3, 64, 1, 1, 1), Tiling((1, 1, 5, 1), 1, inp=1, wgt=4), id="columns at both sides"),
        pytest.param((2, 2, 32, 2, 4, 1), Tiling((1, 1, 1, 1), 1, inp=1, wgt=2), id="windows beside the image"),
        pytest.param((5, 2, 32, 1, 1, 2), Tiling((1, 1, 1, 1), 2, threads=2), id="steps, in two threads"),
        pytest.param((4, 5, 32, 1, 1, 1), Tiling((1, 1, 1, 1), 1, True, inp=2, wgt=4, acc=2), id="weights inside"),
    ],
)
def test_tiles_that_lie_in_padding_load_no_inputs(shape: tuple[int, int, int, int, int, int], tiling: Tiling) -> None:
    least, nbytes = assert_bounded(*convolution(*shape), tiling)
    assert 0.4 * nbytes < least


@cache
def sums(
    element: str, size: tuple[int, int], pads: tuple[int, int, int, int], window: tuple[int, int], stride: int
) -> tuple[str, Layer, Space]:
    """Sums over windows of a padded image, shifted and stored; `pads`: rows and columns before, and behind."""
    rows, columns = size[0] + pads[0] + pads[2], size[1] + pads[1] + pads[3]
    out = f"1x16x{(rows - window[0]) // stride + 1}x{(columns - window[1]) // stride + 1}"
    data, padded = f"tensor<1x16x{size[0]}x{size[1]}x{element}>", f"tensor<1x16x{rows}x{columns}x{element}>"
    text = f"""
#id = affine_map<(n, c, h, w) -> (n, c, h, w)>
func.func @f(%x: {data}) -> tensor<{out}xi8> {{
  %none = arith.constant 0 : {element}
  %p = tensor.pad %x low[0, 0, {pads[0]}, {pads[1]}] high[0, 0, {pads[2]}, {pads[3]}] {{
  ^bb0(%n: index, %c: index, %h: index, %w: index):
    tensor.yield %none : {element}
  }} : {data} to {padded}
  %window = tensor.empty() : tensor<{window[0]}x{window[1]}xi32>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<{out}xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<{out}xi32>) -> tensor<{out}xi32>
  %s = linalg.pooling_nchw_sum {{dilations = dense<1> : tensor<2xi64>, strides = dense<{stride}> : tensor<2xi64>}}
      ins(%p, %window : {padded}, tensor<{window[0]}x{window[1]}xi32>) outs(%f : tensor<{out}xi32>) -> tensor<{out}xi32>
  %g = tensor.empty() : tensor<{out}xi8>
  %y = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}}
      ins(%s : tensor<{out}xi32>) outs(%g : tensor<{out}xi8>) {{
  ^bb0(%a: i32, %o: i8):
    %two = arith.constant 2 : i32
    %b = arith.shrsi %a, %two : i32
    %t = arith.trunci %b : i32 to i8
    linalg.yield %t : i8
  }} -> tensor<{out}xi8>
  func.return %y : tensor<{out}xi8>
}}
"""
    module = prepare(text, VTA)
    split_plain(module, phase="owned")
    alone = isolated(device_functions(module)[0], module)
    (layer,) = layers_of(Schedule(alone))
    return str(alone), layer, space_of(layer, CONFIG)


@settings(max_examples=14)
@given(
    st.sampled_from(["i32", "i8"]),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.tuples(*[st.integers(0, 3)] * 4),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 3), st.integers(0, 10**9)),
)
@example("i8", (2, 1), (1, 1, 0, 2), (1, 3), (3, 1))
@example("i32", (2, 4), (2, 1, 3, 1), (1, 3), (2, 0))
@example("i32", (1, 3), (3, 3, 2, 2), (1, 3), (3, 0))
def test_no_program_of_padded_sums_goes_below(
    element: str,
    size: tuple[int, int],
    pads: tuple[int, int, int, int],
    window: tuple[int, int],
    rest: tuple[int, int],
) -> None:
    stride, number = rest
    if size[0] + pads[0] + pads[2] < window[0] or size[1] + pads[1] + pads[3] < window[1]:
        return
    text, layer, space = sums(element, size, pads, window, stride)
    assert_bounded(text, layer, space.member(number % len(space)).tiling)


def test_a_sum_whose_rows_are_padding_reads_no_weights() -> None:
    """A window of one row in steps of three begins at the row of padding, and ends there."""
    text, layer, space = sums("i8", (2, 1), (1, 1, 0, 2), (1, 3), 3)
    (skipping,) = [one for one in space.tilings.listed() if one.skip and one.pieces == 1 and one.acc == 1][:1]
    least, nbytes = assert_bounded(text, layer, skipping)
    assert 0 < least <= nbytes < CONFIG.wgt_element_bytes


def test_padded_words_are_loaded_once_each() -> None:
    """Of 7 x 6 places 2 x 4 are data: 8 tiles of 64 bytes, and what is stored."""
    _, layer, _ = sums("i32", (2, 4), (2, 1, 3, 1), (1, 3), 1)
    assert roof(layer, CONFIG).nbytes == 8 * 64 + 7 * 4 * 16
