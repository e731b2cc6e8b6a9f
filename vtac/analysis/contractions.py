"""Matrix products, convolutions and poolings, recognised by their loops, maps and bodies.

Names do not count: a named operation is looked at as the `linalg.generic` that it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import ShapedType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import Operation, SSAValue

from vtac.analysis.contraction_bodies import ContractionBody, Kind, match_body
from vtac.analysis.contraction_windows import Loops, Window, match_axes, match_data, plain_dims


@dataclass(frozen=True, eq=False)
class Contraction:
    """A recognised operation. The dimension tuples say where, in an operand, each role lies.

    data:   rows, channels, then the spatial axes       (N, C, H, W)
    kernel: features, channels, then the spatial axes   (O, I, H, W); empty for a pooling
    result: rows, features, then the spatial axes; counted without the dimensions that have no
            role, such as a batch of one product. `result_kept` are those that have one.
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
        count = 1
        for window in self.windows:
            count *= window.size
        if self.kernel is not None and not self.depthwise:
            count *= _shape(self.kernel)[self.kernel_dims[1]]
        return count


def match_contraction(op: Operation) -> Contraction | str:
    """The contraction that an op is, or the first difference from one."""
    if not isinstance(op, LinalgStructuredOperation) or len(op.outputs) != 1 or len(op.res) != 1:
        return f"expected a structured operation with one result, found '{op.name}'"
    try:
        extents = op.get_static_loop_ranges()
    except NotImplementedError:
        return "expected loop extents that follow from the operand shapes"
    reductions = frozenset(
        loop for loop, kind in enumerate(op.get_iterator_types()) if kind.data is IteratorType.REDUCTION
    )
    if not reductions:
        return "expected a reduction loop, found only parallel ones"
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    loops = Loops(op, extents, reductions, maps)
    body = match_body(op)
    if isinstance(body, str):
        return body
    if body.kind == "product":
        return _match_product(loops, body)
    return _match_pooling(loops, body)


def _match_product(loops: Loops, body: ContractionBody) -> Contraction | str:
    problems: list[str] = []
    for data, kernel in (body.factors, body.factors[::-1]):
        found = _match_factors(loops, body, data, kernel)
        if not isinstance(found, str):
            return found
        problems.append(found)
    return problems[0]


@dataclass(frozen=True)
class _Roles:
    """The loop over rows, features and channels, those over the image, and those over the window."""

    row: int
    feature: int
    channel: int
    spatial: list[int]
    taps: list[int]
    depthwise: bool


def _match_factors(loops: Loops, body: ContractionBody, data: int, kernel: int) -> Contraction | str:
    result = plain_dims(loops.maps[-1])
    weights = plain_dims(loops.maps[kernel])
    if result is None or weights is None:
        what = "result" if result is None else "kernel"
        return f"expected plain loops as indices of the {what}, found {loops.maps[-1 if result is None else kernel]}"
    found = match_data(loops, data)
    if isinstance(found, str):
        return found
    plain, windows = found
    roles = _match_roles(loops, result, weights, plain)
    if isinstance(roles, str):
        return roles
    axes = match_axes(loops, windows, plain, roles.spatial, roles.taps)
    if isinstance(axes, str):
        return axes
    data_axes, kernel_axes, shapes = axes
    if roles.row not in plain:
        return f"{loops.describe(roles.row)} is no plain index of the data"
    operands = loops.op.inputs
    channels = () if roles.depthwise else (weights[roles.channel],)
    return Contraction(
        loops.op,
        "product",
        operands[data],
        operands[kernel],
        (plain[roles.row], plain[roles.channel], *data_axes),
        (weights[roles.feature], *channels, *(weights[tap] for tap in kernel_axes)),
        (result[roles.row], result[roles.feature], *(result[loop] for loop in roles.spatial)),
        shapes,
        roles.depthwise,
        tuple(
            operands[body.zero_points[body.factors.index(position)]] for position in (data, kernel) if body.zero_points
        ),
    )


def _match_roles(
    loops: Loops, result: Mapping[int, int], weights: Mapping[int, int], plain: Mapping[int, int]
) -> _Roles | str:
    """Roles by which operands a loop indexes: the result, the kernel, the data by itself."""
    features = [loop for loop in result if loop in weights and loop not in plain]
    groups = [loop for loop in result if loop in weights and loop in plain]
    rows = [loop for loop in result if loop not in weights]
    channels = [loop for loop in weights if loop in loops.reductions and loop in plain]
    taps = [loop for loop in weights if loop in loops.reductions and loop not in plain]
    for loop in loops.reductions:
        if loop not in channels and loop not in taps:
            return f"expected every reduction to index both factors, {loops.describe(loop)} does not index the kernel"
    if features and channels:
        groups = [loop for loop in groups if loops.extents[loop] > 1]
    depthwise = len(groups) == 1 and not features and not channels
    if groups and not depthwise:
        return f"{loops.describe(groups[0])} indexes both factors and the result, as a batch or a group of channels"
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


def _match_pooling(loops: Loops, body: ContractionBody) -> Contraction | str:
    data = body.factors[0]
    result = plain_dims(loops.maps[-1])
    if result is None:
        return f"expected plain loops as indices of the result, found {loops.maps[-1]}"
    found = match_data(loops, data)
    if isinstance(found, str):
        return found
    plain, windows = found
    spatial = [loop for loop in result if any(loop in window for window in windows.values())]
    others = [loop for loop in result if loop not in spatial]
    if len(spatial) != 2 or len(others) != 2:
        return f"expected a pooling over two spatial loops, found {len(spatial)} and {len(others)} others"
    for loop in others:
        if loop not in plain:
            return f"{loops.describe(loop)} does not index the data"
    axes = match_axes(loops, windows, plain, spatial, sorted(loops.reductions))
    if isinstance(axes, str):
        return axes
    return Contraction(
        loops.op,
        body.kind,
        loops.op.inputs[data],
        None,
        (plain[others[0]], plain[others[1]], *axes[0]),
        (),
        (result[others[0]], result[others[1]], *(result[loop] for loop in spatial)),
        axes[2],
    )


def _shape(value: SSAValue) -> tuple[int, ...]:
    return tuple(cast(ShapedType, value.type).get_shape())
