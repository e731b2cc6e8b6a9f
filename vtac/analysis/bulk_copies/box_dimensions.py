"""Dimensions of an array that a box is cut out of: where it begins, what runs along each, and dimensions as one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from vtac.analysis.expressions.linear import Extents, Linear
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.tensor_maps import MOST_DIMENSIONS, MOST_STEP


@dataclass(frozen=True)
class Digit:
    """A part of a loop: it counts to `extent`, and the loop's variable is the sum of `weight` times each part."""

    loop: ForOp
    weight: int
    extent: int


@dataclass(frozen=True)
class Dimension:
    """One dimension of an array, of `size` elements `stride` apart: where the box begins, and what runs along it.

    `panels` are the parts of a loop that move a whole box, each with the elements that it does so by.
    """

    size: int
    stride: int
    start: Linear
    digit: Digit | None = None
    step: int = 1
    panels: Mapping[Digit, int] = field(default_factory=dict[Digit, int])

    @property
    def extent(self) -> int:
        """Elements of the box along this dimension."""
        return self.digit.extent if self.digit is not None else 1

    def stays_inside(self, extents: Extents) -> bool:
        """Whether no part of any box lies outside of the array here."""
        low, high = self.start.bounds(extents)
        moved = sum(abs(by) * (one.extent - 1) for one, by in self.panels.items())
        return low >= 0 and high + (self.extent - 1) * self.step + moved < self.size

    def around(self, inner: Dimension, extents: Extents) -> Dimension | None:
        """This dimension and the next one as one, whose elements follow each other; None where they are none."""
        if self.stride != inner.size * inner.stride or not inner.stays_inside(extents):
            return None
        start = self.start * inner.size + inner.start
        panels = {one: by * inner.size for one, by in self.panels.items()} | dict(inner.panels)
        digit, step = inner.digit, inner.step
        if self.digit is not None and digit is not None:
            digit = self._continued(digit, inner)
            if digit is None:
                return None
        elif self.digit is not None:
            digit, step = self.digit, self.step * inner.size
            if step > MOST_STEP:
                return None
        return Dimension(self.size * inner.size, inner.stride, start, digit, step, panels)

    def _continued(self, digit: Digit, inner: Dimension) -> Digit | None:
        """The part of a loop that goes on here where it ends in the next dimension."""
        own = self.digit
        if own is None or own.loop is not digit.loop or own.weight != digit.weight * digit.extent:
            return None
        if self.step * inner.size != inner.step * digit.extent:
            return None
        return Digit(own.loop, digit.weight, digit.extent * own.extent)


def with_fewer(dimensions: Sequence[Dimension], extents: Extents) -> Iterator[list[Dimension]]:
    """The dimensions of an array, outermost first; some as one where they are more than a map has."""
    if len(dimensions) <= MOST_DIMENSIONS:
        yield list(dimensions)
        return
    for at in reversed(range(len(dimensions) - 1)):
        both = dimensions[at].around(dimensions[at + 1], extents)
        if both is not None:
            yield from with_fewer([*dimensions[:at], both, *dimensions[at + 2 :]], extents)


def panel_starts(dimensions: Sequence[Dimension], order: Sequence[Digit], width: int) -> Iterator[tuple[Linear, ...]]:
    """Where each box begins, innermost dimension first: those along a row of boxes `width` wide, then panel by panel.

    `order` are the panels' parts of a loop, fastest first.
    """
    across = range(dimensions[-1].extent // width)
    for counts in product(*(range(one.extent) for one in reversed(order)), across):
        moved = dict(zip(reversed(order), counts, strict=False))
        starts = [one.start + sum(by * moved[part] for part, by in one.panels.items()) for one in reversed(dimensions)]
        yield (starts[0] + counts[-1] * width, *starts[1:])


def digits_along(dimensions: Sequence[Dimension]) -> list[Digit]:
    """What runs along the dimensions of a box, innermost first."""
    return [one.digit for one in reversed(dimensions) if one.digit is not None]


def counted(digits: Mapping[ForOp, Sequence[Digit]]) -> dict[Hashable, int]:
    """How far each part of a loop counts."""
    return {one: one.extent for parts in digits.values() for one in parts}


def as_looped(digits: Sequence[Digit], loops: Sequence[ForOp]) -> list[Digit]:
    """Parts of loops as the loops run, fastest first."""
    depth = {loop: at for at, loop in enumerate(reversed(loops))}
    return sorted(digits, key=lambda one: (depth[one.loop], one.weight))
