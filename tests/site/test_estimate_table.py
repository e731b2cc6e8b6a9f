"""The table of estimates of a page is what the roofs say of the best tilings of every kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest
from contraction_programs import convolution
from mma_programs import product
from page_blocks import ROOT

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.wmma.declared import ALLOW_TF32, CUT_TF32, Instructions
from vtac.errors import ScheduleError
from vtac.targets.cuda.schedules.defaults import product_tiling
from vtac.targets.cuda.schedules.roof import estimate

COLUMNS: tuple[tuple[str, Instructions], ...] = (
    ("sm_80", "wmma"),
    ("sm_80", "mma.sync"),
    ("sm_90a", "wmma"),
    ("sm_90a", "mma.sync"),
    ("sm_90a", "wgmma"),
    ("sm_90a", "tma"),
    ("sm_120", "wmma"),
    ("sm_120", "mma.sync"),
    ("sm_120", "tma"),
)
LAYERS: Mapping[str, str] = {
    "f16, 4096 cubed": product((4096, 4096, 4096)).text,
    "f16, 8192 cubed": product((8192, 8192, 8192)).text,
    "s8, b transposed, 8192 cubed": product((8192, 8192, 8192), "i8", transposed=True).text,
    "tf32, b transposed, 4096 cubed": product((4096, 4096, 4096), "f32", transposed=True).text,
    "f16, 4096 x 4001 x 4096, b transposed": product((4096, 4001, 4096), transposed=True).text,
    "f16, 4096 x 4096 x 4001": product((4096, 4096, 4001)).text,
    "convolution in NHWC, 14 x 14": convolution("nhwc_hwcf", (256, 256, 14, 14), 512, (3, 3), pad=1).text(),
}
NONE = "-"


@cache
def table() -> Mapping[str, tuple[str, ...]]:
    """The rows of the page's table, by their first cell."""
    page = (ROOT / "docs" / "tensor-cores.md").read_text().partition("## Estimates")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    return {first: tuple(rest) for first, *rest in rows}


def estimated(text: str, architecture: str, instructions: Instructions) -> str:
    """Millions of cycles, and the roof that a step meets first."""
    record, module = gpu_architecture(architecture), vtac.parse(text)
    for choice in (ALLOW_TF32, CUT_TF32):
        choice.set(module, True)
    try:
        size, tiling = product_tiling(module, record, 0, instructions)
    except ScheduleError:
        return NONE
    found = estimate(tiling, size, record)
    return f"{found.cycles / 1e6:.2f} {found.bound}"


@pytest.mark.parametrize("name", LAYERS)
def test_estimates_are_those_of_the_page(name: str) -> None:
    found = tuple(estimated(LAYERS[name], *column) for column in COLUMNS)
    assert table()[name] == found, f"| {name} | {' | '.join(found)} |"
