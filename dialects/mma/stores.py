"""Results of 16 bits from the registers of a warp's lanes to shared memory, eight rows of 16 bytes at a time."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import IndexType, MemRefType, StringAttr, UnitAttr
from xdsl.ir import Attribute
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, opt_prop_def, traits_def, var_operand_def
from xdsl.traits import MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.mma.layouts import CORE_BYTES, CORE_ROWS, LaneLayout

INDEX = IndexType()
STORED_BYTES = 2
"""Bytes of an element that is stored so."""
STORED_TYPES = ("f16", "bf16")
_PER_LANE = 2
_MATRICES = (1, 2, 4)


def stored_matrix(*, transposed: bool) -> LaneLayout:
    """Which two elements of a matrix, 8 rows of 16 bytes in memory, each lane gives."""
    return LaneLayout(CORE_ROWS, CORE_BYTES // STORED_BYTES, _PER_LANE, ((0, 0),), by_column=transposed)


@irdl_op_definition
class StmatrixOp(IRDLOperation):
    """Store core matrices to shared memory: of each, every lane gives two neighbours of row lane / 4.

    `offset`, in elements, is each lane's own: lane l names the row l mod 8 of matrix l / 8, 16 bytes that start at a
    multiple of 16. With `transposed` what a lane gives lies in column lane / 4 instead, in two rows.
    Legal for 1, 2 or 4 matrices of 16-bit elements, to shared memory of their type.
    """

    name = "mma.stmatrix"
    values = var_operand_def()
    memory = operand_def(MemRefType)
    offset = operand_def(INDEX)
    transposed = opt_prop_def(UnitAttr)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        "$values `to` $memory `[` $offset `]` (`transposed` $transposed^)? attr-dict "
        "`:` type($values) `to` type($memory)"
    )

    @property
    def matrices(self) -> int:
        """Matrices that are stored."""
        return len(self.values) // _PER_LANE

    def verify_(self) -> None:
        kind = cast("MemRefType[Attribute]", self.memory.type)
        if len(self.values) not in [_PER_LANE * count for count in _MATRICES]:
            raise VerifyException(
                f"stmatrix: {len(self.values)} values; each lane gives two of each of 1, 2 or 4 matrices"
            )
        if kind.memory_space != StringAttr("shared"):
            raise VerifyException("stmatrix: rows lie in shared memory")
        if str(kind.element_type) not in STORED_TYPES:
            raise VerifyException(f"stmatrix: elements of {kind.element_type}; {' and '.join(STORED_TYPES)} are stored")
        other = next((value for value in self.values if value.type != kind.element_type), None)
        if other is not None:
            raise VerifyException(f"stmatrix: a value of type {other.type}; memory holds {kind.element_type}")
