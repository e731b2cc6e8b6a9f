"""What the page on the tma dialect says of machine code is what the compiler makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest
from contraction_programs import convolution
from mma_programs import product
from page_tables import machine_code, table

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.targets.cuda.gpu.toolkit import disassembler_unavailable_reason
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_matmul import WmmaMatmul

PAGE = "tma-dialect.md"
LOOPS, RESULTS = "| | architecture | tile | tensor |", "| | architecture | tile | stages |"
needs_disassembler = pytest.mark.skipif(
    disassembler_unavailable_reason() is not None, reason=str(disassembler_unavailable_reason())
)
LANES, GROUPS = ProductTiling((16, 8, 16), 4, 8, 4, 2, 4, 4, 8), group_tiling(2, 256, 2, group=8)
SORTING = ProductTiling((16, 8, 32), 4, 8, 2, 2, 4, 4, 8)
PRODUCT, BYTES = WmmaMatmul(4096, 4096, 4096).text(), product((4096, 4096, 4096), "i8").text
FINISHED = product((4096, 4096, 4096), tail=True).text
IMAGES = convolution("nhwc_hwcf", (256, 256, 14, 14), 512, (3, 3), pad=1).text()
PACKED = WmmaConv2D().text()


@dataclass(frozen=True)
class Kernel:
    """A program with a tiling of its product, and what is asked of its schedule beside."""

    text: str
    architecture: str
    tiling: ProductTiling
    roles: bool = False
    stores: bool = False

    @property
    def named(self) -> tuple[str, str]:
        """The cells of a row that say what it is of."""
        return self.architecture, str(self.tiling).partition(" in ")[0]

    def schedule(self) -> vtac.Schedule:
        record = gpu_architecture(self.architecture)
        return tma_schedule(self.text, record, self.tiling, specialize=self.roles, stores=self.stores)


KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {
        "`mma.sync`": Kernel(PRODUCT, "sm_90", LANES),
        "`mma.sync`, roles": Kernel(PRODUCT, "sm_90", replace(LANES, row_warps=2), roles=True),
        "`wgmma`": Kernel(PRODUCT, "sm_90a", GROUPS),
        "`wgmma`, roles": Kernel(PRODUCT, "sm_90a", GROUPS, roles=True),
        "`mma.sync`, s8, b by rows": Kernel(
            BYTES, "sm_90", replace(SORTING, row_tiles=8, column_tiles=4, column_warps=4)
        ),
        "`mma.sync`, roles, s8, b by rows": Kernel(BYTES, "sm_90", SORTING, roles=True),
        "`mma.sync`, convolution in NHWC": Kernel(IMAGES, "sm_90", LANES),
        "`wgmma`, convolution in NHWC": Kernel(IMAGES, "sm_90a", group_tiling(3, 256, 2, group=8)),
        "`wgmma`, roles, convolution in NHWC": Kernel(IMAGES, "sm_90a", GROUPS, roles=True),
        "`mma.sync`, convolution in NHWCnc": Kernel(PACKED, "sm_90", LANES),
        "`wgmma`, convolution in NHWCnc": Kernel(PACKED, "sm_90a", GROUPS),
        "`wgmma`, roles, convolution in NHWCnc": Kernel(PACKED, "sm_90a", GROUPS, roles=True),
    }
)
STORING: Mapping[str, Kernel] = MappingProxyType(
    {
        "`mma.sync`": Kernel(FINISHED, "sm_90", LANES),
        "`mma.sync`, boxes": Kernel(FINISHED, "sm_90", LANES, stores=True),
        "`wgmma`, roles": Kernel(FINISHED, "sm_90a", GROUPS, roles=True),
        "`wgmma`, roles, boxes": Kernel(FINISHED, "sm_90a", GROUPS, roles=True, stores=True),
    }
)


@needs_disassembler
@pytest.mark.parametrize("name", KERNELS)
def test_main_loops(name: str) -> None:
    kernel = KERNELS[name]
    found = machine_code(kernel.text, kernel.architecture, kernel.schedule())
    assert not found.compiled.spills
    assert found.compiled.serialised == ""
    numbers = (found.loop.tensor_operations, f"{found.loop.others_per_tensor_operation:.2f}", found.compiled.registers)
    assert table(PAGE, LOOPS)[name] == (*kernel.named, *map(str, numbers))


@needs_disassembler
@pytest.mark.parametrize("name", STORING)
def test_results(name: str) -> None:
    kernel = STORING[name]
    script = kernel.schedule()
    found = machine_code(kernel.text, kernel.architecture, script)
    assert not found.compiled.spills
    assert found.compiled.serialised == ""
    stores = [found.whole.count(opcode) for opcode in ("STG", "STSM", "UTMASTG")]
    numbers = (*stores, sum(number for _, number in found.whole.counts), found.compiled.registers, found.shared_bytes)
    architecture, tile, stages, *said = table(PAGE, RESULTS)[name]
    assert (architecture, tile) == kernel.named
    assert said == [f"{number:,}" for number in numbers]
    assert f", {stages} stages" in str(script.name)


def test_the_tables_have_these_kernels() -> None:
    assert set(table(PAGE, LOOPS)) == set(KERNELS)
    assert set(table(PAGE, RESULTS)) == set(STORING)
