"""The roof of a layer is a true lower bound: of cycles and bytes, under every tiling, padding skipped or not."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import TilingError
from vtac.schedule import Schedule
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.layer_report import layer_reports
from vtac.targets.vta.schedules.candidates import cuts
from vtac.targets.vta.schedules.ranking import candidates
from vtac.targets.vta.schedules.roof import roof
from vtac.targets.vta.schedules.search import layers_of, lower_tilings
from vtac.targets.vta.stream.build import build_program
from vtac.workloads.conv2d import Conv2D


@st.composite
def convolutions(draw: st.DrawFn) -> Conv2D:
    kernel = draw(st.sampled_from([1, 2, 3, 5]))
    sizes = st.integers(1, 9)
    channels = st.sampled_from([16, 32, 48])
    layer = (draw(sizes), draw(sizes), draw(channels), draw(channels), kernel)
    padding, stride = draw(st.integers(0, kernel)), draw(st.integers(1, 3))
    assume(min(layer[:2]) + 2 * padding >= kernel)
    return Conv2D(1, *layer, padding, stride)


def _assert_bounded(conv: Conv2D, choose: int, *, skips: bool) -> bool:
    """Compare under one of the tilings; whether it can be built."""
    module = vtac.parse(conv.text())
    schedule = Schedule(module)
    (layer,) = layers_of(schedule)
    config = vtac.VTAConfig()
    tilings = [one.tiling for one in candidates(layer, config)]
    if skips:
        tilings = [tiling for tiling in cuts(layer, config).listed() if tiling.skip]
    try:
        lowering = lower_tilings(schedule, [(layer, tilings[choose % len(tilings)])])
    except TilingError:
        return False
    assert roof(layer, config).cycles <= build_program(lowering.module).cycles
    return True


@settings(max_examples=8)
@given(convolutions(), st.integers(0, 30))
def test_no_tiling_goes_below(conv: Conv2D, choose: int) -> None:
    _assert_bounded(conv, choose, skips=False)


@pytest.mark.parametrize(
    ("height", "width", "kernel", "padding", "stride"),
    [(4, 4, 3, 1, 1), (2, 1, 3, 1, 1), (3, 3, 3, 3, 3), (5, 2, 3, 2, 1), (7, 7, 3, 2, 2)],
)
def test_nor_one_that_skips_padding(height: int, width: int, kernel: int, padding: int, stride: int) -> None:
    conv = Conv2D(1, height, width, 32, 32, kernel, padding, stride)
    built = [_assert_bounded(conv, choose, skips=True) for choose in (0, 3)]
    assert any(built)


def _pooling(channels: int, size: tuple[int, int], window: int, stride: int, dilation: int) -> str:
    """The largest of each window."""
    height, width = ((one - dilation * (window - 1) - 1) // stride + 1 for one in size)
    source = f"tensor<1x{channels}x{size[0]}x{size[1]}xi8>"
    result, shape = f"tensor<1x{channels}x{height}x{width}xi8>", f"tensor<{window}x{window}xi8>"
    steps = f"dilations = dense<{dilation}> : tensor<2xi64>, strides = dense<{stride}> : tensor<2xi64>"
    return f"""func.func @pool(%x: {source}) -> {result} {{
  %w = tensor.empty() : {shape}
  %z = arith.constant -128 : i8
  %e = tensor.empty() : {result}
  %i = linalg.fill ins(%z : i8) outs(%e : {result}) -> {result}
  %c = linalg.pooling_nchw_max {{{steps}}} ins(%x, %w : {source}, {shape}) outs(%i : {result}) -> {result}
  func.return %c : {result}
}}
"""


def _config(log_block: int, log_batch: int = 0) -> VTAConfig:
    """Blocks of another size; smaller buffers, so that a micro-op has room for their indices."""
    buffers = {"LOG_INP_BUFF_SIZE": 13, "LOG_WGT_BUFF_SIZE": 15, "LOG_ACC_BUFF_SIZE": 15}
    fields: dict[str, object] = {**VTAConfig().to_fields(), **buffers, "LOG_BLOCK": log_block, "LOG_BATCH": log_batch}
    return VTAConfig.from_fields(fields, "tests")


def _assert_pooling_bounded(text: str, config: VTAConfig) -> None:
    program = vtac.compile(text, config=config)
    assert isinstance(program, HostProgram)
    for report in layer_reports(program):
        assert report.bound is not None
        assert report.work is not None
        assert report.bound <= report.cycles
        assert report.work.products <= report.counters["gemm_counter"]
        assert report.work.loaded + report.work.stored <= report.dram_bytes


@settings(max_examples=8)
@given(st.data())
def test_gaps_and_rows_of_any_width(data: st.DataObject) -> None:
    window, stride, dilation = (data.draw(st.integers(1, largest)) for largest in (3, 6, 2))
    least = dilation * (window - 1) + 1
    size = data.draw(st.integers(least, 20)), data.draw(st.integers(least, 20))
    config = _config(data.draw(st.integers(3, 6)), data.draw(st.integers(0, 2)))
    _assert_pooling_bounded(_pooling(data.draw(st.sampled_from([8, 16, 40])), size, window, stride, dilation), config)


def test_steps_beyond_the_window() -> None:
    _assert_pooling_bounded(_pooling(16, (30, 30), 1, 5, 1), VTAConfig())


@pytest.mark.parametrize("log_block", [3, 5, 6])
def test_stores_of_other_rows(log_block: int) -> None:
    _assert_pooling_bounded(_pooling(64, (16, 16), 1, 1, 1), _config(log_block))
