"""Reshapes as groups of dimensions, and what they make of expressions and of packed layouts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vtac.analysis.elementwise import NOWHERE
from vtac.analysis.reshapes import Group, reshape_groups
from vtac.partition.convolutions import Convolution
from vtac.partition.expressions import Element, Expression, elements, substituted
from vtac.partition.stored import Order, Stored

View = Callable[[Stored, tuple[int, ...]], Stored]
"""The same elements, in row-major order, in another shape."""


def reshaped(expression: Expression, groups: Sequence[Group], shape: Sequence[int], view: View) -> Expression | None:
    """The expression over the indices of the result, or None where an element cannot be read by them.

    Elements of accumulators and of windows keep their indices, `NOWHERE` for one that is always 0.
    """
    unreadable: list[Expression] = []

    def moved(part: Expression) -> Expression | None:
        if not isinstance(part, Element):
            return None
        found = _reshaped_element(part, groups, shape, view)
        if found is None:
            unreadable.append(part)
        return found

    found = substituted(expression, moved)
    return None if unreadable else found


def _reshaped_element(element: Element, groups: Sequence[Group], shape: Sequence[int], view: View) -> Expression | None:
    if isinstance(element.source, Convolution) or element.steps:
        places = {g.source[0]: g.result[0] if g.result else NOWHERE for g in groups if len(g.source) == 1}
        moved = {NOWHERE: NOWHERE, **places}
        if any(len(g.result) > 1 and g.source[0] in element.dims for g in groups if g.source):
            return None
        if any(dim not in moved for dim in element.dims):
            return None
        return replace(element, dims=tuple(moved[dim] for dim in element.dims))
    if not isinstance(element.source, Stored):
        return None
    group_of = {dim: group for group in groups for dim in group.source}
    dims: list[int] = []
    position = 0
    while position < len(element.dims):
        group = group_of[element.dims[position]]
        end = position + len(group.source)
        if element.dims[position:end] != group.source:
            return None
        dims += group.result
        position = end
    return Element(view(element.source, tuple(shape[dim] for dim in dims)), tuple(dims), element.kind)


def without_units(expression: Expression, view: View) -> Expression:
    """The expression with unit dimensions, read at `NOWHERE`, taken out of the stored tensors that it reads."""
    return substituted(expression, lambda part: _without_units(part, view) if isinstance(part, Element) else None)


def _without_units(element: Element, view: View) -> Element:
    if NOWHERE not in element.dims or element.steps or not isinstance(element.source, Stored):
        return element
    kept = [position for position, dim in enumerate(element.dims) if dim != NOWHERE]
    source = view(element.source, tuple(element.source.shape[position] for position in kept))
    return Element(source, tuple(element.dims[position] for position in kept), element.kind)


def with_natural_rank(
    expression: Expression, shape: tuple[int, ...], view: View
) -> tuple[Expression, tuple[int, ...]] | None:
    """An expression over as many dimensions as the product or window that it reads has, and their extents.

    Unit dimensions that the result lacks are added, those that only the result has are left
    out; without a product, as many are left out as it takes for 2 or 4 dimensions. None when
    there is nothing to do.
    """
    found = [element for element in elements(expression) if _has_own_rank(element)]
    kept = _kept(found, shape)
    lost = [sum(dim not in kept for dim in element.dims) for element in found]
    added = max(lost, default=0)
    if not added and len(kept) == len(shape):
        return None
    places = {dim: index for index, dim in enumerate(kept)}

    def moved(part: Expression) -> Expression | None:
        if not isinstance(part, Element):
            return None
        free = iter(range(len(kept), len(kept) + added))
        dims = tuple(places[d] if d in places else next(free) if _has_own_rank(part) else NOWHERE for d in part.dims)
        return without_units(replace(part, dims=dims), view)

    return substituted(expression, moved), (*(shape[dim] for dim in kept), *(1,) * added)


def _has_own_rank(element: Element) -> bool:
    return isinstance(element.source, Convolution) or bool(element.steps)


def _kept(found: Sequence[Element], shape: tuple[int, ...]) -> list[int]:
    """The dimensions of a result that remain."""
    if found:
        return [dim for dim in range(len(shape)) if dim in found[0].dims or shape[dim] > 1]
    count = sum(extent > 1 for extent in shape)
    rank = next((rank for rank in (2, 4) if count <= rank <= len(shape)), len(shape))
    spare = len(shape) - rank
    kept: list[int] = []
    for dim, extent in enumerate(shape):
        if extent == 1 and spare:
            spare -= 1
        else:
            kept.append(dim)
    return kept


def base_order(view: Stored, base: Stored, order: Order, layouts: Sequence[Order]) -> Order | None:
    """A layout of `base` whose packed bytes are those of `view` in `order`, where only unit dimensions differ."""
    partner: dict[int, int] = {}
    for group in reshape_groups(base.shape, view.shape):
        if group.source and group.result:
            if len(group.source) != 1 or len(group.result) != 1:
                return None
            partner[group.source[0]] = group.result[0]
    for layout in layouts:
        if [partner.get(dim) for dim in layout[:2]] != list(order[:2]):
            continue
        rest = [partner[dim] for dim in layout[2:] if base.shape[dim] > 1]
        if rest == [dim for dim in order[2:] if view.shape[dim] > 1]:
            return layout
    return None


@dataclass(frozen=True)
class Flattening:
    """How the columns of a matrix are several dimensions of packed images: in the order of `layout`.

    `columns` are those dimensions in the order that the matrix has them.
    """

    layout: Order
    columns: tuple[int, ...]


def flattening(view: Stored, base: Stored, column: int, layouts: Sequence[Order]) -> Flattening | None:
    """How dimension `column` of a matrix is made of several dimensions of `base`, packed as one of `layouts`."""
    groups = reshape_groups(base.shape, view.shape)
    columns = next((group.source for group in groups if column in group.result), ())
    rows = next((group.source for group in groups if 1 - column in group.result), ())
    if len(view.shape) != 2 or len(columns) < 2 or len(rows) != 1:
        return None
    for layout in layouts:
        if layout[0] == rows[0] and layout[1] in columns and len(layout) == len(columns) + 1:
            return Flattening(layout, columns)
    return None
