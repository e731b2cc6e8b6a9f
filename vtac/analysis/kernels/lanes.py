"""Which row a lane names for `ldmatrix`, and which elements of a tile it holds, as index expressions."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import gpu
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from vtac.analysis.expressions.linear import Extents, Linear
from vtac.analysis.ir.locations import location_of
from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARP_SIZE
from vtac.dialects.mma.attributes import Tiles
from vtac.dialects.mma.layouts import CORE_BYTES, CORE_ROWS
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import ForOp
from vtac.errors import CompileError

_BITS = 5
"""Bits of a lane's number."""


def address_of_lane(
    lane: SSAValue, tiles: Tiles, loaded: tuple[int, int], *, transposed: bool
) -> tuple[Linear, Linear]:
    """Major and minor coordinate, from the first tile's start, of the row that each lane names.

    `loaded` are the tiles along major (m, or n of matrix_b) and minor (k). Bits 0 to 2 of a lane's number choose a row
    of its matrix: along major, or transposed along k. Bits 3 and 4 choose the matrix: the registers of a tile come one
    after another, and the tiles, those along k first. Of bytes transposed, bits 0 to 3 choose a row of 16 of k: first
    0 1 4 5 10 11 14 15, then the others, so that each lane gets four in a row of k from two matrices, and the eight
    rows of a matrix lie in different places of a swizzle.
    """
    if transposed and ELEMENT_BYTES[tiles.element] == 1:
        return Linear(0), _depth_of_bytes(lane)
    wide = CORE_BYTES // ELEMENT_BYTES[tiles.element]
    rows = [(1 << bit, 0) for bit in range(3)]
    if transposed:
        rows = [(0, 1 << bit) for bit in range(3)]
    parts = [(CORE_ROWS, 0), (0, wide)] if tiles.role == "matrix_a" else [(0, wide)]
    size = 2 * CORE_ROWS if tiles.role == "matrix_a" else CORE_ROWS
    more = [(0, 2 * wide)] if loaded[1] > 1 else [(size, 0)] if loaded[0] > 1 else []
    weights = [*rows, *parts, *more][:_BITS]
    extents: Extents = {lane: WARP_SIZE}
    major, minor = (_weighted(lane, [one[side] for one in weights], extents) for side in (0, 1))
    return major, minor


def _depth_of_bytes(lane: SSAValue) -> Linear:
    """The row of k whose 16 bytes each lane names, of 32."""
    extents: Extents = {lane: WARP_SIZE}
    eighth, number = Linear.variable(lane).floor_divide(8, extents), Linear.variable(lane).modulo(8, extents)
    pair = (number.floor_divide(4, extents) + eighth).modulo(2, extents)
    within = Linear.variable(lane).modulo(2, extents) + number.floor_divide(2, extents) * 4 + pair * 2
    return within + eighth.floor_divide(2, extents) * CORE_BYTES


def place_of_lane(lane: SSAValue, piece: tuple[int, int], per_piece: int, step: int = 1) -> tuple[Linear, Linear]:
    """Row and column of the first element of an accumulator's piece that each lane holds, of every `step`-th column."""
    extents: Extents = {lane: WARP_SIZE}
    number = Linear.variable(lane)
    row = number.floor_divide(4, extents) + piece[0]
    return row, (number.modulo(4, extents) * per_piece + piece[1]) * step


def _weighted(lane: SSAValue, weights: Sequence[int], extents: Extents) -> Linear:
    """The sum of the weights of the bits that are set in a lane's number, runs of doubling weights as one term."""
    total, bit = Linear(0), 0
    while bit < len(weights):
        end = bit + 1
        while end < len(weights) and weights[bit] and weights[end] == 2 * weights[end - 1]:
            end += 1
        if weights[bit]:
            field = Linear.variable(lane).modulo(1 << end, extents).floor_divide(1 << bit, extents)
            total += field * weights[bit]
        bit = end
    return total


def thread_extents(loop: ForOp) -> dict[LoopKind, int]:
    """Extents of the thread indices of the function around a loop."""
    around = loop.parent_op()
    while around is not None and not isinstance(around, FuncOp):
        around = around.parent_op()
    found = gpu_extents(around) if around is not None else {}
    return {kind: extent for kind, extent in found.items() if kind.is_thread}


def gpu_extents(function: FuncOp) -> dict[LoopKind, int]:
    """GPU indices that loops of a function are bound to, and their extents, by first appearance.

    Where lanes are counted and no loop has threadIdx.x, that is the lane. Raises `CompileError` for an index with two
    extents.
    """
    extents: dict[LoopKind, int] = {}
    for loop in [op for op in function.walk() if isinstance(op, ForOp) and op.loop_kind.is_bound]:
        kind = loop.loop_kind
        if extents.setdefault(kind, loop.trip_count) != loop.trip_count:
            raise CompileError(
                f"loop '{loop.loop_name}' has extent {loop.trip_count}, another loop bound to {kind.value} "
                f"{extents[kind]}: all loops of one index must have one extent",
                location_of(loop),
            )
    if LoopKind.THREAD_X not in extents and any(isinstance(op, gpu.LaneIdOp) for op in function.walk()):
        extents[LoopKind.THREAD_X] = WARP_SIZE
    return extents
