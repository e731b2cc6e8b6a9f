"""The windows that a contraction moves over its data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from vtac.analysis.expressions.affine_expressions import affine_text
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.operations.structured_view import AccessPattern


@dataclass(frozen=True)
class Window:
    """One spatial axis: the kernel moves by `stride`, its `size` elements lie `dilation` apart."""

    size: int = 1
    stride: int = 1
    dilation: int = 1


@dataclass(frozen=True)
class SlidingData:
    """How variables index the data of a contraction.

    `plain` gives the dimension of each variable that is an index by itself; `windows` the
    stride of each variable in the other indices, by dimension.
    """

    plain: dict[int, int]
    windows: dict[int, dict[int, int]]


def match_data(pattern: AccessPattern, data: Sequence[Linear]) -> SlidingData | str:
    """The plain and the sliding ones of the indices of the data, of which every variable moves one."""
    plain: dict[int, int] = {}
    windows: dict[int, dict[int, int]] = {}
    used: set[int] = set()
    for dim, index in enumerate(data):
        strides = cast("dict[int, int]", index.terms)
        if not _is_sum_of_loops(index):
            return f"expected sums of loops times positive numbers as indices of the data, found {affine_text(index)}"
        repeated = next((loop for loop in strides if loop in used), None)
        if repeated is not None:
            return f"expected every loop in one index of the data, {pattern.describe(repeated)} stands in several"
        used |= strides.keys()
        loop = next(iter(strides)) if index.as_variable() is not None else None
        if loop is not None:
            plain[loop] = dim
        else:
            windows[dim] = dict(strides)
    return SlidingData(plain, windows)


def _is_sum_of_loops(index: Linear) -> bool:
    return (
        not index.constant
        and bool(index.terms)
        and all(index.is_linear_in(loop) for loop in index.variables())
        and min(index.terms.values()) > 0
    )


@dataclass(frozen=True)
class Axes:
    """For each spatial loop: the dimension of the data that it moves, the loop over its window, and the window."""

    dims: tuple[int, ...]
    taps: tuple[int, ...]
    windows: tuple[Window, ...]


def match_axes(pattern: AccessPattern, data: SlidingData, spatial: Sequence[int], taps: Sequence[int]) -> Axes | str:
    """The axes of the spatial loops; each of `taps` must move a window of one."""
    dims: list[int] = []
    used: list[int] = []
    shapes: list[Window] = []
    for loop in spatial:
        dim = next((d for d, strides in data.windows.items() if loop in strides), data.plain.get(loop))
        if dim is None:
            return f"{pattern.describe(loop)} does not index the data"
        strides = data.windows.get(dim, {loop: 1})
        inner = [other for other in strides if other != loop]
        if len(inner) > 1 or any(other not in taps for other in inner):
            return f"expected {pattern.describe(loop)} plus one reduction as index {dim} of the data"
        dims.append(dim)
        used += inner
        size, dilation = (pattern.extent(inner[0]), strides[inner[0]]) if inner else (1, 1)
        shapes.append(Window(size, strides[loop], dilation))
    for tap in taps:
        if tap not in used:
            return f"{pattern.describe(tap)} moves no window of the data"
    if len(used) != 2 * bool(taps) and len(used) != len(spatial):
        return "expected a window along both spatial axes, or along none"
    return Axes(tuple(dims), tuple(used), tuple(shapes))
