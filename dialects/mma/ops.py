"""Operations on the tiles that a warp's lanes hold in registers, and accesses of two neighbours of a row."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import FloatAttr, IndexType, IntegerAttr, MemRefType, StringAttr, UnitAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import MemoryAllocEffect, MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.gpu_hardware import ELEMENT_BYTES
from vtac.dialects.mma.attributes import Tiles, TilesType
from vtac.dialects.mma.layouts import instruction_of
from vtac.dialects.registers import InRegisters
from vtac.dialects.schedule.attributes import Number

INDEX = IndexType()
I64 = IntegerAttr.constr(i64)
SORT = (0x6420, 0x2064)
"""Bytes of two registers of columns 2 g, 2 g + 1 and two rows each that are column 2 g, in the order of their rows: for
lanes whose number has bit 1 clear, whose first register has the first two rows, and set. Each + 0x1111 is 2 g + 1."""
MATRICES = (1, 2, 4)
"""Core matrices that one ldmatrix loads."""


def tiles_of(value: SSAValue) -> Tiles:
    """The record of an operand's tiles."""
    return cast(TilesType, value.type).data


def element_type_name(element: str) -> str:
    """The type of an element in the IR: f32 of tf32, i8 of s8 and u8, i32 of s32."""
    return {"tf32": "f32", "s8": "i8", "u8": "i8", "s32": "i32"}.get(element, element)


def _element_of(memory: SSAValue) -> Attribute:
    return cast("MemRefType[Attribute]", memory.type).element_type


def _check_scope(op: str, memory: SSAValue, wanted: str) -> None:
    space = cast("MemRefType[Attribute]", memory.type).memory_space
    found = space.data if isinstance(space, StringAttr) else "global"
    if found != wanted:
        raise VerifyException(f"{op}: memory of scope '{found}'; it reads '{wanted}' memory")


@irdl_op_definition
class TilesOp(IRDLOperation):
    """An array of tiles in the registers of each warp's lanes."""

    name = "mma.tiles"
    tiles = result_def(TilesType)
    traits = traits_def(MemoryAllocEffect(), InRegisters())
    assembly_format = "attr-dict `:` type($tiles)"


@irdl_op_definition
class FillOp(IRDLOperation):
    """Every element of one tile becomes a number of its type."""

    name = "mma.fill"
    tiles = operand_def(TilesType)
    index = operand_def(INDEX)
    value = prop_def(IntegerAttr | FloatAttr)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$tiles `[` $index `]` `,` $value attr-dict `:` type($tiles)"

    def verify_(self) -> None:
        wanted = element_type_name(tiles_of(self.tiles).element)
        if str(self.value.type) != wanted:
            raise VerifyException(f"fill: a number of type {self.value.type} for tiles of {wanted}")

    @staticmethod
    def get(tiles: SSAValue, index: SSAValue, value: Number) -> FillOp:
        return FillOp(operands=[tiles, index], properties={"value": value})


@irdl_op_definition
class LdmatrixOp(IRDLOperation):
    """Load core matrices from shared memory into the registers of tiles, from one tile's first register on.

    `offset`, in elements, is each lane's own: lane l names the row l mod 8 of matrix l / 8, 16 bytes that start at a
    multiple of 16. What becomes tf32 is rounded to it, or with `cut` loses the bits that it lacks. `transposed` loads a
    matrix of 16-bit elements by its columns. Of bytes it moves pairs of columns, and lanes sort theirs: the four
    matrices are two tiles of b, the first of the columns 0, 2, 4, ..., the second of 1, 3, 5, ... (`SORT`).
    Legal on operands, a whole number of tiles, and from shared memory of their element type.
    """

    name = "mma.ldmatrix"
    tiles = operand_def(TilesType)
    index = operand_def(INDEX)
    memory = operand_def(MemRefType)
    offset = operand_def(INDEX)
    matrices = prop_def(I64)
    transposed = opt_prop_def(UnitAttr)
    cut = opt_prop_def(UnitAttr)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$tiles `[` $index `]` `,` $memory `[` $offset `]` `matrices` $matrices (`transposed` $transposed^)? "
        "(`cut` $cut^)? attr-dict `:` type($tiles) `,` type($memory)"
    )

    @property
    def count(self) -> int:
        """Tiles that are loaded."""
        return self.matrices.value.data // tiles_of(self.tiles).words

    def verify_(self) -> None:
        tiles, matrices = tiles_of(self.tiles), self.matrices.value.data
        if tiles.role == "accumulator":
            raise VerifyException("ldmatrix: an accumulator is filled, not loaded")
        if matrices not in MATRICES:
            raise VerifyException(f"ldmatrix: {matrices} matrices; 1, 2 or 4 are loaded at once")
        if matrices % tiles.words:
            raise VerifyException(
                f"ldmatrix: {matrices} matrices are no whole number of tiles of {tiles.role}, which are {tiles.words}"
            )
        if self.cut is not None and tiles.element != "tf32":
            raise VerifyException(f"ldmatrix: tiles of {tiles.element} lose no bits; those of tf32 do")
        _check_scope("ldmatrix", self.memory, "shared")
        found = str(_element_of(self.memory))
        if found != element_type_name(tiles.element):
            raise VerifyException(f"ldmatrix: memory holds {found}, the tiles {tiles.element}")
        if self.transposed is not None and ELEMENT_BYTES[tiles.element] != 2:
            self._verify_sorted(tiles, matrices)

    @property
    def sorts(self) -> bool:
        """Whether lanes sort bytes: two tiles of b whose neighbours in memory are columns."""
        return self.transposed is not None and ELEMENT_BYTES[tiles_of(self.tiles).element] == 1

    def _verify_sorted(self, tiles: Tiles, matrices: int) -> None:
        if not self.sorts or tiles.role != "matrix_b":
            raise VerifyException(
                f"ldmatrix: {tiles.role} of {tiles.element} transposed; elements of 16 bits are, and bytes of matrix_b"
            )
        if matrices != MATRICES[-1]:
            raise VerifyException(
                f"ldmatrix: {matrices} matrices of {tiles.element} transposed; 4 are two tiles, which take turns"
            )


