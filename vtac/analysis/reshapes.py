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
        if i < len(source) and j < len(result):
            i, j = i + 1, j + 1
            left, right = source[first], result[second]
            if left == 1 and right > 1:
                j = second
            elif right == 1 and left > 1:
                i = first
            else:
                while left != right:
                    if left < right:
                        left, i = left * source[i], i + 1
                    else:
                        right, j = right * result[j], j + 1
        elif i < len(source):
            i += 1
        else:
            j += 1
        groups.append(Group(tuple(range(first, i)), tuple(range(second, j))))
    return groups
