"""Matrix multiplication for `mma.sync`: the program of any sizes as it is, nothing padded in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.workloads.wmma_matmul import WmmaMatmul

if TYPE_CHECKING:
    from vtac.dialects.gpu_hardware import GpuArchitecture
    from vtac.schedule import Schedule


@dataclass(frozen=True)
class MmaMatmul(WmmaMatmul):
    """c = a x b, with a m x k, b k x n; sizes count scalars. Tiles beyond them are the schedule's concern."""

    @property
    def fragment(self) -> tuple[int, int, int]:
        """What the program's sizes are multiples of."""
        return 1, 1, 1

    def lane_schedule(self, architecture: GpuArchitecture) -> Schedule:
        """That of least estimated time for the architecture; raises `ScheduleError` for those before sm_80."""
        return mma_schedule(self.text(), architecture)
