"""What the page on the mma dialect says of main loops is what the compiler makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest
from contraction_programs import convolution
from mma_kernels import banks_of, lowered
from mma_programs import product
from page_blocks import ROOT

import vtac
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.sass import count_main_loop, disassemble
from vtac.targets.cuda.gpu.toolkit import disassembler_unavailable_reason
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.workloads.mma_conv2d import mma_conv_schedule
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_fast import FastTiling

pytestmark = pytest.mark.skipif(
    disassembler_unavailable_reason() is not None, reason=str(disassembler_unavailable_reason())
)
NVRTC = "NVRTC 13.5"
"""The compiler that the table names."""
SIZES = (4096, 4096, 4096)
HALVES = ProductTiling((16, 8, 16), 4, 8, 4, 2, 4, 3, 8)
FLOATS = ProductTiling((16, 8, 8), 4, 8, 4, 2, 4, 3, 8)
PACKED = WmmaConv2D()


def cut(text: str) -> str:
    """A product of floats whose rounding to tf32 is left to the hardware."""
    return text.replace("wmma.allow_tf32", "wmma.allow_tf32, wmma.cut_tf32", 1)


KERNELS: Mapping[str, tuple[str, ProductTiling | FastTiling]] = MappingProxyType(
    {
        "f16": (product(SIZES).text, HALVES),
        "f16; bias, residual, relu, cast in registers": (product(SIZES, tail=True).text, HALVES),
        "convolution of f16, packed, taps in the padding not taken": (PACKED.text(), FastTiling(chunk=4, stages=3)),
        "f16, 4090 x 4080 x 4072": (product((4090, 4080, 4072)).text, HALVES),
        "s8, b transposed": (
            product(SIZES, "i8", transposed=True).text,
            ProductTiling((16, 8, 32), 4, 8, 4, 2, 4, 3, 8),
        ),
        "s8, b by rows, its bytes sorted": (product(SIZES, "i8").text, ProductTiling((16, 8, 32), 8, 4, 2, 4, 4, 3, 8)),
        "tf32, b transposed, with its rounding": (product(SIZES, "f32", transposed=True).text, FLOATS),
        "tf32, b transposed, cut": (cut(product(SIZES, "f32", transposed=True).text), FLOATS),
        "tf32, b by rows, cut": (cut(product(SIZES, "f32").text), FLOATS),
        "convolution of f16 in NHWC, with its padding": (
            convolution("nhwc_hwcf", (256, 256, 14, 14), 512, (3, 3), pad=1).text(),
            HALVES,
        ),
    }
)


def rows() -> list[list[str]]:
    """The rows of the page's table of main loops that are compiled here."""
    text = (ROOT / "docs" / "mma-dialect.md").read_text().partition("| | architecture | tensor |")[2]
    table = text[: text.index("\n\n")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return [row for row in cells if row[0] in KERNELS]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_row_of_the_table(row: list[str]) -> None:
    name, architecture, *said = row
    text, tiling = KERNELS[name]
    packed = isinstance(tiling, FastTiling)
    script = mma_conv_schedule(PACKED, tiling) if packed else mma_schedule(text, None, tiling)
    turns = max(access.turns for access in banks_of(lowered(text, str(script))))
    program = vtac.compile(text, "cuda", architecture, schedule=script)
    assert isinstance(program, vtac.CudaProgram)
    compiled = compile_kernel(program.text, program.launch.kernel, architecture)
    if compiled.compiler != NVRTC:
        pytest.skip(f"the page is of {NVRTC}; {compiled.compiler} is here")
    loop = count_main_loop(disassemble(compiled))
    counts = (loop.tensor_operations, loop.fragment_loads, loop.asynchronous_copies, sum(n for _, n in loop.counts))
    others = f"{loop.others_per_tensor_operation:.2f}"
    assert said == [*map(str, counts), others, str(compiled.registers), str(int(compiled.spills)), str(turns)]


def test_all_kernels_are_in_the_table() -> None:
    assert {row[0] for row in rows()} == set(KERNELS)
