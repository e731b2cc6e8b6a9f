"""Windows of an image as channels of another: a layout that the host makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, cast

from xdsl.dialects.builtin import DenseArrayBase, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, prop_def
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.packing.numbered import NumberedOp


@dataclass(frozen=True)
class Folding:
    """Windows along two axes: `window` places, `dilations` apart; the next window `strides` on; the first at `-low`."""

    window: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    low: tuple[int, int]


@irdl_op_definition
class FoldOp(NumberedOp):
    """The places of a window over an image, side by side as channels.

    `order` says which dimensions of the source are its rows, its channels, and the two along which windows move.
    With C channels and windows of A x B,

        result[n, y, x, (a * B + b) * C + c] =
            source[n, c, y * strides[0] + a * dilations[0] - low[0], x * strides[1] + b * dilations[1] - low[1]]

    and zero where that lies outside of the source. How many windows there are, the result's type says.
    """

    name = "packing.fold"

    NUMBERS: ClassVar[tuple[str, ...]] = ("order", "window", "strides", "dilations", "low")

    order = prop_def(DenseArrayBase.constr(i64))
    window = prop_def(DenseArrayBase.constr(i64))
    strides = prop_def(DenseArrayBase.constr(i64))
    dilations = prop_def(DenseArrayBase.constr(i64))
    low = prop_def(DenseArrayBase.constr(i64))

    @staticmethod
    def build_from(source: SSAValue, order: Sequence[int], folding: Folding, extents: Sequence[int]) -> FoldOp:
        """So many (`extents`) windows along the two axes."""
        kind = cast("TensorType[Attribute]", source.type)
        rows, channels = (kind.get_shape()[dim] for dim in order[:2])
        result = TensorType(kind.get_element_type(), [rows, *extents, prod(folding.window) * channels])
        numbers = (order, folding.window, folding.strides, folding.dilations, folding.low)
        return FoldOp.with_numbers(source, result, numbers)

    @property
    def folding(self) -> Folding:
        """The windows."""
        window, strides, dilations, low = (cast("tuple[int, int]", values) for values in self.values()[1:])
        return Folding(window, strides, dilations, low)

    def verify_(self) -> None:
        source, result = cast("TensorType[Attribute]", self.source.type), self.result.type
        order, *pairs = self.values()
        if sorted(order) != [0, 1, 2, 3] or len(source.get_shape()) != 4 or len(result.get_shape()) != 4:
            raise VerifyException(
                f"expected an order of the four dimensions of an image, found {list(order)} for {source} to {result}"
            )
        for name, values, least in zip(self.NUMBERS[1:], pairs, (1, 1, 1, 0), strict=True):
            if len(values) != 2 or min(values) < least:
                raise VerifyException(f"expected two {name} of at least {least}, found {list(values)}")
        if min((*source.get_shape(), *result.get_shape())) < 1:
            raise VerifyException("expected static, non-empty shapes")
        rows, channels = (source.get_shape()[dim] for dim in order[:2])
        wanted = TensorType(
            source.get_element_type(), [rows, *result.get_shape()[1:3], prod(self.folding.window) * channels]
        )
        if result != wanted:
            raise VerifyException(f"expected the result {wanted}, found {result}")
