"""Clusters of a product's blocks: which there are in the space of tilings, and what their blocks have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vtac.dialects.clusters import shares_cheaply
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.targets.cuda.schedules.tiling import ProductSize, ProductTiling

_SIZES = (2, 4)
"""Blocks of a cluster; of more multiprocessors that see each other's memory, too many find no cluster."""


def clustered(tiling: ProductTiling, blocks: int, *, pixels: bool = False) -> ProductTiling:
    """A tiling in clusters of so many blocks, which share the larger of their parts of both operands.

    Rows that are `pixels`, and come by maps for im2col, are not shared: columns are then.
    """
    rows, columns, _ = tiling.block
    return replace(tiling, cluster=blocks, shares_columns=pixels or columns >= rows)


def alone(tiling: ProductTiling) -> ProductTiling:
    """A tiling without its clusters."""
    return replace(tiling, cluster=1, shares_columns=True)


def clusters_of(
    tiling: ProductTiling, size: ProductSize, architecture: GpuArchitecture | None
) -> Iterator[ProductTiling]:
    """A tiling of boxes in clusters along either axis, as far as the product has blocks there.

    None where an architecture has no clusters, or multicast is slow there.
    """
    if not tiling.boxes or architecture is None or not shares_cheaply(architecture):
        return
    for blocks in _SIZES:
        for shares_columns, part, extent in zip((True, False), tiling.block, size.sizes, strict=False):
            if -(-extent // part) >= blocks:
                yield replace(tiling, cluster=blocks, shares_columns=shares_columns)
