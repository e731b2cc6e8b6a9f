"""How the elements of a copied operand lie in memory: which way they are neighbours, and how many move at once."""

from __future__ import annotations

from collections.abc import Hashable

from vtac.analysis.linear import Linear, from_affine
from vtac.analysis.nest import shape_of, strides_of
from vtac.analysis.tiles import strided_index
from vtac.dialects.schedule.payload import BlockOp

_PART, _FIRST, _LANE = "part", "first", "lane"


def walked_fastest(block: BlockOp, position: int) -> int:
    """The one of a block's two variables along which neighbours lie side by side in a buffer; the last, if none."""
    buffer = (*block.inputs, block.output)[position]
    indices, strides = block.accesses.data[position].indices, strides_of(buffer)
    origin = indices.eval([0, 0], [])
    for variable in (1, 0):
        if block.variables[variable].extent == 1:
            continue
        step = indices.eval([int(v == variable) for v in (0, 1)], [])
        if sum((new - old) * stride for new, old, stride in zip(step, origin, strides, strict=True)) == 1:
            return variable
    return 1


def vector_lanes(copy: BlockOp, variable: int, part: int, most: int) -> int:
    """The most elements, a power of two, that a copy can move as one along a variable; 1 when it cannot.

    The variable is taken in parts of `part`.
    """
    lanes = most
    while lanes > 1 and not _moves_vectors(copy, variable, part, lanes):
        lanes //= 2
    return lanes


def _moves_vectors(copy: BlockOp, variable: int, part: int, lanes: int) -> bool:
    """Neighbours at an aligned place, all of them inside or all outside."""
    extents: dict[Hashable, int] = {v: one.extent for v, one in enumerate(copy.variables)}
    if part % lanes:
        return False
    values = [Linear.variable(v) for v in range(len(copy.variables))]
    extents |= {_PART: extents[variable] // part, _FIRST: part // lanes, _LANE: lanes}
    vectors = Linear.variable(_PART) * (part // lanes) + Linear.variable(_FIRST)
    values[variable] = vectors * lanes + Linear.variable(_LANE)
    access, source = copy.accesses.data[0], copy.inputs[0]
    indices = [from_affine(expr, values, [], extents) for expr in access.indices.results]
    flat = strided_index(indices, strides_of(source))
    if not flat.is_linear_in(_LANE) or flat.coefficient(_LANE) != 1:
        return False
    if not _aligned(flat.without(_LANE), lanes):
        return False
    for index, extent in zip(indices, shape_of(source), strict=True):
        low, high = index.bounds(extents)
        if access.pad_value is None or _LANE not in index.variables() or (low >= 0 and high < extent):
            continue
        whole = index.is_linear_in(_LANE) and index.coefficient(_LANE) == 1
        if not whole or extent % lanes or not _aligned(index.without(_LANE), lanes):
            return False
    return True


def _aligned(index: Linear, lanes: int) -> bool:
    return index.constant % lanes == 0 and all(factor % lanes == 0 for factor in index.terms.values())
