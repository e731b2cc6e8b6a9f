"""Matrices whose columns are flattened images, as fully connected layers read them."""

from __future__ import annotations

from collections.abc import Sequence

from vtac.analysis.operations.reshapes import reshape_groups


def flattened_dims(source: Sequence[int], result: Sequence[int], column: int, rows: int) -> tuple[int, ...] | None:
    """The dimensions of images, rows first, that dimension `column` of a matrix is made of; `rows` is that of its rows.

    None where the columns are one dimension, or the rows are several.
    """
    groups = reshape_groups(source, result)
    columns = next((group.source for group in groups if column in group.result), ())
    before = next((group.source for group in groups if rows in group.result), ())
    if len(result) != 2 or len(columns) < 2 or before != (0,) or len(columns) + 1 != len(source):
        return None
    return columns


def layout_of_view(source: Sequence[int], result: Sequence[int], order: Sequence[int], layout: Sequence[int]) -> bool:
    """Whether a tensor in tiles by `layout` has the bytes of its reshape in tiles by `order`: only unit ones differ."""
    partner: dict[int, int] = {}
    for group in reshape_groups(source, result):
        if group.source and group.result:
            if len(group.source) != 1 or len(group.result) != 1:
                return False
            partner[group.source[0]] = group.result[0]
    if [partner.get(dim) for dim in layout[:2]] != list(order[:2]):
        return False
    rest = [partner[dim] for dim in layout[2:] if source[dim] > 1]
    return rest == [dim for dim in order[2:] if result[dim] > 1]
