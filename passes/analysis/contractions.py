"""Matrix products, convolutions and poolings, recognised by their loops, maps and bodies.

Names do not count: a named operation is looked at as the `linalg.generic` that it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import ShapedType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
)

Kind: TypeAlias = Literal["product", "max", "sum"]
_SUMS = arith.AddiOp | arith.AddfOp
_MAXIMA = arith.MaxSIOp | arith.MaximumfOp | arith.MaxnumfOp


@dataclass(frozen=True)
class Window:
    """One spatial axis: the kernel moves by `stride`, its `size` elements lie `dilation` apart."""

    size: int = 1
    stride: int = 1
    dilation: int = 1


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


@dataclass
class _Loops:
    """Which operands each loop moves, and how."""

    op: LinalgStructuredOperation
    extents: tuple[int, ...]
    reductions: frozenset[int]
    maps: list[AffineMap]
    names: list[str] = field(default_factory=list[str])

    def describe(self, loop: int) -> str:
        kind = "reduction" if loop in self.reductions else "parallel"
        return f"loop d{loop} ({kind}, extent {self.extents[loop]})"


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
    loops = _Loops(op, extents, reductions, maps)
    body = _match_body(op)
    if isinstance(body, str):
        return body
    if body.kind == "product":
        return _match_product(loops, body)
    return _match_pooling(loops, body)


@dataclass(frozen=True)
class _Body:
    kind: Kind
    factors: tuple[int, ...]
    zero_points: tuple[int, ...] = ()


def _match_body(op: LinalgStructuredOperation) -> _Body | str:
    """acc + a * b, acc + a, or max(acc, a), with operands widened and zero points subtracted."""
    block = op.body.block
    last = cast(Operation, block.last_op)
    total = last.operands[0].owner
    if not isinstance(total, _SUMS | _MAXIMA):
        return f"expected arith.addi or arith.maxsi at the end of the body, found {_name(total)}"
    accumulator = block.args[-1]
    if accumulator not in total.operands:
        return f"expected {total.name} of the accumulator (the last argument of the body)"
    other = total.rhs if total.lhs is accumulator else total.lhs
    if isinstance(total, _MAXIMA) or not isinstance(other.owner, arith.MuliOp):
        factor = _factor(other)
        if isinstance(factor, str) or factor[1] is not None:
            return (
                f"expected arith.muli of two inputs, or one input, added to the accumulator, found {_name(other.owner)}"
            )
        return _Body("max" if isinstance(total, _MAXIMA) else "sum", (factor[0],))
    factors = [_factor(other.owner.lhs), _factor(other.owner.rhs)]
    for factor in factors:
        if isinstance(factor, str):
            return factor
    (left, left_zero), (right, right_zero) = cast("list[tuple[int, int | None]]", factors)
    zeros = () if left_zero is None or right_zero is None else (left_zero, right_zero)
    if (left_zero is None) != (right_zero is None):
        return "expected zero points for both factors or for none"
    return _Body("product", (left, right), zeros)


def _factor(value: SSAValue) -> tuple[int, int | None] | str:
    """(position of the input, position of its zero point) of extsi(input) - zero point."""
    zero: int | None = None
    if isinstance(value.owner, arith.SubiOp):
        subtracted = _argument(value.owner.rhs)
        if subtracted is None:
            return "expected a zero point that is an operand"
        value, zero = value.owner.lhs, subtracted
    position = _argument(value)
    if position is None:
        return f"expected an input, sign-extended by arith.extsi, as factor, found {_name(value.owner)}"
    return position, zero


def _argument(value: SSAValue) -> int | None:
    if isinstance(value.owner, arith.ExtSIOp):
        value = value.owner.input
    return value.index if isinstance(value, BlockArgument) else None


def _match_product(loops: _Loops, body: _Body) -> Contraction | str:
    problems: list[str] = []
    for data, kernel in (body.factors, body.factors[::-1]):
        found = _match_roles(loops, body, data, kernel)
        if not isinstance(found, str):
            return found
        problems.append(found)
    return problems[0]


def _match_roles(loops: _Loops, body: _Body, data: int, kernel: int) -> Contraction | str:
    result = _plain_dims(loops.maps[-1])
    weights = _plain_dims(loops.maps[kernel])
    if result is None or weights is None:
        what = "result" if result is None else "kernel"
        return f"expected plain loops as indices of the {what}, found {loops.maps[-1 if result is None else kernel]}"
    found = _match_data(loops, data)
    if isinstance(found, str):
        return found
    plain, windows = found
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
    spatial = rows[1:]
    if len(spatial) not in (0, 2):
        return f"expected rows and none or two spatial loops of the data, found {len(rows)} loops"
    if depthwise and not spatial:
        return "expected two spatial loops of a convolution by channel"
    feature, channel = (groups * 2) if depthwise else (features[0], channels[0])
    axes = _axes(loops, windows, plain, spatial, taps)
    if isinstance(axes, str):
        return axes
    data_axes, kernel_axes, shapes = axes
    if rows[0] not in plain:
        return f"{loops.describe(rows[0])} is no plain index of the data"
    operands = loops.op.inputs
    return Contraction(
        loops.op,
        "product",
        operands[data],
        operands[kernel],
        (plain[rows[0]], plain[channel], *data_axes),
        (weights[feature], *(() if depthwise else (weights[channel],)), *(weights[tap] for tap in kernel_axes)),
        (result[rows[0]], result[feature], *(result[loop] for loop in spatial)),
        shapes,
        depthwise,
        tuple(
            operands[body.zero_points[body.factors.index(position)]] for position in (data, kernel) if body.zero_points
        ),
    )


def _match_pooling(loops: _Loops, body: _Body) -> Contraction | str:
    data = body.factors[0]
    result = _plain_dims(loops.maps[-1])
    if result is None:
        return f"expected plain loops as indices of the result, found {loops.maps[-1]}"
    found = _match_data(loops, data)
    if isinstance(found, str):
        return found
    plain, windows = found
    spatial = [loop for loop in result if any(loop in window for window in windows.values())]
    others = [loop for loop in result if loop not in spatial]
    if len(spatial) != 2 or len(others) != 2:
        return f"expected a pooling over two spatial loops, found {len(spatial)} and {len(others)} others"
    taps = sorted(loops.reductions)
    axes = _axes(loops, windows, plain, spatial, taps)
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


_Windows: TypeAlias = dict[int, dict[int, int]]
"""By dimension of the data: the stride of each loop in its index."""


def _match_data(loops: _Loops, data: int) -> tuple[dict[int, int], _Windows] | str:
    """Loops that are an index of the data by themselves, with the dimension; and the sliding indices."""
    plain: dict[int, int] = {}
    windows: _Windows = {}
    for dim, index in enumerate(loops.maps[data].results):
        strides = _strides(index)
        if strides is None or any(stride < 1 for stride in strides.values()):
            return f"expected sums of loops times positive numbers as indices of the data, found {index}"
        if len(strides) == 1 and next(iter(strides.values())) == 1:
            plain[next(iter(strides))] = dim
        else:
            windows[dim] = strides
    return plain, windows


def _axes(
    loops: _Loops, windows: _Windows, plain: dict[int, int], spatial: list[int], taps: list[int]
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


def _plain_dims(indices: AffineMap) -> dict[int, int] | None:
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


def _shape(value: SSAValue) -> tuple[int, ...]:
    return tuple(cast(ShapedType, value.type).get_shape())


def _name(owner: object) -> str:
    return owner.name if isinstance(owner, Operation) else "an input"
