"""How many of a convolution's taps lie in the image, where rows of the product that follow each other are one pixel."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from math import gcd

import numpy as np
from xdsl.ir.affine import AffineExpr

from vtac.analysis.expressions.affine_expressions import from_affine
from vtac.analysis.expressions.linear import Linear, Quotient, Remainder
from vtac.analysis.nests.nest import shape_of
from vtac.dialects.schedule.payload import BlockOp
from vtac.evaluate.affine import Index, evaluate_expr

_LEAST_ROWS = 16
"""Rows of the smallest block."""


@dataclass(frozen=True)
class Taps:
    """Of pairs of a pixel and a tap `inside` lie in the image, of `all`; a pixel has `rows`, a tap `depth` of k.

    A block of rows of one pixel takes no step of a tap that lies beside the image. All pixels of a row count as one
    where no padding lies beside it.
    """

    rows: int = 1
    depth: int = 1
    inside: int = 1
    all: int = 1

    def taken(self, rows: int, depth: int) -> float:
        """The share of their steps that blocks of so many rows take, of so many elements of k each.

        Of blocks of several pixels all: some of their steps are padding of all pixels, too, which is left out here.
        """
        return self.inside / self.all if self.rows % rows == 0 and self.depth % depth == 0 else 1.0


ALL_TAPS = Taps()
"""Of what is no convolution, or one whose taps lie in the image, or whose blocks have several pixels."""


def taps_of(copy: BlockOp) -> Taps:
    """The taps of a product's first operand, by the block that copies it as a matrix of rows by k."""
    access = copy.accesses.data[0]
    if access.pad_value is None:
        return ALL_TAPS
    count = len(copy.variables)
    extents: dict[Hashable, int] = {v: one.extent for v, one in enumerate(copy.variables)}
    values = [Linear.variable(v) for v in range(count)]
    indices = [from_affine(expr, values, [], extents) for expr in access.indices.results]
    guarded: list[tuple[Linear, AffineExpr, int]] = []
    for index, expr, size in zip(indices, access.indices.results, shape_of(copy.inputs[0]), strict=True):
        low, high = index.bounds(extents)
        if low < 0 or high >= size:
            guarded.append((index, expr, size))
    row, k = count - 2, count - 1
    rows, depth = (gcd(extents[v], *(run for index, *_ in guarded for run in _runs(index, v))) for v in (row, k))
    if rows < _LEAST_ROWS or any(index.variables() - {row, k} for index, *_ in guarded):
        return ALL_TAPS
    places = np.arange(0, extents[row], rows)[:, None], np.arange(0, extents[k], depth)[None, :]
    grid: list[Index] = [*[0] * row, *places]
    inside = np.ones((extents[row] // rows, extents[k] // depth), np.bool_)
    for _, expr, size in guarded:
        place = evaluate_expr(expr, grid)
        inside &= (place >= 0) & (place < size)
    return Taps(rows, depth, int(inside.sum()), inside.size) if not inside.all() else ALL_TAPS


def _runs(index: Linear, variable: Hashable) -> Iterator[int]:
    """After how many values of a variable each part of an index goes on that depends on it."""
    for atom in index.terms:
        if atom == variable:
            yield 1
        elif isinstance(atom, Quotient) and (step := abs(atom.numerator.coefficient(variable))):
            yield atom.divisor // step if atom.divisor % step == 0 else 1
        elif isinstance(atom, Quotient | Remainder):
            yield from _runs(atom.numerator, variable)
