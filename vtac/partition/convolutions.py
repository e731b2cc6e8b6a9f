"""Matrix products, convolutions and poolings: contractions whose variables have the roles of a layer's loops.

Names do not count: a named operation is looked at as the `linalg.generic` that it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.dialects.builtin import ShapedType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import Operation, SSAValue

from vtac.analysis.affine_expressions import affine_text
from vtac.analysis.contraction import NO_REDUCTION, Contraction, match_contraction
from vtac.analysis.contraction_bodies import Kind
from vtac.analysis.structured_view import Operand, structured_view
from vtac.partition.windows import SlidingData, Window, match_axes, match_data


@dataclass(frozen=True, eq=False)
class Convolution:
    """A recognised operation. The dimension tuples say where, in an operand, each role lies.

    data:   rows, channels, then the spatial axes       (N, C, H, W)
    kernel: features, channels, then the spatial axes   (O, I, H, W); empty for a pooling
    result: rows, features, then the spatial axes; counted without the dimensions that have no
            role, such as a batch of one product. `result_kept` are those that have one.

    A matrix product has no windows, a pooling no kernel.
    """

    op: LinalgStructuredOperation
    kind: Kind
    data: SSAValue
    kernel: SSAValue | None
    data_dims: tuple[int, ...]
    kernel_dims: tuple[int, ...]
    result_dims: tuple[int, ...]
    windows: tuple[Window, ...] = ()
    depthwise: bool = False
    zero_points: tuple[SSAValue, ...] = ()
    result_kept: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.result_kept:
            kept = tuple(sorted(self.result_dims))
            object.__setattr__(self, "result_kept", kept)
            object.__setattr__(self, "result_dims", tuple(kept.index(dim) for dim in self.result_dims))

    @property
    def terms(self) -> int:
        """Products (or elements) summed up per result."""
        count = prod(window.size for window in self.windows)
        if self.kernel is not None and not self.depthwise:
            count *= tuple(cast(ShapedType, self.kernel.type).get_shape())[self.kernel_dims[1]]
        return count


def match_convolution(op: Operation) -> Convolution | str:
    """The convolution, matrix product or pooling that a linalg operation is, or the first difference from one."""
    if not isinstance(op, LinalgStructuredOperation) or len(op.res) != 1:
        return f"expected a structured operation with one result, found '{op.name}'"
    if all(kind.data is IteratorType.PARALLEL for kind in op.get_iterator_types()):
        return NO_REDUCTION
    view = structured_view(op)
    found = view if isinstance(view, str) else match_contraction(view)
    if isinstance(found, str):
        return found
    if found.kind != "product":
        return _match_pooling(op, found)
    if difference := _unlike_integers(found):
        return difference
    trials = [_match_factors(op, factors) for factors in (found, found.exchanged())]
    return next((trial for trial in trials if isinstance(trial, Convolution)), trials[0])


def _unlike_integers(found: Contraction[int]) -> str:
    """Why the factors are no signed integers, each with a zero point or none with one; empty when they are."""
    wrong = next((factor for factor in found.factors if factor.widening not in (None, "signed")), None)
    if wrong is not None:
        return f"expected an input, sign-extended by arith.extsi, as factor, found a widening that is {wrong.widening}"
    if len({factor.zero_point is None for factor in found.factors}) > 1:
        return "expected zero points for both factors or for none"
    return ""


@dataclass(frozen=True)
class _Roles:
    """The variable over rows, features and channels, those over the image, and those over the window."""

    row: int
    feature: int
    channel: int
    spatial: tuple[int, ...]
    taps: tuple[int, ...]
    depthwise: bool


def _match_factors(op: LinalgStructuredOperation, found: Contraction[int]) -> Convolution | str:
    """The product with the left factor as data and the right one as kernel."""
    data, kernel = found.operands
    result = plain_dims(found.view.output)
    weights = plain_dims(kernel)
    if result is None or weights is None:
        what, operand = ("result", found.view.output) if result is None else ("kernel", kernel)
        return f"expected plain loops as indices of the {what}, found {_described(operand)}"
    sliding = match_data(found.view, data)
    if isinstance(sliding, str):
        return sliding
    roles = _match_roles(found, sliding)
    if isinstance(roles, str):
        return roles
    axes = match_axes(found.view, sliding, roles.spatial, roles.taps)
    if isinstance(axes, str):
        return axes
    plain = sliding.plain
    if roles.row not in plain:
        return f"{found.view.describe(roles.row)} is no plain index of the data"
    channels = () if roles.depthwise else (weights[roles.channel],)
    return Convolution(
        op,
        "product",
        data.value,
        kernel.value,
        (plain[roles.row], plain[roles.channel], *axes.dims),
        (weights[roles.feature], *channels, *(weights[tap] for tap in axes.taps)),
        (result[roles.row], result[roles.feature], *(result[loop] for loop in roles.spatial)),
        axes.windows,
        roles.depthwise,
        tuple(op.inputs[factor.zero_point] for factor in found.factors if factor.zero_point is not None),
    )


def _match_roles(found: Contraction[int], sliding: SlidingData) -> _Roles | str:
    """Roles by the groups of a product's variables, and by which of them index the data by themselves."""
    view = found.view
    if found.partial:
        return f"expected every reduction to index both factors, {view.describe(found.partial[0])} does not"
    features, groups = found.columns, found.batch
    rows = tuple(loop for loop in plain_dims(view.output) or () if loop in found.rows or loop in found.broadcast)
    channels = [loop for loop in found.depth if loop in sliding.plain]
    taps = tuple(loop for loop in found.depth if loop not in sliding.plain)
    if features and channels:
        groups = tuple(loop for loop in groups if view.extent(loop) > 1)
    depthwise = len(groups) == 1 and not features and not channels
    if groups and not depthwise:
        return f"{view.describe(groups[0])} indexes both factors and the result, as a batch or a group of channels"
    if not depthwise and (len(features) != 1 or len(channels) != 1):
        return (
            "expected one loop over features (kernel and result) and one reduction over channels (both factors), "
            f"found {len(features)} and {len(channels)}"
        )
    if len(rows) not in (1, 3):
        return f"expected rows and none or two spatial loops of the data, found {len(rows)} loops"
    if depthwise and len(rows) == 1:
        return "expected two spatial loops of a convolution by channel"
    feature, channel = (groups * 2) if depthwise else (features[0], channels[0])
    return _Roles(rows[0], feature, channel, rows[1:], taps, depthwise)


