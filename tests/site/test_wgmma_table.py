"""What the page on the wgmma dialect says of machine code is what the compiler makes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest
from contraction_programs import convolution
from mma_programs import product
from page_tables import machine_code, table
from wgmma_programs import cut

from vtac.targets.cuda.gpu.toolkit import disassembler_unavailable_reason
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.wgmma_products import group_tiling, wgmma_schedule
from vtac.workloads.wmma_conv2d import WmmaConv2D

PAGE, HEADS = "wgmma-dialect.md", "| | block | HGMMA | LDGSTS |"
SIZES = (4096, 4096, 4096)
HALVES = group_tiling(2, 256, 2, group=8)
KERNELS: Mapping[str, tuple[str, ProductTiling]] = MappingProxyType(
    {
        "f16": (product(SIZES).text, HALVES),
        "f16; bias, residual, relu, cast in registers": (product(SIZES, tail=True).text, HALVES),
        "f16, b transposed": (product(SIZES, transposed=True).text, group_tiling(3, 192, 2, group=8)),
        "s8, b transposed": (product(SIZES, "i8", transposed=True).text, group_tiling(2, 256, 1, group=8)),
        "tf32, b transposed": (cut(product(SIZES, "f32", transposed=True)).text, group_tiling(2, 256, 4, group=8)),
        "convolution of f16 in NHWC, with its padding": (
            convolution("nhwc_hwcf", (256, 256, 14, 14), 512, (3, 3), pad=1).text(),
            HALVES,
        ),
        "convolution of f16 in NHWCnc, with its padding": (WmmaConv2D().text(), HALVES),
    }
)


@pytest.mark.skipif(disassembler_unavailable_reason() is not None, reason=str(disassembler_unavailable_reason()))
@pytest.mark.parametrize("name", KERNELS)
def test_a_row_of_the_table(name: str) -> None:
    text, tiling = KERNELS[name]
    found = machine_code(text, "sm_90a", wgmma_schedule(text, None, tiling))
    kernel, loop = found.compiled, found.loop
    counts = (loop.tensor_operations, loop.asynchronous_copies, sum(number for _, number in loop.counts))
    numbers = (*counts, kernel.registers, kernel.spill_load_bytes + kernel.spill_store_bytes)
    block = str(tiling).partition(" in ")[0]
    assert table(PAGE, HEADS)[name] == (block, *map(str, numbers), "yes" if kernel.serialised else "no")


def test_the_table_has_these_kernels() -> None:
    assert set(table(PAGE, HEADS)) == set(KERNELS)
