"""The loops of a structured operation, and the windows that they move over its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
)


@dataclass(frozen=True)
class Window:
    """One spatial axis: the kernel moves by `stride`, its `size` elements lie `dilation` apart."""

    size: int = 1
    stride: int = 1
    dilation: int = 1


@dataclass
class Loops:
    """Which operands each loop moves, and how."""

    op: LinalgStructuredOperation
    extents: tuple[int, ...]
    reductions: frozenset[int]
    maps: list[AffineMap]

    def describe(self, loop: int) -> str:
        kind = "reduction" if loop in self.reductions else "parallel"
        return f"loop d{loop} ({kind}, extent {self.extents[loop]})"


Windows: TypeAlias = dict[int, dict[int, int]]
"""By dimension of the data: the stride of each loop in its index."""


def match_data(loops: Loops, data: int) -> tuple[dict[int, int], Windows] | str:
    """Loops that are an index of the data by themselves, with the dimension; and the sliding indices."""
    plain: dict[int, int] = {}
    windows: Windows = {}
    used: set[int] = set()
    for dim, index in enumerate(loops.maps[data].results):
        strides = _strides(index)
        if strides is None or any(stride < 1 for stride in strides.values()):
            return f"expected sums of loops times positive numbers as indices of the data, found {index}"
        repeated = next((loop for loop in strides if loop in used), None)
        if repeated is not None:
            return f"expected every loop in one index of the data, {loops.describe(repeated)} stands in several"
        used |= strides.keys()
        if len(strides) == 1 and next(iter(strides.values())) == 1:
            plain[next(iter(strides))] = dim
        else:
            windows[dim] = strides
    return plain, windows


def match_axes(
    loops: Loops, windows: Windows, plain: dict[int, int], spatial: list[int], taps: list[int]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[Window, ...]] | str:
    """For each spatial loop: its data dimension, its kernel loop, its window."""
    dims: list[int] = []
    used: list[int] = []
    shapes: list[Window] = []
    for loop in spatial:
        dim = next((d for d, strides in windows.items() if loop in strides), plain.get(loop))
        if dim is None:
            return f"{loops.describe(loop)} does not index the data"
        strides = windows.get(dim, {loop: 1})
        inner = [other for other in strides if other != loop]
        if len(inner) > 1 or any(other not in taps for other in inner):
            return f"expected {loops.describe(loop)} plus one reduction as index {dim} of the data"
        dims.append(dim)
        used += inner
        size, dilation = (loops.extents[inner[0]], strides[inner[0]]) if inner else (1, 1)
        shapes.append(Window(size, strides[loop], dilation))
    for tap in taps:
        if tap not in used:
            return f"{loops.describe(tap)} moves no window of the data"
    if len(used) != 2 * bool(taps) and len(used) != len(spatial):
        return "expected a window along both spatial axes, or along none"
    return tuple(dims), tuple(used), tuple(shapes)


def plain_dims(indices: AffineMap) -> dict[int, int] | None:
    """Which dimension each loop is the index of, when every index is one loop."""
    found = {index.position: dim for dim, index in enumerate(indices.results) if isinstance(index, AffineDimExpr)}
    return found if len(found) == len(indices.results) else None


def _strides(index: AffineExpr) -> dict[int, int] | None:
    """The factor of each loop in a sum of loops times numbers; None for anything else."""
    if isinstance(index, AffineDimExpr):
        return {index.position: 1}
    if not isinstance(index, AffineBinaryOpExpr):
        return None
    if index.kind is AffineBinaryOpKind.Add:
        left, right = _strides(index.lhs), _strides(index.rhs)
        return None if left is None or right is None or set(left) & set(right) else left | right
    if index.kind is AffineBinaryOpKind.Mul and isinstance(index.rhs, AffineConstantExpr):
        left = _strides(index.lhs)
        return None if left is None else {loop: factor * index.rhs.value for loop, factor in left.items()}
    return None
