"""Loops that copy a box of an array to shared memory, as a bulk copy does it.

A loop over rows may run through several dimensions of the array, as the pixels of an image: it is taken apart where
quotients and remainders of it are. Pixels that are no whole rows of images are boxes of another kind of map
(`vtac.analysis.pixel_boxes`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import gcd, prod
from typing import cast

from xdsl.dialects.builtin import FixedBitwidthType
from xdsl.ir import SSAValue

from vtac.analysis.accesses import guards_of, indices_of
from vtac.analysis.bodies import is_copy
from vtac.analysis.linear import ZERO, Linear, Quotient, Remainder
from vtac.analysis.nest import buffer_name, element_type_of, extents_around, scope_of, shape_of, strides_of
from vtac.analysis.pixel_boxes import PixelCopy, match_pixels
from vtac.analysis.shared_matrices import layout_of
from vtac.analysis.tiles import match_nest, strided_index
from vtac.dialects.im2col import Corners
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.tma import Boxes
from vtac.errors import ConfigError
from vtac.targets.target import Mismatch

LOAD = "tma.load"
BANKS_BYTES = 128


@dataclass(frozen=True)
class Digit:
    """A part of a loop: it counts to `extent`, and the loop's variable is the sum of `weight` times each part."""

    loop: ForOp
    weight: int
    extent: int


@dataclass(frozen=True)
class BoxCopy:
    """Boxes of an array, each with where it goes: elements of the target, and its coordinates, innermost first.

    Of pixels all parts have the same `offsets`.
    """

    block: BlockOp
    boxes: Boxes
    parts: tuple[tuple[int, tuple[Linear, ...]], ...]
    offsets: tuple[Linear, ...] = ()


@dataclass
class _Dimension:
    """One dimension of the array: where the box begins, and the part of a loop that runs along it."""

    start: Linear
    digit: Digit | None = None
    step: int = 1

    @property
    def extent(self) -> int:
        return self.digit.extent if self.digit is not None else 1


