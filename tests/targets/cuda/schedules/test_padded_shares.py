"""How many steps blocks take on average, by the taps in the padding, and which tilings are chosen for it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from contraction_programs import convolution, matmul
from nhwc_programs import Convolution
from packed_convolutions import PackedConvolution

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.wmma.declared import Instructions
from vtac.targets.cuda.schedules.defaults import product_tiling
from vtac.targets.cuda.schedules.measured import read_measurements
from vtac.targets.cuda.schedules.padded_shares import ALL_TAPS, Taps
from vtac.targets.cuda.schedules.roof import estimate
from vtac.targets.cuda.schedules.tiling import ProductSize
from vtac.targets.cuda.schedules.wgmma_products import group_tiling
from vtac.workloads.wmma_conv2d import WmmaConv2D

RECORD = gpu_architecture("sm_90a")
PLAIN = Convolution.of(64, (5, 4), (3, 3), padding=1, channels=64, features=64)


def size_of(text: str, instructions: Instructions = "wgmma") -> ProductSize:
    return product_tiling(vtac.parse(text), RECORD, instructions=instructions)[0]


PACKED = {
    "3 x 3": (PLAIN, Taps(64, 64, 130, 180)),
    "stride 2": (
        Convolution.of(64, (7, 6), (3, 3), padding=1, stride=2, channels=64, features=64),
        Taps(64, 64, 80, 108),
    ),
    "padding before it alone": (
        replace(PLAIN, window=(3, 1), low=(2, 0), high=(0, 0)),
        Taps(4 * 64, 64, 1 + 2 + 3 + 3 + 3, 15),
    ),
    "no padding": (replace(PLAIN, low=(0, 0), high=(0, 0)), ALL_TAPS),
}


@pytest.mark.parametrize(("plain", "taps"), PACKED.values(), ids=PACKED.keys())
def test_taps_of_packed_images_are_counted(plain: Convolution, taps: Taps) -> None:
    assert size_of(PackedConvolution(plain).text()).taps == taps


@pytest.mark.parametrize("instructions", ["wmma", "mma.sync", "wgmma", "tma"])
def test_whatever_the_instructions(instructions: Instructions) -> None:
    assert size_of(WmmaConv2D().text(), instructions).taps == Taps(256, 256, 1600, 1764)


def test_pixels_side_by_side_have_no_share() -> None:
    """A block has several pixels of plain images, of which some multiply each tap; products have no taps."""
    plain = convolution("nhwc_hwcf", (2, 16, 8, 8), 32, (3, 3), pad=1).text()
    assert size_of(plain, "mma.sync").taps == size_of(matmul(64, 64, 64).text()).taps == ALL_TAPS


def test_blocks_of_one_pixel_take_a_share_of_the_steps() -> None:
    size = size_of(WmmaConv2D().text())
    narrow, wide = group_tiling(2, 256, 2, 128, 4), group_tiling(3, 192, 2, 128, 4)
    assert size.steps(narrow) == pytest.approx(36 * 1600 / 1764)
    assert size.steps(wide) == 36
    every = replace(size, taps=ALL_TAPS)
    assert estimate(narrow, size, RECORD).cycles < 0.93 * estimate(narrow, every, RECORD).cycles
    assert estimate(wide, size, RECORD) == estimate(wide, every, RECORD)


def test_steps_of_several_taps_are_all_taken() -> None:
    size = size_of(PackedConvolution(replace(PLAIN, channels=32)).text())
    assert size.taps.depth == 32
    assert size.steps(group_tiling(1, 32, 2, 128, 3)) == 9 * 32 // 64 + 1
    assert size.steps(group_tiling(1, 32, 2, 64, 3)) == pytest.approx(9 * 130 / 180)


def test_measurements_are_found_with_and_without_taps(tmp_path: Path) -> None:
    """Files that were written before estimates knew of taps say the same."""
    size = size_of(WmmaConv2D().text())
    tiling = group_tiling(2, 128, 2, 128, 4)
    row = {"is_right": True, "median": 1.0, "device": "H200", "architecture": "sm_90a", "tiling": asdict(tiling)}
    older = {name: value for name, value in asdict(size).items() if name != "taps"}
    for product in (asdict(size), older):
        path = tmp_path / "measured.jsonl"
        path.write_text(json.dumps({**row, "product": product}) + "\n")
        assert read_measurements(path).fastest([size], RECORD) == tiling
