"""How long a product takes with a tiling, from the roofs of a chip: what schedules are ranked by.

An estimate in cycles: a multiprocessor's tensor pipe, shared memory, its part of the cache and its issue slots work
side by side, so the slowest counts; what they wait for, blocks that are there at the same time hide from each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from vtac.dialects.gpu_hardware import WARP_SIZE, GpuArchitecture, gpu_architecture, gpu_architectures
from vtac.dialects.gpu_roofs import SHARED_BYTES, KernelCosts, gpu_roof
from vtac.errors import ScheduleError
from vtac.targets.cuda.schedules.footprint import grouped, registers, used_bytes
from vtac.targets.cuda.schedules.product_clusters import clusters_of
from vtac.targets.cuda.schedules.tiling import (
    ProductSize,
    ProductTiling,
    in_registers,
    on_groups,
    on_lanes,
    tilings,
)

_PRECISION = 0.03
"""Of estimates that differ by this share or less, none is the better."""
_GROUP_INSTRUCTIONS = 4
"""Of one product of a warpgroup, with what makes its descriptors."""
_SORTED_REGISTERS = 2
"""Of a tile of bytes whose columns take turns: one instruction makes each of two."""
_PIPE_SHARE = {1: 0.5, 2: 1.0, 4: 2.0}
"""Time of a product of that element, in bytes, of that of f16."""


@dataclass(frozen=True)
class Estimate:
    """Cycles of one step of one block on each roof, of what is not hidden, and of everything."""

    tensor: float
    shared: float
    cache: float
    issue: float
    exposed: float
    resident: int
    cycles: float

    @property
    def bound(self) -> str:
        """The roof that a step meets first."""
        roofs = {"tensor": self.tensor, "shared": self.shared, "cache": self.cache, "issue": self.issue}
        return max(roofs, key=lambda name: roofs[name])


def choose_tiling(size: ProductSize, architecture: GpuArchitecture | None, place: int = 0) -> ProductTiling:
    """The tiling of least estimated time, or the one at another place in the ranking; the first of equals.

    Raises `ScheduleError` where fewer have room.
    """
    return _chosen(size, None if architecture is None else architecture.name, place)


def ranked(size: ProductSize, architecture: GpuArchitecture | None) -> tuple[ProductTiling, ...]:
    """All tilings, the best first, with blocks in groups of rows where they are more than run at a time."""
    return _ranked(size, None if architecture is None else architecture.name)


@lru_cache(maxsize=256)
def _chosen(size: ProductSize, name: str | None, place: int) -> ProductTiling:
    found = _ranked(size, name)
    if not 0 <= place < len(found):
        raise ScheduleError(
            f"a product of {size.element_bytes}-byte elements has {len(found)} tilings that fit a block; the one at "
            f"place {place} was asked for"
        )
    return found[place]


@lru_cache(maxsize=16)
def _ranked(size: ProductSize, name: str | None) -> tuple[ProductTiling, ...]:
    architecture = None if name is None else gpu_architecture(name)
    multiprocessors = gpu_roof(architecture).multiprocessors
    return tuple(grouped(tiling, size, multiprocessors) for _, tiling in ranking(size, architecture))


def ranking(size: ProductSize, architecture: GpuArchitecture | None) -> list[tuple[Estimate, ProductTiling]]:
    """All tilings with their estimates, the best first; those that copy whole vectors where there are any.

    Of those that no estimate tells apart, the first are those of the smallest clusters, and of these those that ask
    least of the cache for each product. Clusters are for the cache: there are some where a step waits for that.
    """
    every = list(tilings(size, architecture))
    if not every:
        return []
    wide = size.element_bytes > 1 or in_registers(size.fragment)
    vectors = [tiling for tiling in every if wide and not size.boxes and _copies_vectors(tiling, size)]
    found = [(estimate(tiling, size, architecture), tiling) for tiling in vectors or every]
    waiting = [tiling for guess, tiling in found if guess.bound == "cache"]
    clusters = (one for tiling in waiting for one in clusters_of(tiling, size, architecture))
    found.extend((estimate(tiling, size, architecture), tiling) for tiling in clusters)
    best = min(one.cycles for one, _ in found) or 1.0  # nothing to compute takes no time

    def order(one: tuple[Estimate, ProductTiling]) -> tuple[int, int, float, int]:
        guess, tiling = one
        behind = int((guess.cycles / best - 1) / _PRECISION)
        return behind, tiling.cluster, guess.cache / prod(tiling.block), round(guess.cycles)

    return sorted(found, key=order)


def _copies_vectors(tiling: ProductTiling, size: ProductSize) -> bool:
    parts = zip(tiling.block, size.lanes, strict=False)
    return all(tiling.lanes(part, lanes) == lanes for part, lanes in parts)


def estimate(tiling: ProductTiling, size: ProductSize, architecture: GpuArchitecture | None) -> Estimate:
    """Cycles of a product with a tiling."""
    roof, record = gpu_roof(architecture), architecture or gpu_architectures()["sm_80"]
    rows, columns, depth = tiling.block
    resident = record.resident_blocks(tiling.all_threads, registers(tiling, size), used_bytes(tiling, size, record))
    pipe = roof.group_operations if on_groups(tiling.fragment) else roof.tensor_operations
    tensor = 2 * rows * columns * depth * _PIPE_SHARE[size.element_bytes] / pipe
    cache = asked_bytes(tiling, size) / roof.l2_bytes
    shared, issue = _shared(tiling, size), _issue(tiling, size, record, roof.costs)
    step = max(tensor, shared, cache, issue)
    # Copies arrive as often as so many of them fit into the time that one takes.
    costs = roof.costs
    begins = costs.phase if tiling.producers or tiling.cluster > 1 else costs.barrier
    latency = costs.latency + (costs.remote if tiling.cluster > 1 else 0)
    exposed = begins + (max(0, latency / tiling.ahead - step) if tiling.stages > 1 else latency)
    warps = tiling.warps
    steps = size.steps(tiling)
    passing = 0 if in_registers(tiling.fragment) else 8 / SHARED_BYTES
    finish = costs.epilogue + rows * columns * (passing + 4 / costs.result_bytes)
    across = tiling.cluster_block
    blocks = size.products * -(-size.sizes[0] // across[0]) * -(-size.sizes[1] // across[1]) * tiling.cluster

    def together(count: int) -> float:
        slowed = step * (1 + costs.unhidden * max(0, costs.hiding_warps / (count * warps) - 1))
        return steps * (max(count * slowed, slowed + exposed) + costs.friction * exposed) + finish

    cycles = _rounds(blocks, roof.blocks_at_once(resident, tiling.cluster), resident, together)
    return Estimate(tensor, shared, cache, issue, exposed, resident, cycles)


def asked_bytes(tiling: ProductTiling, size: ProductSize) -> float:
    """Bytes that a block asks of the cache for a step: of what its cluster has in common, its part."""
    rows, columns, depth = tiling.block
    saved = (columns if tiling.shares_columns else rows) * (1 - 1 / tiling.cluster)
    return (rows + columns - saved) * depth * size.element_bytes


def _rounds(blocks: int, at_once: int, resident: int, together: Callable[[int], float]) -> float:
    """The time of all blocks, as many at a time as the chip holds, which are `resident` on a multiprocessor."""
    whole, rest = divmod(blocks, at_once)
    last = together(-(-rest * resident // at_once)) if rest else 0
    return whole * together(resident) + last


def _shared(tiling: ProductTiling, size: ProductSize) -> float:
    """Cycles of a step in shared memory: copies in, and every warp's fragments, or every group's matrices, out.

    Neither meets a bank twice: gpu-check-bank-conflicts says so of every schedule that is made of a tiling.
    """
    rows, columns, depth = tiling.block
    m, n, _ = tiling.fragment
    warps = tiling.row_warps * tiling.column_warps
    written = rows + columns
    read = warps * (m * tiling.row_tiles + n * tiling.column_tiles)
    return (written + read) * depth * size.element_bytes / SHARED_BYTES


def _issue(tiling: ProductTiling, size: ProductSize, record: GpuArchitecture, costs: KernelCosts) -> float:
    """Cycles of a step in which its instructions start; of boxes one warp asks."""
    warps = tiling.warps
    copies = costs.ask_instructions if tiling.boxes else _copies(tiling, size, costs)
    rows_loaded, columns_loaded, products = tiling.row_tiles, tiling.column_tiles, 2
    if on_lanes(tiling.fragment):
        columns_loaded, products = tiling.column_tiles // tiling.columns_loaded, 1
        if size.sorts:
            columns_loaded += _SORTED_REGISTERS * tiling.column_tiles
    fragments = rows_loaded + columns_loaded + products * tiling.row_tiles * tiling.column_tiles
    if on_groups(tiling.fragment):
        fragments = _GROUP_INSTRUCTIONS
    arrivals = costs.cluster_instructions if tiling.cluster > 1 else 0
    each = costs.step_instructions + arrivals + fragments * tiling.chunk
    return (copies + warps * each) / record.partitions_per_sm


def _copies(tiling: ProductTiling, size: ProductSize, costs: KernelCosts) -> float:
    """Instructions of a step's copies by all warps."""
    rows, columns, depth = tiling.block
    parts = [(part, tiling.lanes(part, most)) for part, most in zip((rows, columns), size.lanes, strict=True)]
    return sum(
        depth * part / lanes / WARP_SIZE * (costs.copy_instructions if lanes > 1 else costs.element_instructions)
        for part, lanes in parts
    )