@dataclass
class _Matcher:
    """Takes the loops of a copy apart."""

    loops: Sequence[ForOp]
    block: BlockOp
    is_compact: bool
    extents: dict[Hashable, int] = field(init=False)

    def __post_init__(self) -> None:
        self.extents = dict(extents_around(self.block))

    def match(self) -> BoxCopy | str:
        """A tiled box, or where there is none pixels."""
        tiled = self._tiled()
        if not isinstance(tiled, str):
            return tiled
        pixels = self._pixels()
        return tiled if pixels is None else pixels

    def _pixels(self) -> BoxCopy | str | None:
        """The copy as one of pixels; None where rows are not numbered as pixels are, why it is none where they are."""
        source, target = self.block.inputs[0], self.block.output
        loops = [loop for loop in self.loops if loop.trip_count > 1]
        if len(loops) != len(("rows", "channels")):
            return None
        rows, channels = (Digit(loop, 1, loop.trip_count) for loop in loops)
        whole: dict[Hashable, Linear] = {one.loop.induction_variable: Linear.variable(one) for one in (rows, channels)}
        self.extents.update({rows: rows.extent, channels: channels.extent})
        indices = [one.substitute(whole, self.extents) for one in indices_of(self.block, 0, self.extents)]
        apart = [self._separated(one, {channels}) for one in indices]
        found = match_pixels(apart, shape_of(source), rows, channels, self.extents)
        if not isinstance(found, PixelCopy):
            return f"'{buffer_name(source)}' has no such pixels: {found}" if found is not None else None
        both = [_Dimension(ZERO, rows), _Dimension(found.starts[0], channels)]
        wrong = self._wrong_order(both, target, whole) if self.is_compact else ""
        return wrong or self._boxes_of_pixels(found, rows.extent, channels.extent)

    def _tiled(self) -> BoxCopy | str:
        source, target = self.block.inputs[0], self.block.output
        indices = indices_of(self.block, 0, self.extents)
        digits = self._digits(indices)
        whole: dict[Hashable, Linear] = {
            loop.induction_variable: _sum([Linear.variable(one) * one.weight for one in parts])
            for loop, parts in digits.items()
        }
        self.extents.update({one: one.extent for parts in digits.values() for one in parts})
        every = [one for parts in digits.values() for one in parts]
        dimensions: list[_Dimension] = []
        for index in indices:
            found = self._dimension(index.substitute(whole, self.extents), every)
            if isinstance(found, str):
                return f"'{buffer_name(source)}' is {found}"
            dimensions.append(found)
        missing = next((one for one in every if all(dimension.digit != one for dimension in dimensions)), None)
        if missing is not None:
            return f"loop '{missing.loop.loop_name}' does not run along a dimension of '{buffer_name(source)}'"
        wrong = self._wrong_order(dimensions, target, whole) if self.is_compact else ""
        return wrong or self._boxes(dimensions)

    def _digits(self, indices: Sequence[Linear]) -> dict[ForOp, list[Digit]]:
        """The parts of each loop of more than one iteration, fastest first."""
        found: dict[ForOp, list[Digit]] = {}
        for loop in self.loops:
            bounds = sorted({1, loop.trip_count} | set(self._boundaries(loop, indices)))
            if all(after % before == 0 for before, after in pairwise(bounds)):
                found[loop] = [Digit(loop, before, after // before) for before, after in pairwise(bounds)]
            else:
                found[loop] = [Digit(loop, 1, loop.trip_count)]
            if loop.trip_count == 1:
                found[loop] = []
        return found

    def _boundaries(self, loop: ForOp, indices: Sequence[Linear]) -> Iterator[int]:
        """Iterations of a loop after which a quotient or a remainder may go on by one."""
        for atom in [atom for index in indices for atom in index.terms]:
            if not isinstance(atom, Quotient | Remainder):
                continue
            coefficient = abs(atom.numerator.coefficient(loop.induction_variable))
            if coefficient and atom.divisor % coefficient == 0:
                iterations = atom.divisor // coefficient
                if loop.trip_count % iterations == 0:
                    yield iterations

    def _dimension(self, index: Linear, digits: Sequence[Digit]) -> _Dimension | str:
        apart = self._separated(index, set(digits))
        inside = [one for one in digits if one in apart.variables()]
        if any(not apart.is_linear_in(one) for one in inside) or len(inside) > 1:
            return "not addressed by one part of a loop along each dimension"
        if not inside:
            return _Dimension(apart)
        step = apart.coefficient(inside[0])
        if step < 1:
            return f"walked by steps of {step} elements"
        return _Dimension(apart.without(inside[0]), inside[0], step)

    def _separated(self, index: Linear, digits: set[Digit]) -> Linear:
        """The expression with parts of loops outside of quotients and remainders that they do not change."""
        total = Linear(index.constant)
        for atom, factor in index.terms.items():
            total = total + self._outside(atom, digits) * factor
        return total

    def _outside(self, atom: Hashable, digits: set[Digit]) -> Linear:
        if not isinstance(atom, Quotient | Remainder):
            return Linear.variable(atom)
        numerator = self._separated(atom.numerator, digits)
        inner = Linear(0, {one: c for one, c in numerator.terms.items() if one in digits})
        outer = numerator - inner
        multiple = gcd(atom.divisor, outer.constant, *outer.terms.values())
        low, high = inner.bounds(self.extents)
        if low < 0 or high >= multiple:
            inner, outer = ZERO, numerator
        if isinstance(atom, Quotient):
            return outer.floor_divide(atom.divisor, self.extents)
        return outer.modulo(atom.divisor, self.extents) + inner

    def _wrong_order(self, dimensions: Sequence[_Dimension], target: SSAValue, whole: Mapping[Hashable, Linear]) -> str:
        """Why the box does not lie in the target as it would be written; empty where it does."""
        places = [one.substitute(whole, self.extents) for one in indices_of(self.block, 1, self.extents)]
        place = strided_index(places, strides_of(target))
        place = place.substitute(
            {variable: ZERO for variable, extent in self.extents.items() if extent == 1}, self.extents
        )
        covered = 1
        for dimension in reversed(dimensions):
            if dimension.digit is None:
                continue
            if not place.is_linear_in(dimension.digit) or place.coefficient(dimension.digit) != covered:
                return (
                    f"'{buffer_name(target)}' is not filled row by row, in the order of the array's dimensions, rows "
                    "side by side"
                )
            covered *= dimension.extent
            place = place.without(dimension.digit)
        if place != ZERO:
            return f"'{buffer_name(target)}' is not filled from its start"
        if covered != prod(shape_of(target)):
            return f"'{buffer_name(target)}' has {prod(shape_of(target))} elements, the copy {covered}"
        return ""

    def _boxes(self, dimensions: Sequence[_Dimension]) -> BoxCopy | str:
        """Boxes of the whole width of a row, or of one panel of the layout each."""
        panel = self._panel(dimensions[-1].extent)
        if isinstance(panel, str):
            return panel
        innermost = dimensions[::-1]
        box = (panel, *(dimension.extent for dimension in innermost[1:]))
        steps = tuple(dimension.step for dimension in innermost)
        starts = tuple(dimension.start for dimension in innermost)
        return self._parts(box, steps, None, starts, dimensions[-1].extent // panel)

    def _boxes_of_pixels(self, found: PixelCopy, pixels: int, channels: int) -> BoxCopy | str:
        panel = self._panel(channels)
        if isinstance(panel, str):
            return panel
        made = self._parts((panel, pixels), found.steps, found.corners, found.starts, channels // panel)
        return made if isinstance(made, str) else replace(made, offsets=found.offsets)

    def _panel(self, row: int) -> int | str:
        """Elements of a row of a box: of the target's row, or of one panel of its layout."""
        width, layout = self._width(), layout_of(self.block.output)
        panel = layout.swizzle // width if layout is not None and layout.panel_rows else row
        if not self.is_compact:
            panel = min(panel, BANKS_BYTES // width)  # a layout may yet cut rows into panels
        return panel if row % panel == 0 else f"rows of {row} elements are no panels of {panel}"

    def _width(self) -> int:
        return cast("FixedBitwidthType", element_type_of(self.block.inputs[0])).size

    def _parts(
        self,
        box: tuple[int, ...],
        steps: tuple[int, ...],
        corners: Corners | None,
        starts: tuple[Linear, ...],
        panels: int,
    ) -> BoxCopy | str:
        """Boxes of the whole array, one after the other along its innermost dimension."""
        source, layout = self.block.inputs[0], layout_of(self.block.output)
        strides = tuple(stride * self._width() for stride in reversed(strides_of(source)[:-1]))
        extents = tuple(reversed(shape_of(source)))
        swizzle = layout.swizzle if layout is not None else 0
        boxes = Boxes(box, extents, strides, steps, swizzle, "zero", corners)
        try:
            boxes.map_of(buffer_name(source), element_type_of(source))
        except ConfigError as error:
            return error.message
        parts = [(number * prod(box), (starts[0] + number * box[0], *starts[1:])) for number in range(panels)]
        return BoxCopy(self.block, boxes, tuple(parts))


def _sum(parts: Sequence[Linear]) -> Linear:
    total = Linear(0)
    for part in parts:
        total = total + part
    return total


def match_box(loop: ForOp, *, is_compact: bool = True) -> BoxCopy | str:
    """The boxes that a loop copies with all that it holds; or why it copies none.

    Before buffers are as small as what they hold (`is_compact`), only the array's side of it is looked at.
    """
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    loops, block = nest
    if not is_copy(block):
        return f"block '{block.block_name}' computes; a plain copy is required"
    scopes = scope_of(block.inputs[0]), scope_of(block.output)
    if scopes != ("global", "shared"):
        return f"it copies from {scopes[0]} to {scopes[1]} memory; from global to shared is required"
    padded = block.accesses.data[0].pad_value
    if padded is not None and padded.value.data != 0:
        return f"it is padded with {padded.value.data}; what lies outside of an array becomes zero"
    if guards_of(block):
        return "it is guarded; what lies outside of an array becomes zero, and nothing else is left out"
    return _Matcher(loops, block, is_compact).match()


def match_box_intrinsic(loop: ForOp) -> object:
    """The boxes of a loop, or a `Mismatch` that says why it has none."""
    found = match_box(loop, is_compact=False)
    if isinstance(found, str):
        return Mismatch(found, "copy a box of an array, rows and strides of multiples of 16 bytes, to a shared buffer")
    return found
