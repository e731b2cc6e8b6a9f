"""Which instructions a product is scheduled for, WMMA's or mma.sync, and its tiling in their space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtac.dialects.mma.layouts import FIRST_CAPABILITY
from vtac.errors import ScheduleError
from vtac.targets.cuda.schedules.mma_products import MmaProductScheduler
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.roof import choose_tiling, estimate
from vtac.targets.cuda.schedules.tiling import on_lanes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vtac.dialects.gpu_hardware import GpuArchitecture
    from vtac.dialects.wmma.declared import Instructions
    from vtac.targets.cuda.schedules.measured import Measurements
    from vtac.targets.cuda.schedules.shape import ProductShape
    from vtac.targets.cuda.schedules.tiling import ProductTiling


def choose(
    shape: ProductShape,
    element_bytes: int,
    architecture: GpuArchitecture | None,
    instructions: Instructions,
    place: int = 0,
    measured: Measurements | None = None,
) -> tuple[ProductShape, ProductTiling]:
    """The shape as its instructions take it, and its tiling: `place` counts from that of least estimated time.

    What was measured goes first, of whichever instructions. `estimated` takes those of the shorter estimate. Raises
    `ScheduleError` for mma.sync on an architecture without it.
    """
    both = [shape, shape.for_lanes(element_bytes)]
    sizes = [one.size(element_bytes) for one in both]
    fastest = None if measured is None or place else measured.fastest(sizes, architecture)
    if fastest is not None:
        return both[on_lanes(fastest.fragment)], fastest
    allowed = _allowed(both, architecture, instructions)
    found = [(one, choose_tiling(one.size(element_bytes), architecture, place)) for one in allowed]
    return min(found, key=lambda one: estimate(one[1], one[0].size(element_bytes), architecture).cycles)


def _allowed(
    both: Sequence[ProductShape], architecture: GpuArchitecture | None, instructions: Instructions
) -> Sequence[ProductShape]:
    """The shapes that compete: of WMMA, of mma.sync, or of both where the architecture is known to have these."""
    has = architecture is not None and architecture.compute_capability >= FIRST_CAPABILITY
    if instructions == "mma.sync":
        if architecture is not None and not has:
            raise ScheduleError(
                f"{architecture.name} has no mma.sync of 32 bytes of k, which `wmma.instructions` asks for; sm_80 and "
                "later have"
            )
        return both[1:]
    return both if instructions == "estimated" and has else both[:1]


def scheduler_of(tiling: ProductTiling) -> type[ProductScheduler]:
    """What makes the schedule of a tiling."""
    return MmaProductScheduler if on_lanes(tiling.fragment) else ProductScheduler