def _match_pooling(op: LinalgStructuredOperation, found: Contraction[int]) -> Convolution | str:
    (data,), view = found.operands, found.view
    result = plain_dims(view.output)
    if result is None:
        return f"expected plain loops as indices of the result, found {_described(view.output)}"
    sliding = match_data(view, data)
    if isinstance(sliding, str):
        return sliding
    spatial = [loop for loop in result if any(loop in window for window in sliding.windows.values())]
    others = [loop for loop in result if loop not in spatial]
    if len(spatial) != 2 or len(others) != 2:
        return f"expected a pooling over two spatial loops, found {len(spatial)} and {len(others)} others"
    for loop in others:
        if loop not in sliding.plain:
            return f"{view.describe(loop)} does not index the data"
    axes = match_axes(view, sliding, spatial, found.reductions)
    if isinstance(axes, str):
        return axes
    return Convolution(
        op,
        found.kind,
        data.value,
        None,
        (sliding.plain[others[0]], sliding.plain[others[1]], *axes.dims),
        (),
        (result[others[0]], result[others[1]], *(result[loop] for loop in spatial)),
        axes.windows,
    )


def plain_dims(operand: Operand[int]) -> dict[int, int] | None:
    """Which dimension each variable is the index of, when every index is one variable."""
    found = {variable: dim for dim, variable in enumerate(operand.plain) if variable is not None}
    return found if len(found) == len(operand.indices) else None


def _described(operand: Operand[int]) -> str:
    return f"({', '.join(affine_text(index) for index in operand.indices)})"
