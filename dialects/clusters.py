"""Thread-block clusters: blocks of the grid, neighbours, that run at once and see each other's shared memory.

Plain Python. The figures are those of the CUDA programming guide: clusters from compute capability 9.0 on, of up to
eight blocks on every architecture that has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

from vtac.dialects.gpu_hardware import GpuArchitecture

FIRST_WITH_CLUSTERS = (9, 0)
"""The first compute capability whose blocks form clusters."""
MOST_CLUSTER = 8
"""The most blocks of a cluster that every architecture with clusters has; more are not portable."""
_CHEAP = (9, 10, 11)
"""Of compute capabilities, the first numbers of those for which PTX does not call multicast slow."""
Extents = tuple[int, int, int]


def shares_cheaply(architecture: GpuArchitecture) -> bool:
    """Whether a box that a cluster has in common costs less than one for each block.

    PTX: `.multicast::cluster` is optimized for sm_90a, sm_100a and their kin, and may be much slower elsewhere.
    """
    return architecture.name.endswith("a") and architecture.compute_capability[0] in _CHEAP


def whole_clusters(grid: Extents, cluster: Extents, blocks: Sequence[int]) -> tuple[int, ...]:
    """The linear numbers, x fastest, of all blocks of the clusters that some blocks are in, those of one by rank."""
    firsts = dict.fromkeys(_first(number, grid, cluster) for number in blocks)
    ranks = [(x, y, z) for z, y, x in product(*(range(extent) for extent in reversed(cluster)))]
    return tuple(
        first[0] + x + grid[0] * (first[1] + y + grid[1] * (first[2] + z)) for first in firsts for x, y, z in ranks
    )


def _first(number: int, grid: Extents, cluster: Extents) -> Extents:
    """The place in the grid where the cluster of a block begins."""
    place = (number // prod(grid[:axis]) % grid[axis] for axis in range(3))
    x, y, z = (at // extent * extent for at, extent in zip(place, cluster, strict=True))
    return x, y, z
