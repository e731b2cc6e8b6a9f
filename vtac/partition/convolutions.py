"""Matrix products, convolutions and poolings: contractions whose variables have the roles of a layer's loops.

Names do not count: a named operation is looked at as the `linalg.generic` that it stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.dialects.builtin import ShapedType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import FillOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.operations.contraction import NO_REDUCTION, Contraction, match_contraction
from vtac.analysis.operations.contraction_bodies import Factor, Kind
from vtac.analysis.operations.structured_view import AccessPattern, structured_view
from vtac.partition.convolution_roles import pooling_roles, product_roles
from vtac.partition.windows import Window


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
    if not isinstance(op, LinalgStructuredOperation) or len(op.results) != 1:
        return f"expected a structured operation with one result, found '{op.name}'"
    if isinstance(op, FillOp) or all(kind.data is IteratorType.PARALLEL for kind in op.get_iterator_types()):
        return NO_REDUCTION
    view = structured_view(op)
    found = view if isinstance(view, str) else match_contraction(view)
    if isinstance(found, str):
        return found
    if found.kind == "product" and (difference := _unlike_integers(found)):
        return difference
    return _with_roles(op, found, found.factors)


def _with_roles(op: LinalgStructuredOperation, found: Contraction[int], factors: Sequence[Factor]) -> Convolution | str:
    view, pattern = found.view, cast(AccessPattern, found.view.pattern)
    if found.kind == "product":
        roles = product_roles(pattern, (factors[0].position, factors[1].position))
    else:
        roles = pooling_roles(pattern, factors[0].position)
    if isinstance(roles, str):
        return roles
    ordered = factors[::-1] if roles.is_exchanged else factors
    data, kernel = view.inputs[ordered[0].position], view.inputs[ordered[-1].position]
    return Convolution(
        op,
        found.kind,
        data.value,
        kernel.value if found.kind == "product" else None,
        roles.data_dims,
        roles.kernel_dims,
        roles.result_dims,
        roles.windows,
        roles.depthwise,
        tuple(view.inputs[factor.zero_point].value for factor in ordered if factor.zero_point is not None),
    )


def _unlike_integers(found: Contraction[int]) -> str:
    """Why the factors are no signed integers, each with a zero point or none with one; empty when they are."""
    wrong = next((factor for factor in found.factors if factor.widening not in (None, "signed")), None)
    if wrong is not None:
        return f"expected an input, sign-extended by arith.extsi, as factor, found a widening that is {wrong.widening}"
    if len({factor.zero_point is None for factor in found.factors}) > 1:
        return "expected zero points for both factors or for none"
    return ""
