"""What the pages say that a compiler makes of kernels is what it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

import pytest
from page_blocks import ROOT

import vtac
from vtac.dialects.gpu_hardware import GpuArchitecture, gpu_architecture
from vtac.targets.cuda.gpu.compile import CompiledKernel, compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.launch import LaunchRecord
from vtac.workloads.attention import Attention
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_fast import choose_tiling, fast_schedule
from vtac.workloads.wmma_matmul import WmmaMatmul

NVRTC = "NVRTC 13.5"
"""The compiler that the tables name."""
ARCHITECTURES = ("sm_75", "sm_80", "sm_89", "sm_90", "sm_100", "sm_120")
CONVOLUTION, PRODUCT = WmmaConv2D(256, 14, 14, 256, 512, 3, 1, 1), WmmaMatmul(8192, 8192, 8192)
pytestmark = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))


KERNELS: Mapping[str, tuple[WmmaConv2D | WmmaMatmul, Callable[[GpuArchitecture], vtac.Schedule]]] = MappingProxyType(
    {
        "convolution, seed": (CONVOLUTION, lambda _: CONVOLUTION.seed_schedule()),
        "convolution, fast": (CONVOLUTION, lambda one: fast_schedule(CONVOLUTION, choose_tiling(CONVOLUTION, one))),
        "product 8192 cubed, seed": (PRODUCT, lambda _: PRODUCT.schedule()),
        "product 8192 cubed, fast": (PRODUCT, lambda one: PRODUCT.schedule(PRODUCT.fast_tiling(one))),
    }
)


@cache
def rows(page: str, first: str) -> Mapping[str, list[str]]:
    """The rows of the table of a page whose heads end with all architectures, those that go on with its first cell."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in (ROOT / "docs" / page).read_text().partition(first)[2].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) >= 7 and not set(line) <= set("|- "):
            name = cells[0] or name
            found[" ".join([name, *cells[1:-6]]).strip()] = cells[-6:]
        elif found and not line.startswith("|"):
            break
    return found


def made(text: str, launch: LaunchRecord, architecture: str) -> tuple[CompiledKernel, int]:
    """The compiled kernel, and its bytes of shared memory."""
    found = compile_kernel(text, launch.kernel, architecture)
    if found.compiler != NVRTC:
        pytest.skip(f"the page is of {NVRTC}; {found.compiler} is here")
    return found, found.static_shared_bytes + launch.shared_bytes


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", KERNELS)
def test_products_and_convolutions(name: str, architecture: str) -> None:
    layer, schedule = KERNELS[name]
    program = vtac.compile(layer.text(), "cuda", architecture, schedule(gpu_architecture(architecture)))
    assert isinstance(program, vtac.CudaProgram)
    kernel, shared = made(program.text, program.launch, architecture)
    table, column = rows("tensor-cores.md", "## Registers and shared memory"), ARCHITECTURES.index(architecture)
    said = [table[f"{name} {what}"][column] for what in ("registers", "shared bytes", "blocks")]
    assert said == [str(kernel.registers), f"{shared:,}", str(kernel.resident_blocks(program.launch))]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("features", [64, 128])
def test_attention(features: int, architecture: str) -> None:
    program = vtac.compile(Attention(2, 512, 512, features, features).text(), "cuda", architecture)
    assert isinstance(program, vtac.CudaNetwork)
    launch = program.plan.kernels[0]
    kernel, shared = made(program.text, launch, architecture)
    table = rows("cuda-programs.md", "registers, shared bytes and blocks per multiprocessor")
    said = table[str(features)][ARCHITECTURES.index(architecture)]
    assert said == f"{kernel.registers}, {shared:,}, {kernel.resident_blocks(launch)}"
