"""Loops that copy a box of an array to shared memory, as a bulk copy does it.

A loop over rows may run through several dimensions of the array, as the pixels of an image: it is taken apart where
quotients and remainders of it are. Pixels that are no whole rows of images are boxes of another kind of map
(`vtac.analysis.bulk_copies.pixel_boxes`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import prod
from typing import cast

from xdsl.dialects.builtin import FixedBitwidthType

from vtac.analysis.bulk_copies.box_dimensions import (
    Digit,
    Dimension,
    as_looped,
    counted,
    digits_along,
    panel_starts,
    with_fewer,
)
from vtac.analysis.bulk_copies.pixel_boxes import PixelCopy, match_pixels
from vtac.analysis.expressions.linear import ZERO, Linear, Quotient, Remainder
from vtac.analysis.expressions.separation import separated
from vtac.analysis.kernels.shared_matrices import layout_of
from vtac.analysis.nests.accesses import guards_of, indices_of
from vtac.analysis.nests.nest import buffer_name, element_type_of, extents_around, shape_of, strides_of
from vtac.analysis.nests.tiles import match_copy, strided_index
from vtac.dialects.im2col import Corners
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.tensor_maps import MOST_DIMENSIONS
from vtac.dialects.tma import Boxes
from vtac.errors import ConfigError
from vtac.targets.target import Mismatch

LOAD = "tma.load"
BANKS_BYTES = 128


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
        source = self.block.inputs[0]
        loops = [loop for loop in self.loops if loop.trip_count > 1]
        if len(loops) != len(("rows", "channels")):
            return None
        rows, channels = (Digit(loop, 1, loop.trip_count) for loop in loops)
        whole: dict[Hashable, Linear] = {one.loop.induction_variable: Linear.variable(one) for one in (rows, channels)}
        self.extents.update({rows: rows.extent, channels: channels.extent})
        indices = [one.substitute(whole, self.extents) for one in indices_of(self.block, 0, self.extents)]
        apart = [separated(one, {channels}, self.extents) for one in indices]
        found = match_pixels(apart, shape_of(source), rows, channels, self.extents)
        if not isinstance(found, PixelCopy):
            return f"'{buffer_name(source)}' has no such pixels: {found}" if found is not None else None
        both = [Dimension(1, 1, ZERO, rows), Dimension(1, 1, found.starts[0], channels)]
        wrong = self._wrong_order(both, whole)
        return wrong or self._boxes_of_pixels(found, rows.extent, channels.extent)

    def _tiled(self) -> BoxCopy | str:
        """A box of the whole width of the target's rows, or where there is none several side by side."""
        indices = indices_of(self.block, 0, self.extents)
        digits = self._digits(indices)
        self.extents.update(counted(digits))
        inner = [parts for parts in digits.values() if parts][-1:]
        found = self._with_panels(indices, digits, [])
        if isinstance(found, str) and inner and len(inner[0]) > 1:
            panels = self._with_panels(indices, digits, inner[0][1:])
            found = panels if not isinstance(panels, str) or found == self._not_by_rows() else found
        return found

    def _with_panels(
        self, indices: Sequence[Linear], digits: Mapping[ForOp, Sequence[Digit]], panels: Sequence[Digit]
    ) -> BoxCopy | str:
        """Boxes, one for each value of some parts of the loop over a row, in the fewest steps of each dimension."""
        source = self.block.inputs[0]
        whole: dict[Hashable, Linear] = {
            loop.induction_variable: sum((Linear.variable(one) * one.weight for one in parts), ZERO)
            for loop, parts in digits.items()
        }
        every = [one for parts in digits.values() for one in parts if one not in panels]
        dimensions: list[Dimension] = []
        for index, size, stride in zip(indices, shape_of(source), strides_of(source), strict=True):
            found = self._dimension(index.substitute(whole, self.extents), every, panels)
            if isinstance(found, str):
                return f"'{buffer_name(source)}' is {found}"
            dimensions.append(replace(found, size=size, stride=stride))
        along = {one.digit for one in dimensions} | {digit for one in dimensions for digit in one.panels}
        missing = next((one for one in (*every, *panels) if one not in along), None)
        if missing is not None:
            return f"loop '{missing.loop.loop_name}' does not run along a dimension of '{buffer_name(source)}'"
        first = ""
        for fewer in with_fewer(dimensions, self.extents):
            made = self._wrong_order(fewer, whole, panels) or self._boxes(fewer, panels)
            if not isinstance(made, str):
                return made
            first = first or made
        return first or (
            f"tensor map of '{buffer_name(source)}': {len(dimensions)} dimensions; 1 to {MOST_DIMENSIONS} are possible"
            ", and no two neighbours are one, as boxes leave the inner of them"
        )

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

    def _dimension(self, index: Linear, digits: Sequence[Digit], panels: Sequence[Digit]) -> Dimension | str:
        apart = separated(index, {*digits, *panels}, self.extents)
        inside = [one for one in digits if one in apart.variables()]
        moving = [one for one in panels if one in apart.variables()]
        if any(not apart.is_linear_in(one) for one in (*inside, *moving)) or len(inside) > 1:
            return "not addressed by one part of a loop along each dimension"
        by = {one: apart.coefficient(one) for one in moving}
        for one in moving:
            apart = apart.without(one)
        if not inside:
            return Dimension(1, 1, apart, panels=by)
        step = apart.coefficient(inside[0])
        if step < 1:
            return f"walked by steps of {step} elements"
        return Dimension(1, 1, apart.without(inside[0]), inside[0], step, by)

    def _wrong_order(
        self, dimensions: Sequence[Dimension], whole: Mapping[Hashable, Linear], panels: Sequence[Digit] = ()
    ) -> str:
        """Why the box does not lie in the target as it would be written; empty where it does."""
        target = self.block.output
        first, *others = digits_along(dimensions) or [None]
        order = [one for one in (first, *panels, *others) if one is not None]
        if not self.is_compact:
            return "" if order == as_looped(order, self.loops) else self._not_by_rows()
        places = [one.substitute(whole, self.extents) for one in indices_of(self.block, 1, self.extents)]
        place = strided_index(places, strides_of(target))
        place = place.substitute(
            {variable: ZERO for variable, extent in self.extents.items() if extent == 1}, self.extents
        )
        covered = 1
        for digit in order:
            if not place.is_linear_in(digit) or place.coefficient(digit) != covered:
                return self._not_by_rows()
            covered *= digit.extent
            place = place.without(digit)
        if place != ZERO:
            return f"'{buffer_name(target)}' is not filled from its start"
        if covered != prod(shape_of(target)):
            return f"'{buffer_name(target)}' has {prod(shape_of(target))} elements, the copy {covered}"
        return ""

    def _not_by_rows(self) -> str:
        return (
            f"'{buffer_name(self.block.output)}' is not filled row by row, in the order of the array's dimensions, "
            "rows side by side"
        )

    def _boxes(self, dimensions: Sequence[Dimension], panels: Sequence[Digit]) -> BoxCopy | str:
        """Boxes of the whole width of a row, or of one panel of the layout each."""
        row = dimensions[-1].extent
        panel = self._panel(row, several=bool(panels))
        if isinstance(panel, str):
            return panel
        innermost = dimensions[::-1]
        box = (panel, *(dimension.extent for dimension in innermost[1:]))
        steps = tuple(dimension.step for dimension in innermost)
        width = self._width()
        strides = tuple(one.stride * width for one in innermost[1:])
        made = self._boxes_of(box, tuple(one.size for one in innermost), strides, steps, None)
        if isinstance(made, str):
            return made
        starts = panel_starts(dimensions, panels, panel)
        return BoxCopy(self.block, made, tuple((at * prod(box), places) for at, places in enumerate(starts)))

    def _boxes_of_pixels(self, found: PixelCopy, pixels: int, channels: int) -> BoxCopy | str:
        source = self.block.inputs[0]
        panel = self._panel(channels)
        if isinstance(panel, str):
            return panel
        strides = tuple(stride * self._width() for stride in reversed(strides_of(source)[:-1]))
        extents = tuple(reversed(shape_of(source)))
        made = self._boxes_of((panel, pixels), extents, strides, found.steps, found.corners)
        if isinstance(made, str):
            return made
        first, *others = found.starts
        parts = [(at * panel * pixels, (first + at * panel, *others)) for at in range(channels // panel)]
        return BoxCopy(self.block, made, tuple(parts), found.offsets)

    def _panel(self, row: int, *, several: bool = False) -> int | str:
        """Elements of a row of a box: of the target's row, or of one panel of its layout, where it has `several`."""
        width, layout = self._width(), layout_of(self.block.output)
        panel = layout.swizzle // width if layout is not None and layout.panel_rows else row
        if not self.is_compact:
            panel = min(panel, BANKS_BYTES // width)  # a layout may yet cut rows into panels
        elif several and (layout is None or not layout.panel_rows):
            return f"'{buffer_name(self.block.output)}' has rows of several boxes, and no panels"
        return panel if row % panel == 0 else f"rows of {row} elements are no panels of {panel}"

    def _width(self) -> int:
        return cast("FixedBitwidthType", element_type_of(self.block.inputs[0])).size

    def _boxes_of(
        self,
        box: tuple[int, ...],
        extents: tuple[int, ...],
        strides: tuple[int, ...],
        steps: tuple[int, ...],
        corners: Corners | None,
    ) -> Boxes | str:
        """Boxes of the whole array, as the target's layout has them."""
        source, layout = self.block.inputs[0], layout_of(self.block.output)
        boxes = Boxes(box, extents, strides, steps, layout.span if layout is not None else 0, "zero", corners)
        try:
            boxes.map_of(buffer_name(source), element_type_of(source))
        except ConfigError as error:
            return error.message
        return boxes


def match_box(loop: ForOp, *, is_compact: bool = True) -> BoxCopy | str:
    """The boxes that a loop copies with all that it holds; or why it copies none.

    Before buffers are as small as what they hold (`is_compact`), only the array's side of it is looked at.
    """
    nest = match_copy(loop, "global", "shared")
    if isinstance(nest, str):
        return nest
    loops, block = nest
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
