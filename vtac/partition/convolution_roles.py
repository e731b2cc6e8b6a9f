"""The roles that dimensions have in a matrix product, convolution or pooling: they follow from its access pattern."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from vtac.analysis.expressions.affine_expressions import affine_text
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.operations.contraction import Groups, groups_of
from vtac.analysis.operations.structured_view import AccessPattern
from vtac.partition.windows import SlidingData, Window, match_axes, match_data


@dataclass(frozen=True, slots=True)
class Roles:
    """Where, in data, kernel and result, each role lies (as a `Convolution` has it).

    `is_exchanged` says that the second factor is the data.
    """

    data_dims: tuple[int, ...]
    kernel_dims: tuple[int, ...]
    result_dims: tuple[int, ...]
    windows: tuple[Window, ...]
    depthwise: bool = False
    is_exchanged: bool = False


@lru_cache(maxsize=1024)
def product_roles(pattern: AccessPattern, factors: tuple[int, int]) -> Roles | str:
    """The roles in the product of the inputs at two positions; else why it is no product of data and kernel."""
    first = _match_factors(pattern, factors)
    if isinstance(first, Roles):
        return first
    other = _match_factors(pattern, (factors[1], factors[0]), is_exchanged=True)
    return other if isinstance(other, Roles) else first


@lru_cache(maxsize=1024)
def pooling_roles(pattern: AccessPattern, data: int) -> Roles | str:
    """The roles in a sum or maximum of the input at a position; else why it is no pooling."""
    result = plain_dims(pattern.indices[-1])
    if result is None:
        return f"expected plain loops as indices of the result, found {_text(pattern.indices[-1])}"
    sliding = match_data(pattern, pattern.indices[data])
    if isinstance(sliding, str):
        return sliding
    spatial = [loop for loop in result if any(loop in window for window in sliding.windows.values())]
    others = [loop for loop in result if loop not in spatial]
    if len(spatial) != 2 or len(others) != 2:
        return f"expected a pooling over two spatial loops, found {len(spatial)} and {len(others)} others"
    for loop in others:
        if loop not in sliding.plain:
            return f"{pattern.describe(loop)} does not index the data"
    reductions = [variable for variable, found in pattern.variables.items() if found.reduction]
    axes = match_axes(pattern, sliding, spatial, reductions)
    if isinstance(axes, str):
        return axes
    return Roles(
        (sliding.plain[others[0]], sliding.plain[others[1]], *axes.dims),
        (),
        (result[others[0]], result[others[1]], *(result[loop] for loop in spatial)),
        axes.windows,
    )


@dataclass(frozen=True)
class _Loops:
    """The variable over rows, features and channels, those over the image, and those over the window."""

    row: int
    feature: int
    channel: int
    spatial: tuple[int, ...]
    taps: tuple[int, ...]
    depthwise: bool


def _match_factors(pattern: AccessPattern, factors: tuple[int, int], *, is_exchanged: bool = False) -> Roles | str:
    """The product with the left factor as data and the right one as kernel."""
    data, kernel = (pattern.indices[position] for position in factors)
    result = plain_dims(pattern.indices[-1])
    weights = plain_dims(kernel)
    if result is None or weights is None:
        what, indices = ("result", pattern.indices[-1]) if result is None else ("kernel", kernel)
        return f"expected plain loops as indices of the {what}, found {_text(indices)}"
    sliding = match_data(pattern, data)
    if isinstance(sliding, str):
        return sliding
    loops = _match_loops(pattern, groups_of(pattern, factors), sliding, result)
    if isinstance(loops, str):
        return loops
    axes = match_axes(pattern, sliding, loops.spatial, loops.taps)
    if isinstance(axes, str):
        return axes
    plain = sliding.plain
    if loops.row not in plain:
        return f"{pattern.describe(loops.row)} is no plain index of the data"
    channels = () if loops.depthwise else (weights[loops.channel],)
    return Roles(
        (plain[loops.row], plain[loops.channel], *axes.dims),
        (weights[loops.feature], *channels, *(weights[tap] for tap in axes.taps)),
        (result[loops.row], result[loops.feature], *(result[loop] for loop in loops.spatial)),
        axes.windows,
        loops.depthwise,
        is_exchanged,
    )


def _match_loops(
    pattern: AccessPattern, groups: Groups[int], sliding: SlidingData, result: Iterable[int]
) -> _Loops | str:
    """Roles by the groups of a product's variables, and by which of them index the data by themselves."""
    if groups.partial:
        return f"expected every reduction to index both factors, {pattern.describe(groups.partial[0])} does not"
    features, batch = groups.columns, groups.batch
    rows = tuple(loop for loop in result if loop in groups.rows or loop in groups.broadcast)
    channels = [loop for loop in groups.depth if loop in sliding.plain]
    taps = tuple(loop for loop in groups.depth if loop not in sliding.plain)
    if features and channels:
        batch = tuple(loop for loop in batch if pattern.extent(loop) > 1)
    depthwise = len(batch) == 1 and not features and not channels
    if batch and not depthwise:
        return f"{pattern.describe(batch[0])} indexes both factors and the result, as a batch or a group of channels"
    if not depthwise and (len(features) != 1 or len(channels) != 1):
        return (
            "expected one loop over features (kernel and result) and one reduction over channels (both factors), "
            f"found {len(features)} and {len(channels)}"
        )
    if len(rows) not in (1, 3):
        return f"expected rows and none or two spatial loops of the data, found {len(rows)} loops"
    if depthwise and len(rows) == 1:
        return "expected two spatial loops of a convolution by channel"
    feature, channel = (batch * 2) if depthwise else (features[0], channels[0])
    return _Loops(rows[0], feature, channel, rows[1:], taps, depthwise)


def plain_dims(indices: Sequence[Linear]) -> dict[int, int] | None:
    """Which dimension each variable is the index of, when every index is one variable."""
    variables = [index.as_variable() for index in indices]
    found = {variable: dim for dim, variable in enumerate(variables) if isinstance(variable, int)}
    return found if len(found) == len(indices) else None


def _text(indices: Sequence[Linear]) -> str:
    return f"({', '.join(affine_text(index) for index in indices)})"
