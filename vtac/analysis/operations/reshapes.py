"""Reshapes, and what they do as groups of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from xdsl.dialects import tensor

from vtac.dialects.packing import ReshapeOp

Reshape: TypeAlias = tensor.CollapseShapeOp | tensor.ExpandShapeOp | ReshapeOp
RESHAPES = (tensor.CollapseShapeOp, tensor.ExpandShapeOp, ReshapeOp)
"""The same elements, in row-major order, in another shape."""


@dataclass(frozen=True)
class Group:
    """Dimensions of the source that become dimensions of the result; one side may be empty (of extent 1)."""

    source: tuple[int, ...]
    result: tuple[int, ...]


def reshape_groups(source: Sequence[int], result: Sequence[int]) -> list[Group]:
    """The smallest groups of neighbours with as many elements on both sides, in order."""
    groups: list[Group] = []
    i = j = 0
    while i < len(source) or j < len(result):
        first, second = i, j
        i, j = _group_ends(source, result, first, second)
        groups.append(Group(tuple(range(first, i)), tuple(range(second, j))))
    return groups


def _group_ends(source: Sequence[int], result: Sequence[int], i: int, j: int) -> tuple[int, int]:
    """Where the group that begins at dimensions `i` and `j` ends; extents of 1 stand alone where they can."""
    if i == len(source) or j == len(result):
        return (i + 1, j) if i < len(source) else (i, j + 1)
    left, right = source[i], result[j]
    if left == 1 and right > 1:
        return i + 1, j
    if right == 1 and left > 1:
        return i, j + 1
    i, j = i + 1, j + 1
    while left != right:
        if left < right:
            left, i = left * source[i], i + 1
        else:
            right, j = right * result[j], j + 1
    return i, j
