"""Tiles of a product on tensor cores, from its sizes and the architecture's record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vtac.dialects.gpu_hardware import WARP_SIZE

_BUSY_BLOCKS = 128
"""Blocks that keep a GPU busy: about one on each multiprocessor."""
_COPY_COST = 64
"""Multiply-adds in the time of copying one element: what makes large tiles worth their waste."""
VECTOR_BYTES = 16
"""The most that one thread copies at a time."""
ASYNC_BYTES = 4
"""The least that an asynchronous copy moves."""
_SHAPES = (
    (4, 2, 2, 2),
    (2, 2, 2, 2),
    (2, 1, 2, 2),
    (1, 2, 2, 2),
    (1, 1, 2, 2),
    (1, 1, 2, 1),
    (1, 1, 1, 2),
    (1, 1, 1, 1),
)
"""Tiles per warp, rows and columns, and warps per block, rows and columns: from the largest block."""


@dataclass(frozen=True)
class ProductTiling:
    """Fragments of m x n x k, tiles per warp, warps per block, and fragments of k per step."""

    fragment: tuple[int, int, int]
    row_tiles: int
    column_tiles: int
    row_warps: int
    column_warps: int
    chunk: int

    @property
    def threads(self) -> int:
        """Threads per block."""
        return self.row_warps * self.column_warps * WARP_SIZE

    @property
    def block(self) -> tuple[int, int, int]:
        """Rows and columns that a block computes, and elements of k per step."""
        m, n, k = self.fragment
        return m * self.row_tiles * self.row_warps, n * self.column_tiles * self.column_warps, k * self.chunk

    def shared_bytes(self, element_bytes: int, stages: int) -> int:
        """Shared memory of all stages and of the staged product, whichever way the tiles lie."""
        rows, columns, depth = self.block
        pitch = VECTOR_BYTES // element_bytes * 2
        tiles = rows * depth + depth * columns + max(rows, depth) * pitch + max(columns, depth) * pitch
        return stages * element_bytes * tiles + 4 * rows * columns


def choose_tiling(
    sizes: tuple[int, int, int], fragment: tuple[int, int, int], element_bytes: int, shared_bytes: int
) -> ProductTiling:
    """The tiling that multiplies and copies least on the busiest part of the GPU, padding included.

    `sizes` are m, n and k of the product; one stage has to fit `shared_bytes`.
    """
    chunk = 2 if element_bytes > 1 and _whole(sizes[2], 2 * fragment[2]) == _whole(sizes[2], fragment[2]) else 1
    fitting = [
        tiling for tiling in _candidates(fragment, chunk) if tiling.shared_bytes(element_bytes, 1) <= shared_bytes
    ]
    return min(fitting, key=lambda tiling: _cost(tiling, sizes))


def _candidates(fragment: tuple[int, int, int], chunk: int) -> Iterator[ProductTiling]:
    for row_tiles, column_tiles, row_warps, column_warps in _SHAPES:
        yield ProductTiling(fragment, row_tiles, column_tiles, row_warps, column_warps, chunk)


def _cost(tiling: ProductTiling, sizes: tuple[int, int, int]) -> int:
    rows, columns, _ = tiling.block
    blocks = (_whole(sizes[0], rows) // rows) * (_whole(sizes[1], columns) // columns)
    waves = -(-blocks // _BUSY_BLOCKS)
    return waves * (rows * columns + _COPY_COST * (rows + columns))


def _whole(size: int, part: int) -> int:
    return -(-size // part) * part
