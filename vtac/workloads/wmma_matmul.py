"""Matrix multiplication for tensor cores: row-major a, b and c."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd
from typing import TYPE_CHECKING

from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARP_SIZE, OperandType, Shape, shape_for_tiles
from vtac.errors import CompileError
from vtac.targets.cuda.schedules.roof import ranking
from vtac.targets.cuda.schedules.tiling import ProductSize
from vtac.workloads.wmma_matmul_text import MatmulText

if TYPE_CHECKING:
    from vtac.dialects.gpu_hardware import GpuArchitecture
    from vtac.schedule import Schedule

VECTOR_BYTES = 16
_GROUP = 8
"""Most rows of blocks that share what the cache holds of b."""
_OPERANDS: tuple[OperandType, ...] = ("f16", "bf16", "s8")
FRAGMENTS: dict[str, Shape] = {operand: shape_for_tiles(operand, of_rows=False) for operand in _OPERANDS}
"""Operand types, and the m x n x k of their fragments: those whose tiles of rows can lie side by side."""


@dataclass(frozen=True)
class MatmulTiling:
    """Warps per block, tiles per warp, tiles of k per step, and steps whose copies are under way.

    One stage copies and multiplies in turn; several copy in the background, to shared tiles
    whose rows keep out of each other's banks. `double_buffer` loads the fragments of the next
    tile of k while the last ones multiply; blocks take their tiles in groups of `group` rows
    of blocks.
    """

    row_warps: int = 2
    column_warps: int = 2
    row_tiles: int = 2
    column_tiles: int = 2
    chunk: int = 2
    stages: int = 1
    double_buffer: bool = False
    group: int = 1

    @property
    def threads(self) -> int:
        """Threads per block."""
        return self.row_warps * self.column_warps * WARP_SIZE


@dataclass(frozen=True)
class WmmaMatmul:
    """c = a x b, with a m x k, b k x n; sizes count scalars.

    `bias` adds a row of n numbers, `relu` takes the maximum with zero afterwards. Sizes that
    are no multiples of a fragment's are padded with zeros, in the program; where m or n is, the
    product is one tile of the padded size, which `packing.unpack` crops.
    """

    m: int = 1024
    n: int = 1024
    k: int = 1024
    element: str = "f16"
    bias: bool = False
    relu: bool = False

    def __post_init__(self) -> None:
        if self.element not in FRAGMENTS:
            raise CompileError(f"operands of type '{self.element}'; the types are {', '.join(FRAGMENTS)}")
        for name, size in (("m", self.m), ("n", self.n), ("k", self.k)):
            if size < 1:
                raise CompileError(f"{name} is {size}; it must be positive")

    @property
    def padded(self) -> tuple[int, int, int]:
        """m, n and k, rounded up to whole tiles."""
        m, n, k = self.fragment
        return _rounded(self.m, m), _rounded(self.n, n), -(-self.k // k) * k

    @property
    def lanes(self) -> int:
        """Elements of a or b that one 16-byte copy moves."""
        return VECTOR_BYTES // ELEMENT_BYTES[self.element]

    @property
    def copied(self) -> tuple[int, int]:
        """Elements of a and of b that one copy moves: as many, up to 16 bytes, as divide a row in memory."""
        return gcd(self.k, self.lanes), gcd(self.n, self.lanes)

    @property
    def cropped(self) -> bool:
        """Whether the padded product is larger than c."""
        return (self.m, self.n) != self.padded[:2]

    @property
    def staged(self) -> bool:
        """Whether the product passes through shared memory, for an epilogue or to be cropped."""
        return self.has_epilogue or self.cropped

    @property
    def fragment(self) -> tuple[int, int, int]:
        """m, n and k of a fragment."""
        return FRAGMENTS[self.element]

    @property
    def has_epilogue(self) -> bool:
        return self.bias or self.relu

    def default_tiling(self) -> MatmulTiling:
        """Two warps by two of 4 x 2 tiles where the shape divides by them, fewer where it does not.

        A block's tiles and its staged product then fit 48 KiB of shared memory.
        """
        m, n, k = self.fragment
        rows, columns, steps = (size // tile for size, tile in zip(self.padded, (m, n, k), strict=True))
        row_tiles, column_tiles = gcd(rows, 4), gcd(columns, 2)
        chunk = 1 if self.element == "s8" else gcd(steps, 2)
        return MatmulTiling(gcd(rows // row_tiles, 2), gcd(columns // column_tiles, 2), row_tiles, column_tiles, chunk)

    def text(self) -> str:
        """The program as linalg text."""
        return MatmulText(self).text()

    @property
    def pads(self) -> tuple[str, ...]:
        """The blocks that pad a and b."""
        m, n, k = self.padded
        left, right = (self.m, self.k) != (m, k), (self.k, self.n) != (k, n)
        return tuple(name for name, pads in (("a_pad", left), ("b_pad", right)) if pads)

    def schedule(self, tiling: MatmulTiling | None = None) -> Schedule:
        """Shared tiles of a and b per step; the epilogue reads the product from shared memory."""
        from vtac.workloads.wmma_matmul_schedule import MatmulScheduler

        tiling = self.default_tiling() if tiling is None else tiling
        self._check(tiling)
        return MatmulScheduler(self, tiling).schedule()

    def fast_tiling(self, architecture: GpuArchitecture) -> MatmulTiling:
        """The pipelined tiling of least estimated time that the shape divides into and the architecture has room for.

        Raises `CompileError` when there is none.
        """
        size = ProductSize(
            self.padded, self.fragment, ELEMENT_BYTES[self.element], self.copied, fills_steps=True, staged=self.staged
        )
        for _, one in ranking(size, architecture):
            shape = (one.row_warps, one.column_warps, one.row_tiles, one.column_tiles)
            tiling = MatmulTiling(*shape, one.chunk, one.stages)
            if one.stages > 1 and self._fits(tiling, architecture):
                row_blocks = self.padded[0] // self._parts(tiling)[0]
                return replace(tiling, group=gcd(row_blocks, _GROUP))
        raise CompileError(
            f"no pipelined tiling divides {self.m} x {self.n} x {self.k} of {self.element} on {architecture.name}, "
            f"where a pipeline takes 2 steps of {self.fragment[2]} along k or more: use the seed schedule"
        )

    def _fits(self, tiling: MatmulTiling, architecture: GpuArchitecture) -> bool:
        parts, width = self._parts(tiling), ELEMENT_BYTES[self.element]
        divides = all(size % part == 0 for size, part in zip(self.padded, parts, strict=True))
        rows, columns, depth = parts
        staged = tiling.stages * width * (rows * (depth + VECTOR_BYTES) + depth * (columns + VECTOR_BYTES))
        shared = staged + (4 * rows * columns if self.staged else 0)
        return (
            divides
            and rows * depth % tiling.threads == 0
            and depth * columns % tiling.threads == 0
            and self.padded[2] // depth >= tiling.stages
            and shared <= architecture.shared_bytes_per_block
        )

    def _parts(self, tiling: MatmulTiling) -> tuple[int, int, int]:
        """What a block computes at a time: rows, columns, and elements of k."""
        m, n, k = self.fragment
        return m * tiling.row_warps * tiling.row_tiles, n * tiling.column_warps * tiling.column_tiles, k * tiling.chunk

    def _check(self, tiling: MatmulTiling) -> None:
        for name, size, part in zip("mnk", self.padded, self._parts(tiling), strict=True):
            if size % part:
                raise CompileError(
                    f"{name} is {size}, no multiple of the {part} that a block computes at a time: choose fewer "
                    "warps or tiles, or a shape that divides"
                )


def _rounded(size: int, tile: int) -> int:
    """A multiple of the tile; where the size is none, of several tiles if that adds no more than an eighth."""
    whole = -(-size // tile) * tile
    if whole == size:
        return size
    groups = (-(-size // (tile * count)) * tile * count for count in (8, 4, 2))
    return next((padded for padded in groups if 8 * padded <= 9 * size), whole)
