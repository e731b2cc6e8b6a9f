"""Clusters of convolutions whose pixels come by maps for im2col: blocks share the kernel's boxes, whatever the tile."""

from __future__ import annotations

import numpy as np
import pytest
from nhwc_programs import Convolution

import vtac
from vtac.errors import ScheduleError
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
TALL, TALL_GROUPS = ProductTiling((16, 8, 16), 2, 2, 2, 2, 4, 3), group_tiling(1, 32, 2, 64, 2)
PIXELS = Convolution.of(3, (7, 7), (3, 3), padding=1, channels=64)
"""Tiles of 64 x 32 and more: the part of a is the larger one, and each block asks for its own pixels."""


@needs_cpu
@pytest.mark.parametrize(
    ("architecture", "tiling", "specialize", "cluster"),
    [("sm_90", TALL, False, 2), ("sm_90", TALL, True, 4), ("sm_90a", TALL_GROUPS, True, 2), ("sm_90", None, None, 2)],
    ids=["mma.sync", "roles", "wgmma", "chosen"],
)
def test_blocks_along_rows_share_the_kernel(
    architecture: str, tiling: ProductTiling | None, specialize: bool | None, cluster: int
) -> None:
    schedule = tma_schedule(PIXELS.text(), architecture, tiling, specialize=specialize, cluster=cluster)
    program = vtac.compile(PIXELS.text(), "cuda", architecture, schedule=schedule)
    assert isinstance(program, CudaProgram)
    assert program.launch.cluster == (cluster, 1, 1)
    assert "im2col" in program.text and "_multicast(" in program.text
    arrays = PIXELS.arrays()
    np.testing.assert_array_equal(program(*arrays), PIXELS.wanted(arrays))


def test_clusters_of_other_sizes_are_refused_as_before() -> None:
    with pytest.raises(ScheduleError, match="clusters of 9 blocks; 1, which is none, to 8 are possible"):
        tma_schedule(PIXELS.text(), "sm_90", TALL, cluster=9)
