"""Attention as one operation on tensors: softmax(scale * q k^T + mask) v, of each of several products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from xdsl.dialects.builtin import (
    I64,
    AffineMapAttr,
    ArrayAttr,
    DenseArrayBase,
    FloatAttr,
    IntegerAttr,
    TensorType,
    f32,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.irdl import (
    IRDLOperation,
    base,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.computations import ComputesTensor

_TENSOR = base(TensorType)
_SIZES = ("rows", "keys", "features", "columns")


@irdl_op_definition
class AttentionOp(IRDLOperation):
    """Of each batch, row i and column e: the sum over keys j of softmax_j(scale * q_i . k_j + mask_ij) * v_je.

    `sizes` are the extents of the batch's dimensions, then rows, keys, features (of q and k) and columns (of v).
    `maps` say where the operands, and last the result, have their elements: q at (batch, row, feature), k at (batch,
    key, feature), v at (batch, key, column), a mask at (batch, row, key), the result at (batch, row, column). With
    `diagonal`, keys beyond row + diagonal do not count. Sums and softmax are in f32; the weights that multiply v have
    the type of v.
    """

    name = "wmma.attention"

    query = operand_def(_TENSOR)
    key = operand_def(_TENSOR)
    value = operand_def(_TENSOR)
    mask = opt_operand_def(_TENSOR)
    maps = prop_def(ArrayAttr[AffineMapAttr])
    sizes = prop_def(DenseArrayBase.constr(i64))
    scale = prop_def(FloatAttr)
    diagonal = opt_prop_def(IntegerAttr[I64])
    result = result_def(_TENSOR)

    traits = traits_def(Pure(), ComputesTensor())
    assembly_format = (
        "$query `,` $key `,` $value (`mask` $mask^)? `sizes` qualified($sizes) `scale` $scale (`diagonal` $diagonal^)? "
        "`maps` $maps attr-dict `:` type($query) `,` type($key) `,` type($value) (`,` type($mask)^)? `->` "
        "type($result)"
    )

    @staticmethod
    def get(
        operands: Sequence[SSAValue],
        maps: Sequence[AffineMap],
        sizes: Sequence[int],
        scale: float,
        diagonal: int | None,
        result: Attribute,
    ) -> AttentionOp:
        """The operation on q, k, v and, if there is one, the mask; `maps` are theirs and the result's."""
        query, key, value, *mask = operands
        return AttentionOp(
            operands=[query, key, value, mask],
            properties={
                "maps": ArrayAttr([AffineMapAttr(one) for one in maps]),
                "sizes": DenseArrayBase.from_list(i64, list(sizes)),
                "scale": FloatAttr(scale, f32),
                "diagonal": None if diagonal is None else IntegerAttr(diagonal, i64),
            },
            result_types=[result],
        )

    @property
    def batch(self) -> tuple[int, ...]:
        """The extents of the batch's dimensions."""
        return tuple(int(size) for size in self.sizes.get_values()[:-4])

    @property
    def extents(self) -> tuple[int, int, int, int]:
        """Rows, keys, features and columns."""
        rows, keys, features, columns = (int(size) for size in self.sizes.get_values()[-4:])
        return rows, keys, features, columns

    def accesses(self) -> Iterator[tuple[SSAValue, AffineMap, tuple[int, ...]]]:
        """Each operand, and last the result, with its map and the extents of what the map takes."""
        rows, keys, features, columns = self.extents
        values = [self.query, self.key, self.value, *([] if self.mask is None else [self.mask]), self.result]
        wanted = [(rows, features), (keys, features), (keys, columns), *([] if self.mask is None else [(rows, keys)])]
        for value, access, end in zip(values, self.maps.data, [*wanted, (rows, columns)], strict=True):
            yield value, access.data, (*self.batch, *end)

    def verify_(self) -> None:
        if len(self.sizes.get_values()) < len(_SIZES) or min(self.sizes.get_values()) < 1:
            raise VerifyException(f"attention: sizes are those of the batch, then {', '.join(_SIZES)}, each 1 or more")
        if len(self.maps.data) != 4 + (self.mask is not None):
            raise VerifyException(f"attention: {len(self.maps.data)} maps; one per operand and one for the result")
        for value, access, extents in self.accesses():
            shape = cast("TensorType[Attribute]", value.type).get_shape()
            if access.num_dims != len(extents) or len(access.results) != len(shape):
                raise VerifyException(f"attention: {access} does not take {list(extents)} to a tensor of {list(shape)}")
