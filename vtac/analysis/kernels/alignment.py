"""How index expressions are aligned, and whether neighbouring lanes of a vector lie side by side.

One proof for all who ask: default schedules before they split a loop into lanes, the pass that
makes vector copies of such loops, and the pass that loads tiles. An expression here is quasi-affine,
of variables whose extents are known; what is not proven counts as untrue.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import gcd

from vtac.analysis.expressions.linear import ZERO, Extents, Linear, Quotient, Remainder
from vtac.analysis.nests.tiles import strided_index


def multiple_of(expression: Linear, extents: Extents) -> int:
    """The largest number found that divides every value of an expression; 0 when its only value is 0."""
    return gcd(expression.constant, *(c * _atom_multiple(atom, extents) for atom, c in expression.terms.items()))


def _atom_multiple(atom: Hashable, extents: Extents) -> int:
    if isinstance(atom, Remainder):
        # n mod d = n - d * (n div d): what divides both n and d divides it.
        whole = multiple_of(atom.numerator, extents)
        return gcd(whole, atom.divisor) if whole % atom.divisor else 0
    if isinstance(atom, Quotient):
        whole = multiple_of(atom.numerator, extents)
        return 1 if whole % atom.divisor else whole // atom.divisor
    return 0 if extents.get(atom) == 1 else 1


def lane_step(expression: Linear, lane: Hashable, extents: Extents) -> int | None:
    """By how much an expression grows from lane to lane; None where that is not one number for all.

    Lanes inside of a quotient or remainder count where they never carry into the next multiple of the
    divisor: (8 x + lane) div 16 is the same for all of 8 lanes, (8 x + lane) mod 16 grows by 1.
    """
    step = 0
    for atom, coefficient in expression.terms.items():
        if atom == lane:
            step += coefficient
        elif isinstance(atom, Quotient | Remainder):
            inner = lane_step(atom.numerator, lane, extents)
            if inner is None or (inner and not _stays_within(atom, inner, lane, extents)):
                return None
            step += coefficient * inner if isinstance(atom, Remainder) else 0
    return step


def _stays_within(atom: Quotient | Remainder, step: int, lane: Hashable, extents: Extents) -> bool:
    """Whether all lanes of a numerator have one quotient by the atom's divisor.

    Without its constant and the lanes the numerator is a multiple of some part of the divisor; the
    lanes must stay between two multiples of that part.
    """
    first = atom.numerator.substitute({lane: ZERO}, extents)
    part = gcd(multiple_of(first - first.constant, extents), atom.divisor)
    start = first.constant % part
    return start + min(step, 0) * (extents[lane] - 1) >= 0 and start + max(step, 0) * (extents[lane] - 1) < part


@dataclass(frozen=True, slots=True)
class VectorAccess:
    """Where the first of a vector's lanes lies: its index in each dimension, and its offset in elements."""

    indices: tuple[Linear, ...]
    offset: Linear


@dataclass(frozen=True, slots=True)
class NoVector:
    """Why lanes are no vector: their stride, if they have one, and what their offsets are multiples of.

    `splits_edge`: they are side by side and aligned, and yet some may lie in the padding and others not.
    """

    stride: int | None
    multiple: int
    splits_edge: bool = False


def vector_access(
    indices: Sequence[Linear],
    shape: Sequence[int],
    strides: Sequence[int],
    lane: Hashable,
    extents: Extents,
    *,
    padded: bool,
) -> VectorAccess | NoVector:
    """An access by as many lanes as the extent of `lane` says, as one vector of memory.

    `shape` and `strides` are the buffer's, in elements. A vector has stride 1 and starts at a
    multiple of its lanes; of a `padded` access, its lanes are all inside of the buffer or all outside. One lane always
    is a vector.
    """
    lanes = extents[lane]
    flat = strided_index(indices, strides)
    stride = lane_step(flat, lane, extents)
    offset = flat.substitute({lane: ZERO}, extents)
    multiple = multiple_of(offset, extents)
    if (stride != 1 and lanes > 1) or multiple % lanes:
        return NoVector(stride, multiple)
    firsts = tuple(index.substitute({lane: ZERO}, extents) for index in indices)
    for index, first, extent in zip(indices, firsts, shape, strict=True):
        if padded and not _meets_edge_whole(index, first, extent, lane, extents):
            return NoVector(stride, multiple, splits_edge=True)
    return VectorAccess(firsts, offset)


def _meets_edge_whole(index: Linear, first: Linear, extent: int, lane: Hashable, extents: Extents) -> bool:
    """Whether all lanes of an index lie inside of 0 <= i < extent, or all outside."""
    low, high = index.bounds(extents)
    step = lane_step(index, lane, extents)
    if step == 0 or (low >= 0 and high < extent):
        return True
    # Vectors that start at multiples of their length end before an edge that is one, too.
    return step == 1 and gcd(multiple_of(first, extents), extent) % extents[lane] == 0
