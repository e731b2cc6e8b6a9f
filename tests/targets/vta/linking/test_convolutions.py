"""Convolutions on NCHW tensors, compiled without a schedule, against numpy."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plain_programs import CLAMP, HALF_UP, SMALL_BLOCK, PlainConv, run_against_numpy, said

from vtac.dialects.hardware import VTAConfig


@pytest.mark.parametrize("kernel", [1, 2, 3, 5, 7])
def test_kernels(kernel: int) -> None:
    side = kernel // 2
    program = run_against_numpy(PlainConv(kernel=(kernel, kernel), pads=(side, side, side, side)).text())
    assert program.choices == ()


@pytest.mark.parametrize("batch", [1, 2, 3, 8])
@pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])
def test_batches(batch: int, config: VTAConfig | None) -> None:
    run_against_numpy(PlainConv(batch=batch, channels=8, features=8, pads=(1, 1, 1, 1)).text(), config)


def test_a_first_layer_of_three_channels() -> None:
    layer = PlainConv(channels=3, features=20, height=9, width=9, stride=2, pads=(1, 1, 1, 1))
    program = run_against_numpy(layer.text())
    text = "narrow: its 3 x 3 window folded into channels by the host as it packs (3 become 27): about "
    assert any(choice.startswith(text) for choice in said(program))


def test_one_pixel_of_three_channels() -> None:
    program = run_against_numpy(PlainConv(channels=3, features=20, kernel=(1, 1)).text())
    assert said(program) == ("narrow: 3 input channels padded with zeros to a block of 16: 5.3 times the products",)


def test_an_i32_result_comes_in_planes_of_bytes() -> None:
    program = run_against_numpy(PlainConv(tail=None, bias=True).text())
    assert len(program.devices) == 1
    assert said(program) == (
        "biased: an i32 result in four planes of bytes (the store unit writes 8 bits), interleaved by the host",
    )
    assert program.stats["out_store_nbytes"] == 4 * 16 * 4 * 3


@settings(max_examples=12)
@given(st.data())
def test_random_convolutions(data: st.DataObject) -> None:
    def pick(*choices: int) -> int:
        return data.draw(st.sampled_from(choices))

    layer = PlainConv(
        batch=pick(1, 2, 5),
        channels=pick(1, 3, 16, 20, 33),
        height=pick(3, 5, 8, 11),
        width=pick(3, 4, 7, 10),
        features=pick(1, 16, 24),
        kernel=(pick(1, 2, 3), pick(1, 3, 4)),
        stride=pick(1, 1, 2, 3),
        dilation=pick(1, 1, 2),
        pads=(pick(0, 1, 2), pick(0, 1, 3), pick(0, 1), pick(0, 2)),
        bias=data.draw(st.booleans()),
        tail=data.draw(st.sampled_from([CLAMP, HALF_UP, None])),
    )
    assume(min(layer.result) > 0)
    run_against_numpy(layer.text(), data.draw(st.sampled_from([None, SMALL_BLOCK])))
