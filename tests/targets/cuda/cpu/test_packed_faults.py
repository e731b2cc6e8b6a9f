"""What can go wrong in texts of packed convolutions: planted in them, and found."""

from __future__ import annotations

from functools import cache

import pytest
from nhwc_programs import Convolution
from packed_convolutions import PackedConvolution
from planted_faults import WRONG, fault_of, planted

import vtac
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling, wgmma_schedule

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
CASE = PackedConvolution(Convolution.of(64, (5, 4), (3, 3), padding=1, channels=64, features=64))
"""A block is one pixel of all 64 images, in four tiles; a step one tap of all channels, in four more."""
SCHEDULES = {"wgmma": wgmma_schedule, "boxes": tma_schedule}


@cache
def program(way: str) -> CudaProgram:
    text = CASE.text()
    script = SCHEDULES[way](text, "sm_90a", group_tiling(1, 64, 2, 128, 3))
    made = vtac.compile(text, "cuda", "sm_90a", schedule=script)
    assert isinstance(made, CudaProgram)
    return made


IMAGES = r"(tma_load_5d\(y_a_address \+ 2 \* \(i_minor \* 4096 \+ 1024\), x_map, )0, 16, "
FAULTS = {
    "a box of the channels before": ("boxes", IMAGES, r"\g<1>0, 0, ", WRONG),
    "a box of a later image": ("boxes", IMAGES, r"\g<1>0, 17, ", WRONG),
    "channels and images change places": ("boxes", IMAGES, r"\g<1>16, 0, ", WRONG),
    "a tile of channels goes where the next one does": (
        "boxes",
        r"y_a_address \+ 2 \* \(i_minor \* 4096 \+ 1024\)",
        "y_a_address + 2 * (i_minor * 4096 + 2048)",
        "race",
    ),
    "another column of pixels": ("boxes", r"block_minor\s+\+ i_minor\s+- 1", "block_minor + i_minor", WRONG),
    "rows and columns of pixels change places": (
        "boxes",
        r"(x_map, 0, 0, )(block_minor \+ i_minor - 1), (block_major\s+\+ i_major - 1)",
        r"\1\3, \2",
        WRONG,
    ),
    "another tap of the kernel": ("boxes", r"(w_map, 0, 16, 0, )i_minor, i_major", r"\1i_major, i_minor", WRONG),
    "features of the tile before": ("boxes", r"w_map, 0, 16, 0, ", "w_map, 0, 0, 0, ", WRONG),
    "channels of a kernel a tile late": ("boxes", r"w_map, 0, 16, 0, ", "w_map, 0, 16, 1, ", WRONG),
    "a is swizzled more widely": ("boxes", r"16, 256, 3\)", "16, 256, 2)", "descriptor"),
    "a begins in the images of another tile": (
        "boxes",
        r"slice_1 \* 1024\), 16",
        "slice_1 * 1024 + 128), 16",
        "out-of-bounds",
    ),
    "panels of b lie closer": ("boxes", r"2048, 256, 3\)", "1024, 256, 3)", WRONG),
    "a pixel in the padding is read": (
        "wgmma",
        r"block \* 64 / 256 >= 1 && block % 4 >= 1(.*?)block_major_1 >= 1 && block % 4 >= 1\)",
        r"true\1true)",
        "out-of-bounds",
    ),
    "a column in the padding is read": (
        "wgmma",
        r"block_minor \+ copy_tap >= 1(.*?)block_minor \+ copy_tap >= 1",
        r"block_minor + copy_tap >= 0\1block_minor + copy_tap >= 0",
        "out-of-bounds",
    ),
    "images of a tile lie a pixel apart": ("wgmma", r"(x_from_1\]\s+)\+ piece \* 20480", r"\1+ piece * 1024", WRONG),
    "channels of a tile lie an image apart": ("wgmma", r"lane % 8 \* 8 / 16 \* 256", "lane % 8 * 8 / 16 * 16", WRONG),
    "results of the next tile of images": ("wgmma", r"y_to = warp \* 20480", "y_to = (warp + 1) % 4 * 20480", WRONG),
    "results of a tile of features side by side": ("wgmma", r"i / 2 \* 256 \+ i % 2 \* 8\]", "i * 8]", "race"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_planted_faults_are_found(name: str) -> None:
    way, old, new, kind = FAULTS[name]
    assert fault_of(program(way), planted(program(way).text, old, new), CASE.arrays(), CASE.wanted()) == kind


@pytest.mark.parametrize("way", SCHEDULES)
def test_without_a_fault_nothing_is_found(way: str) -> None:
    assert fault_of(program(way), program(way).text, CASE.arrays(), CASE.wanted()) == ""
