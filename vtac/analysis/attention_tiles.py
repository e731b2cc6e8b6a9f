"""The space of tilings of an attention kernel: warps of 16 rows each, and keys per step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from vtac.analysis.shared_memory import ALIGNMENT
from vtac.dialects.gpu_hardware import WARP_SIZE, GpuArchitecture, gpu_architectures

FRAGMENT = 16
"""Rows and columns of every fragment."""
LANES_OF_A_ROW = 8
"""Lanes of a warp that share a row of scores; what they read at a time lies in different banks."""
PITCH = 8
"""Elements between the rows of a tile in shared memory, so that rows start in different banks."""
_WARPS = (4, 2, 1)
_KEYS = (64, 32, 16)
_OTHER_REGISTERS = 64
"""What a thread needs besides fragments and scores, for addresses, copies and operands; from what ptxas gave."""
_TIGHTEST = "sm_75"


@dataclass(frozen=True)
class AttentionTiling:
    """A block computes 16 rows for each of its warps, and takes so many keys at a time."""

    warps: int
    keys: int

    @property
    def rows(self) -> int:
        return FRAGMENT * self.warps

    @property
    def threads(self) -> int:
        return WARP_SIZE * self.warps

    def registers(self, columns: int) -> int:
        """About what a thread needs: its part of the results, of a step's scores as fragments and as numbers."""
        rows = FRAGMENT // (WARP_SIZE // LANES_OF_A_ROW)
        of_fragments = FRAGMENT * (columns + self.keys) // WARP_SIZE
        return of_fragments + self.keys // LANES_OF_A_ROW * (FRAGMENT // rows) + _OTHER_REGISTERS

    def shared_bytes(self, features: int, columns: int) -> int:
        """Shared memory: operands, scores, weights, maxima and factors; the results lie where others lay."""
        rows, keys = self.rows, self.keys
        halves = [rows * (features + PITCH), keys * (features + PITCH), keys * (columns + PITCH), rows * (keys + PITCH)]
        during = sum(_aligned(2 * one) for one in halves) + _aligned(4 * rows * (keys + PITCH))
        after = _aligned(4 * rows * (columns + PITCH))
        both = _aligned(4 * rows * LANES_OF_A_ROW) + _aligned(4 * rows * FRAGMENT)
        apart = during + after + both
        return apart if apart <= _static_bytes() else max(during, after) + both


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _static_bytes() -> int:
    return min(record.static_shared_bytes_per_block for record in gpu_architectures().values())


def attention_tiling(
    extents: tuple[int, int, int, int], architecture: GpuArchitecture | None
) -> AttentionTiling | None:
    """The largest tiling of rows, keys, features and columns that a block has room for; None where none fits.

    Without an architecture every one has to hold it without being asked for more. One that leaves room for a second
    block of a multiprocessor is taken rather than a larger one.
    """
    found = list(_tilings(extents, architecture))
    shared = [(blocks, tiling) for blocks, tiling in found if blocks > 1]
    return next((tiling for _, tiling in shared or found), None)


def _tilings(
    extents: tuple[int, int, int, int], architecture: GpuArchitecture | None
) -> Iterator[tuple[int, AttentionTiling]]:
    """Tilings that fit, the larger first, and how many of their blocks a multiprocessor holds."""
    rows, keys, features, columns = extents
    record = architecture or gpu_architectures()[_TIGHTEST]
    room = record.static_shared_bytes_per_block if architecture is None else record.shared_bytes_per_block
    for warps, step in product(_WARPS, _KEYS):
        if (warps > 1 and FRAGMENT * warps >= rows + FRAGMENT) or (step > FRAGMENT and step >= keys + FRAGMENT):
            continue
        tiling = AttentionTiling(warps, step)
        used, registers = tiling.shared_bytes(features, columns), tiling.registers(columns)
        blocks = record.resident_blocks(tiling.threads, registers, used)
        if used <= room and blocks:
            yield blocks, tiling
