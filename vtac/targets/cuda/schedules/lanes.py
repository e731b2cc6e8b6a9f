"""How the elements of a copied operand lie in memory: which way they are neighbours, and how many move at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from math import gcd

from vtac.analysis.expressions.affine_expressions import from_affine
from vtac.analysis.expressions.linear import Linear, Quotient, Remainder
from vtac.analysis.kernels.alignment import VectorAccess, vector_access
from vtac.analysis.nests.nest import shape_of, strides_of
from vtac.dialects.schedule.payload import BlockOp

_PART, _FIRST, _LANE = "part", "first", "lane"


def walked_fastest(block: BlockOp, position: int) -> int:
    """The one of a block's last two variables along which neighbours lie side by side in a buffer; the last, if none.

    0 is the last but one, 1 the last.
    """
    buffer, count = (*block.inputs, block.output)[position], len(block.variables)
    indices, strides = block.accesses.data[position].indices, strides_of(buffer)
    origin = indices.eval([0] * count, [])
    for place in (1, 0):
        variable = count - 2 + place
        if block.variables[variable].extent == 1:
            continue
        step = indices.eval([int(v == variable) for v in range(count)], [])
        if sum((new - old) * stride for new, old, stride in zip(step, origin, strides, strict=True)) == 1:
            return place
    return 1


def run_along(copy: BlockOp, place: int, part: int) -> int:
    """Elements of a part of one of a copy's last two variables that are walked without a new channel tile or tap.

    All of them, but where quotients and remainders go on within the part.
    """
    variable = len(copy.variables) - 2 + place
    extents: dict[Hashable, int] = {v: one.extent for v, one in enumerate(copy.variables)}
    values = [Linear.variable(v) for v in range(len(copy.variables))]
    indices = [from_affine(expr, values, [], extents) for expr in copy.accesses.data[0].indices.results]
    return gcd(part, *(run for index in indices for run in _runs(index, variable)))


def _runs(index: Linear, variable: int) -> Iterator[int]:
    """After how many values of a variable each of an index's quotients and remainders goes on."""
    for atom in index.terms:
        if isinstance(atom, Quotient | Remainder):
            step = abs(atom.numerator.coefficient(variable))
            if step and atom.divisor % step == 0:
                yield atom.divisor // step
            yield from _runs(atom.numerator, variable)


def moves_vectors(copy: BlockOp, place: int, part: int, lanes: int) -> bool:
    """Whether a copy can move that many elements as one along one of its last two variables, in parts of `part`.

    The answer is that of convert-blocks-to-memory on the loops that the schedule will have: it
    fuses and splits them further, which leaves the steps of `lanes` elements as they are.
    """
    if part % lanes:
        return False
    variable = len(copy.variables) - 2 + place
    extents: dict[Hashable, int] = {v: one.extent for v, one in enumerate(copy.variables)}
    extents |= {_PART: extents[variable] // part, _FIRST: part // lanes, _LANE: lanes}
    values = [Linear.variable(v) for v in range(len(copy.variables))]
    vectors = Linear.variable(_PART) * (part // lanes) + Linear.variable(_FIRST)
    values[variable] = vectors * lanes + Linear.variable(_LANE)
    access, source = copy.accesses.data[0], copy.inputs[0]
    indices = [from_affine(expr, values, [], extents) for expr in access.indices.results]
    padded = access.pad_value is not None
    found = vector_access(indices, shape_of(source), strides_of(source), _LANE, extents, padded=padded)
    return isinstance(found, VectorAccess)
