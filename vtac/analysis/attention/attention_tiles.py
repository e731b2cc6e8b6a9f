"""The space of tilings of an attention kernel: warps of 16 rows each, and keys per step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from xdsl.ir.affine import AffineMap

from vtac.analysis.kernels.shared_memory import ALIGNMENT
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
_LEAST_AHEAD = 32
"""Keys of a step whose copies run ahead: sums are multiplied once for each step, however short."""
_SAVED = (1, 4)
"""The share of tiles that joining heads has to save."""
_TIGHTEST, _TIGHTEST_OF_LANES = "sm_75", "sm_86"


@dataclass(frozen=True)
class AttentionTiling:
    """A block computes 16 rows for each of its warps, and takes so many keys at a time.

    With `on_lanes` scores, weights and sums stay in registers (mma.sync), and shared memory holds operands only: keys
    and values of so many `stages`, of which one is used while the next is copied. `keeps_queries`: a thread has
    registers for its queries, which are else loaded again for every step.
    """

    warps: int
    keys: int
    on_lanes: bool = False
    stages: int = 1
    keeps_queries: bool = True

    @property
    def rows(self) -> int:
        return FRAGMENT * self.warps

    @property
    def threads(self) -> int:
        return WARP_SIZE * self.warps

    def registers(self, features: int, columns: int) -> int:
        """About what a thread needs: its part of the results, of a step's scores as fragments and as numbers.

        On lanes the queries, too, whose halves lie two to a register.
        """
        if self.on_lanes:
            queries = features if self.keeps_queries else FRAGMENT
            return FRAGMENT * (columns + self.keys + queries // 2) // WARP_SIZE + _OTHER_REGISTERS
        rows = FRAGMENT // (WARP_SIZE // LANES_OF_A_ROW)
        of_fragments = FRAGMENT * (columns + self.keys) // WARP_SIZE
        return of_fragments + self.keys // LANES_OF_A_ROW * (FRAGMENT // rows) + _OTHER_REGISTERS

    def shared_bytes(self, features: int, columns: int) -> int:
        """Shared memory: operands, scores, weights, maxima and factors; the results lie where others lay."""
        rows, keys = self.rows, self.keys
        halves = [
            rows * (features + PITCH),
            self.stages * keys * (features + PITCH),
            self.stages * keys * (columns + PITCH),
        ]
        if self.on_lanes:
            return sum(_aligned(2 * one) for one in halves)
        halves.append(rows * (keys + PITCH))
        during = sum(_aligned(2 * one) for one in halves) + _aligned(4 * rows * (keys + PITCH))
        after = _aligned(4 * rows * (columns + PITCH))
        both = _aligned(4 * rows * LANES_OF_A_ROW) + _aligned(4 * rows * FRAGMENT)
        apart = during + after + both
        return apart if apart <= _static_bytes() else max(during, after) + both


def heads_to_join(
    batch: Sequence[int], rows: int, keys: AffineMap, values: AffineMap, unknown: int | None = None
) -> tuple[int, ...]:
    """The dimensions of a batch whose heads of queries share keys and values, where their rows fill tiles together.

    None where that saves less than a quarter of the tiles: places of rows are quotients and remainders then. A
    dimension of a multiple of `unknown`, which stands for a dynamic size, is none of them.
    """
    read = keys.used_dims() | values.used_dims()
    found = [at for at, extent in enumerate(batch) if extent > 1 and at not in read]
    found = [at for at in found if unknown is None or batch[at] % unknown]
    heads = prod(batch[at] for at in found)
    apart, together = heads * -(-rows // FRAGMENT), -(-heads * rows // FRAGMENT)
    return tuple(found) if _SAVED[1] * together <= (_SAVED[1] - _SAVED[0]) * apart else ()


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _static_bytes() -> int:
    return min(record.static_shared_bytes_per_block for record in gpu_architectures().values())


def attention_tiling(
    extents: tuple[int, int, int, int],
    architecture: GpuArchitecture | None,
    *,
    on_lanes: bool = False,
    ahead: bool = False,
) -> AttentionTiling | None:
    """The largest tiling of rows, keys, features and columns that a block has room for; None where none fits.

    Without an architecture every one has to hold it without being asked for more. One that leaves room for a second
    block of a multiprocessor is taken rather than a larger one; on lanes one whose keys and values are copied `ahead`,
    where copies are such, and queries that stay in registers rather than those that do not.
    """
    found = list(_tilings(extents, architecture, on_lanes=on_lanes, ahead=ahead))
    shared = [(blocks, tiling) for blocks, tiling in found if blocks > 1]
    return next((tiling for _, tiling in shared or found), None)


def _tilings(
    extents: tuple[int, int, int, int], architecture: GpuArchitecture | None, *, on_lanes: bool, ahead: bool
) -> Iterator[tuple[int, AttentionTiling]]:
    """Tilings that fit, the larger first, and how many of their blocks a multiprocessor holds."""
    rows, keys, features, columns = extents
    record = architecture or gpu_architectures()[_TIGHTEST_OF_LANES if on_lanes else _TIGHTEST]
    room = record.static_shared_bytes_per_block if architecture is None else record.shared_bytes_per_block
    kept, stages = ((True, False) if on_lanes else (True,)), ((2, 1) if on_lanes and ahead else (1,))
    for keeps, warps, depth, step in product(kept, _WARPS, stages, _KEYS):
        if (warps > 1 and FRAGMENT * warps >= rows + FRAGMENT) or (step > FRAGMENT and step >= keys + FRAGMENT):
            continue
        if depth > 1 and (keys <= _KEYS[0] or step < _LEAST_AHEAD):  # one step has nothing to run ahead of
            continue
        tiling = AttentionTiling(warps, step, on_lanes, depth, keeps)
        used, registers = tiling.shared_bytes(features, columns), tiling.registers(features, columns)
        blocks = record.resident_blocks(tiling.threads, registers, used)
        if used <= room and blocks:
            yield blocks, tiling
