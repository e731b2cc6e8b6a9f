"""Which blocks of a launch run at once: those of a cluster."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from math import prod

from vtac.errors import KernelTextError
from vtac.targets.cuda.launch import Extent3, LaunchRecord

_DIMENSIONS = re.compile(r"__cluster_dims__\s*\(([\s\d,]*)\)")


def whole_clusters(launch: LaunchRecord, blocks: Sequence[int]) -> tuple[int, ...]:
    """The linear numbers of all blocks of the clusters that some blocks are in, those of a cluster by their rank."""
    if launch.cluster is None:
        return tuple(blocks)
    cluster, grid = launch.cluster, launch.grid
    firsts = dict.fromkeys(_first(number, grid, cluster) for number in blocks)
    ranks = [(x, y, z) for z, y, x in product(*(range(extent) for extent in reversed(cluster)))]
    return tuple(_linear((first[0] + x, first[1] + y, first[2] + z), grid) for first in firsts for x, y, z in ranks)


def _first(number: int, grid: Extent3, cluster: Extent3) -> Extent3:
    """The place in the grid where the cluster of a block begins."""
    place = (number // prod(grid[:axis]) % grid[axis] for axis in range(3))
    x, y, z = (at // extent * extent for at, extent in zip(place, cluster, strict=True))
    return x, y, z


def _linear(place: Extent3, grid: Extent3) -> int:
    return place[0] + grid[0] * (place[1] + grid[1] * place[2])


def check_cluster(text: str, launch: LaunchRecord, place: str) -> None:
    """The text and the launch record speak of the same clusters. Raises `KernelTextError` otherwise."""
    found = _DIMENSIONS.search(text)
    numbers = [int(word) for word in found[1].split(",")] if found is not None else []
    said = tuple([*numbers, 1, 1, 1][:3]) if numbers else None
    if said != launch.cluster:
        shown = [f"{list(one)}" if one is not None else "no clusters" for one in (said, launch.cluster)]
        raise KernelTextError(
            f"kernel `{launch.kernel}` has {shown[0]} by its __cluster_dims__, the launch record {shown[1]}: make both "
            "the same",
            place,
        )
