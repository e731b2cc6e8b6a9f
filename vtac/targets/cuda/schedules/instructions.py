"""Which instructions a product is scheduled for, WMMA's, mma.sync or wgmma, and its tiling in their space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtac.dialects.mma.layouts import FIRST_CAPABILITY
from vtac.errors import ScheduleError
from vtac.targets.cuda.schedules.mma_products import MmaProductScheduler
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.roof import choose_tiling, estimate
from vtac.targets.cuda.schedules.tiling import on_groups, on_lanes, tilings
from vtac.targets.cuda.schedules.wgmma_products import WgmmaProductScheduler

_FLOAT_BYTES = 4

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

    What was measured goes first, of whichever instructions. `estimated` takes those of the shortest estimate; wgmma is
    not among them for floats, which it cuts to tf32 where the others round. Raises `ScheduleError` for instructions
    that the architecture does not have, or that have no tiling for the product.
    """
    every = [shape, shape.for_lanes(element_bytes), shape.for_groups(element_bytes)]
    sizes = [one.size(element_bytes) for one in every]
    fastest = None if measured is None or place else measured.fastest(sizes, architecture)
    if fastest is not None:
        return every[_space(fastest.fragment)], fastest
    allowed = _allowed(every, element_bytes, architecture, instructions)
    found = [(one, choose_tiling(one.size(element_bytes), architecture, place)) for one in allowed]
    return min(found, key=lambda one: estimate(one[1], one[0].size(element_bytes), architecture).cycles)


def _space(fragment: tuple[int, int, int]) -> int:
    """Which of the spaces a tiling is from."""
    return 2 if on_groups(fragment) else int(on_lanes(fragment))


def _allowed(
    every: Sequence[ProductShape], element_bytes: int, architecture: GpuArchitecture | None, instructions: Instructions
) -> Sequence[ProductShape]:
    """The shapes that compete: of WMMA, mma.sync, wgmma, or of all that the architecture is known to have."""
    has = architecture is not None and architecture.compute_capability >= FIRST_CAPABILITY
    if instructions == "mma.sync":
        if architecture is not None and not has:
            raise ScheduleError(
                f"{architecture.name} has no mma.sync of 32 bytes of k, which `wmma.instructions` asks for; sm_80 and "
                "later have"
            )
        return every[1:2]
    groups = [one for one in every[2:] if any(True for _ in tilings(one.size(element_bytes), architecture))]
    if instructions == "wgmma":
        _require_groups(groups, every[0], architecture)
        return groups
    if instructions != "estimated" or not has:
        return every[:1]
    return [*every[:2], *(groups if architecture is not None and element_bytes < _FLOAT_BYTES else ())]


def _require_groups(groups: Sequence[ProductShape], shape: ProductShape, architecture: GpuArchitecture | None) -> None:
    if architecture is None or not architecture.warpgroup_products:
        name = "no architecture" if architecture is None else architecture.name
        raise ScheduleError(
            f"`wmma.instructions` asks for wgmma, and the program is for {name}; sm_90a has it, and no other"
        )
    if not groups:
        m, n, k = shape.sizes
        raise ScheduleError(
            f"no tiling of wgmma is for a product of {m} x {n} x {k}: blocks of 64 rows and 16 columns or more, and "
            "steps of 32 bytes of k or more, go no further beyond it than to whole tiles; use mma.sync"
        )


def scheduler_of(tiling: ProductTiling) -> type[ProductScheduler]:
    """What makes the schedule of a tiling."""
    kinds: tuple[type[ProductScheduler], ...] = (ProductScheduler, MmaProductScheduler, WgmmaProductScheduler)
    return kinds[_space(tiling.fragment)]


def name_of(tiling: ProductTiling) -> str:
    """A tiling in words, with its instructions where they are not WMMA's."""
    return f"{('', 'mma.sync, ', 'wgmma, ')[_space(tiling.fragment)]}{tiling}"
