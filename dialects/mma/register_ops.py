"""Operations on what lanes hold: sums that become an operand, single elements, and values of other lanes."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import AnyFloat, Float32Type, IndexType, IntegerAttr, i64
from xdsl.ir import SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, prop_def, result_def, traits_def
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.mma.attributes import TilesType
from vtac.dialects.mma.ops import element_type_name, tiles_of

_INDEX = IndexType()
_I64 = IntegerAttr.constr(i64)


@irdl_op_definition
class InsertOp(IRDLOperation):
    """A number becomes one of the elements of an accumulator's tile that each lane holds, by its number in the layout.

    Legal on accumulators of 32-bit elements.
    """

    name = "mma.insert"
    value = operand_def()
    tiles = operand_def(TilesType)
    index = operand_def(_INDEX)
    element = prop_def(_I64)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$value `,` $tiles `[` $index `]` `element` $element attr-dict `:` type($value) `,` type($tiles)"

    @staticmethod
    def get(value: SSAValue, tiles: SSAValue, index: SSAValue, element: int) -> InsertOp:
        return InsertOp(operands=[value, tiles, index], properties={"element": IntegerAttr(element, i64)})

    def verify_(self) -> None:
        tiles, number = tiles_of(self.tiles), self.element.value.data
        if tiles.role != "accumulator" or tiles.element not in ("f32", "s32"):
            raise VerifyException(
                f"insert: elements are put into accumulators of f32 or s32, not into {tiles.role} of {tiles.element}"
            )
        if not 0 <= number < tiles.layout.elements:
            raise VerifyException(f"insert: element {number}; a lane holds {tiles.layout.elements} of a tile")
        if str(self.value.type) != element_type_name(tiles.element):
            raise VerifyException(f"insert: a number of type {self.value.type} into tiles of {tiles.element}")


@irdl_op_definition
class PackOp(IRDLOperation):
    """Two tiles of sums side by side, rounded, become one of A: 16 x 8 and 16 x 8 of f32 -> 16 x 16 of f16 or bf16.

    No lane gives anything to another: the pairs of sums that it holds are the registers of A that it needs.
    """

    name = "mma.pack"
    sums = operand_def(TilesType)
    first = operand_def(_INDEX)
    second = operand_def(_INDEX)
    tiles = operand_def(TilesType)
    index = operand_def(_INDEX)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$sums `[` $first `,` $second `]` `into` $tiles `[` $index `]` attr-dict `:` type($sums) `,` type($tiles)"
    )

    def verify_(self) -> None:
        sums, tiles = tiles_of(self.sums), tiles_of(self.tiles)
        if (sums.role, sums.element) != ("accumulator", "f32"):
            raise VerifyException(f"pack: sums are accumulators of f32, not {sums.role} of {sums.element}")
        if tiles.role != "matrix_a" or tiles.element not in ("f16", "bf16"):
            raise VerifyException(
                f"pack: sums become tiles of matrix_a of f16 or bf16, not {tiles.role} of {tiles.element}"
            )


@irdl_op_definition
class ShuffleXorOp(IRDLOperation):
    """The value of the lane whose number is this one's xor `mask`, for a whole warp together: `shfl.sync.bfly`."""

    name = "mma.shuffle_xor"
    value = operand_def(Float32Type)
    mask = prop_def(_I64)
    result = result_def(Float32Type)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "$value `,` $mask attr-dict `:` type($value)"

    def __init__(self, value: SSAValue, mask: int) -> None:
        kind = cast("AnyFloat", value.type)
        super().__init__(operands=[value], properties={"mask": IntegerAttr(mask, i64)}, result_types=[kind])

    def verify_(self) -> None:
        if not 0 < self.mask.value.data < WARP_SIZE:
            raise VerifyException(
                f"shuffle_xor: a mask of {self.mask.value.data}; 1 to {WARP_SIZE - 1} name other lanes"
            )
