"""Copies whose rows are pixels of images, as the rows of a convolution's product are: boxes of im2col maps.

A row's number, taken apart by the pixels of an image along each dimension of space, says which pixel it is:

    image = row div (height * width)        y = row div width mod height        x = row mod width

and element [image, y * step + tap, x * step + tap, channel] is copied, zero outside. What the tap adds counts from its
least value, where the bounding box begins, up to the largest offset.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from vtac.analysis.expressions.linear import Linear, Quotient, Remainder
from vtac.dialects.im2col import RANKS, Corners, most_offset


class _Row:
    """The number of a row, as a variable."""


@dataclass(frozen=True)
class _Digit:
    """The part of a row's number that runs along one dimension: number div `weight`, mod `extent` unless 0."""

    weight: int
    extent: int


@dataclass(frozen=True)
class _Along:
    """One dimension of the array: step * digit of the row + rest; no digit where the row does not matter."""

    rest: Linear
    digit: _Digit | None = None
    step: int = 1


@dataclass(frozen=True)
class PixelCopy:
    """Pixels of an array, innermost dimension first: steps, the bounding box, and where it starts."""

    steps: tuple[int, ...]
    corners: Corners
    starts: tuple[Linear, ...]
    offsets: tuple[Linear, ...]


def match_pixels(
    indices: Sequence[Linear], shape: Sequence[int], row: Hashable, channel: Hashable, extents: Mapping[Hashable, int]
) -> PixelCopy | str | None:
    """How elements [image, ..., channel] of an array, outermost first, are pixels of a loop over rows.

    `row` and `channel` are the variables of the loops over rows and channels; `extents` those of all variables. None
    where rows are not numbered as pixels are; why the hardware does not have the copy, where it does not.
    """
    spaced = indices[:-1]
    if len(shape) not in RANKS or indices[-1].coefficient(channel) != 1 or row in indices[-1].variables():
        return None
    first = _first_row(spaced, row) if all(channel not in one.variables() for one in spaced) else None
    if first is None:
        return None
    low, high = (first + Linear.variable(row)).bounds(extents)
    number = _Row()
    known = {**extents, number: high + 1}
    found: list[_Along] = []
    for index in spaced:
        along = _along(index.substitute({row: Linear.variable(number) - first}, known), number)
        if along is None or low < 0:
            return None
        found.append(along)
    counts = _pixels(found[1:], high + 1)
    if counts is None or not _is_image(found[0], counts):
        return None
    return _copied(found, counts, shape, first, indices[-1].without(channel), known)


def _first_row(indices: Sequence[Linear], row: Hashable) -> Linear | None:
    """What is added to a row's number: read from the dimension that counts images, or the outermost that counts."""
    for index in indices:
        atoms = [atom for atom in index.terms if row in Linear(0, {atom: 1}).variables()]
        if not atoms:
            continue
        atom = atoms[0]
        if len(atoms) > 1 or isinstance(atom, Remainder):
            return None
        if not isinstance(atom, Quotient):
            return index.without(row) if index.coefficient(row) == 1 else None
        rest = index - Linear(0, {atom: index.terms[atom]})
        if atom.numerator.coefficient(row) != 1 or index.terms[atom] != 1:
            return None
        return atom.numerator.without(row) + rest * atom.divisor
    return None


def _along(index: Linear, number: Hashable) -> _Along | None:
    """A dimension by the digit of a row's number that runs along it; None for any other."""
    atoms = [atom for atom in index.terms if number in Linear(0, {atom: 1}).variables()]
    if not atoms:
        return _Along(index)
    digit = _digit(atoms[0], number)
    step = index.terms[atoms[0]]
    if len(atoms) > 1 or digit is None or step < 1:
        return None
    return _Along(index - Linear(0, {atoms[0]: step}), digit, step)


def _digit(atom: Hashable, number: Hashable) -> _Digit | None:
    if atom == number:
        return _Digit(1, 0)
    if isinstance(atom, Remainder):
        inner = atom.numerator
        if inner.as_variable() == number:
            return _Digit(1, atom.divisor)
        quotient = next(iter(inner.terms), None)
        whole = isinstance(quotient, Quotient) and inner == Linear(0, {quotient: 1})
        if whole and isinstance(quotient, Quotient) and quotient.numerator.as_variable() == number:
            return _Digit(quotient.divisor, atom.divisor)
        return None
    if isinstance(atom, Quotient) and atom.numerator.as_variable() == number:
        return _Digit(atom.divisor, 0)
    return None


def _pixels(space: Sequence[_Along], rows: int) -> tuple[int, ...] | None:
    """Pixels along each dimension of space, outermost first, where they are the digits of a row's number."""
    weight, counts = 1, list[int]()
    for one in reversed(space):
        count = 1
        if one.digit is not None:
            if one.digit.weight != weight:
                return None
            count = one.digit.extent or -(-rows // weight)
        counts.append(count)
        weight *= count
    return tuple(reversed(counts))


def _is_image(outermost: _Along, counts: Sequence[int]) -> bool:
    """Whether the outermost dimension counts images of so many pixels, or there is one."""
    if outermost.digit is None:
        return True
    weight = 1
    for count in counts:
        weight *= count
    return outermost.digit == _Digit(weight, 0) and outermost.step == 1


def _copied(
    along: Sequence[_Along],
    counts: Sequence[int],
    shape: Sequence[int],
    first: Linear,
    channels: Linear,
    extents: Mapping[Hashable, int],
) -> PixelCopy | str:
    """The copy, from the row `first` on, its dimensions innermost first from here on."""
    space = list(zip(along[1:], counts, shape[1:-1], strict=True))[::-1]
    bounds = [one.rest.bounds(extents) for one, _, _ in space]
    most = most_offset(len(shape))
    for low, high in bounds:
        if high - low > most:
            return f"windows reach over {high - low} pixels; of {len(shape)} dimensions {most} are possible"
    starts, offsets, weight = [channels], list[Linear](), 1
    for (one, count, _), (low, _) in zip(space, bounds, strict=True):
        place = first.floor_divide(weight, extents).modulo(count, extents)
        starts.append(place * one.step + low)
        offsets.append(one.rest - low)
        weight *= count
    image = first.floor_divide(weight, extents) if along[0].digit is not None else Linear(0)
    corners = Corners(
        tuple(low for low, _ in bounds),
        tuple(
            low + (count - 1) * one.step + 1 - extent
            for (one, count, extent), (low, _) in zip(space, bounds, strict=True)
        ),
    )
    steps = (1, *(one.step for one, _, _ in space), 1)
    return PixelCopy(steps, corners, (*starts, along[0].rest + image), tuple(offsets))