@irdl_op_definition
class SyncOp(IRDLOperation):
    """accumulator[d] += a[i] x b[j], by a whole warp: one `mma.sync`."""

    name = "mma.sync"
    accumulator = operand_def(TilesType)
    accumulator_index = operand_def(INDEX)
    a = operand_def(TilesType)
    a_index = operand_def(INDEX)
    b = operand_def(TilesType)
    b_index = operand_def(INDEX)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$accumulator `[` $accumulator_index `]` `,` $a `[` $a_index `]` `,` $b `[` $b_index `]` attr-dict "
        "`:` type($accumulator) `,` type($a) `,` type($b)"
    )

    def verify_(self) -> None:
        parts = [tiles_of(value) for value in (self.accumulator, self.a, self.b)]
        for tiles, role in zip(parts, ("accumulator", "matrix_a", "matrix_b"), strict=True):
            if tiles.role != role:
                raise VerifyException(f"mma.sync: expected tiles of {role}, found {tiles.role}")
        if len({tiles.shape for tiles in parts}) > 1:
            raise VerifyException(f"mma.sync: tiles of different shapes: {', '.join(tiles.shape for tiles in parts)}")
        if parts[1].element != parts[2].element:
            raise VerifyException(f"mma.sync: A holds {parts[1].element}, B {parts[2].element}")
        if instruction_of(parts[0].shape, parts[1].element, parts[0].element) is None:
            raise VerifyException(
                f"mma.sync: no instruction {parts[0].shape} adds up products of {parts[1].element} in "
                f"{parts[0].element}"
            )


@irdl_op_definition
class ExtractOp(IRDLOperation):
    """One of the elements of an accumulator's tile that each lane holds, by its number in the tile's layout."""

    name = "mma.extract"
    tiles = operand_def(TilesType)
    index = operand_def(INDEX)
    element = prop_def(I64)
    result = result_def()
    traits = traits_def(MemoryReadEffect())
    assembly_format = "$tiles `[` $index `]` `element` $element attr-dict `:` type($tiles) `->` type($result)"

    def verify_(self) -> None:
        tiles, number = tiles_of(self.tiles), self.element.value.data
        if tiles.role != "accumulator":
            raise VerifyException(f"extract: elements are taken from accumulators, not from {tiles.role}")
        if not 0 <= number < tiles.layout.elements:
            raise VerifyException(f"extract: element {number}; a lane holds {tiles.layout.elements} of a tile")
        if str(self.result.type) != element_type_name(tiles.element):
            raise VerifyException(f"extract: an element of type {self.result.type} of tiles of {tiles.element}")


def _check_pair(op: str, memory: SSAValue, values: tuple[SSAValue, SSAValue]) -> None:
    element = _element_of(memory)
    if any(value.type != element for value in values):
        found = " and ".join(str(value.type) for value in values)
        raise VerifyException(f"{op}: values of type {found}; memory holds {element}")
    if str(element) not in ("f16", "bf16", "f32", "i32", "i8"):
        raise VerifyException(f"{op}: two elements of {element}; f16, bf16, f32, i32 and i8 move in pairs")


@irdl_op_definition
class LoadPairOp(IRDLOperation):
    """Read two neighbouring elements as one access: `offset`, in elements, is a multiple of 2."""

    name = "mma.load_pair"
    memory = operand_def(MemRefType)
    offset = operand_def(INDEX)
    first = result_def()
    second = result_def()
    traits = traits_def(MemoryReadEffect())
    assembly_format = "$memory `[` $offset `]` attr-dict `:` type($memory) `->` type($first) `,` type($second)"

    def __init__(self, memory: SSAValue, offset: SSAValue) -> None:
        element = _element_of(memory)
        super().__init__(operands=[memory, offset], result_types=[element, element])

    def verify_(self) -> None:
        _check_pair("load_pair", self.memory, (self.first, self.second))


@irdl_op_definition
class StorePairOp(IRDLOperation):
    """Write two neighbouring elements as one access: `offset`, in elements, is a multiple of 2."""

    name = "mma.store_pair"
    first = operand_def()
    second = operand_def()
    memory = operand_def(MemRefType)
    offset = operand_def(INDEX)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        "$first `,` $second `,` $memory `[` $offset `]` attr-dict `:` type($first) `,` type($second) `,` type($memory)"
    )

    def __init__(self, first: SSAValue, second: SSAValue, memory: SSAValue, offset: SSAValue) -> None:
        super().__init__(operands=[first, second, memory, offset])

    def verify_(self) -> None:
        _check_pair("store_pair", self.memory, (self.first, self.second))
