"""Bulk copies of boxes to shared memory: as statements, in flight on behalf of an mbarrier, and expected by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import IndexType, MemRefType, StringAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.tensor_maps import TensorMap
from vtac.dialects.tma.attributes import BoxesAttr
from vtac.dialects.tma.clusters import check_blocks
from vtac.dialects.tma.mbarriers import I64, MOST_PENDING, check_barriers
from vtac.errors import ConfigError

INDEX = IndexType()
_OF_ARRAY = "tensor map of 'a': "


def _kind(memory: SSAValue) -> MemRefType[Attribute]:
    return cast("MemRefType[Attribute]", memory.type)


def _scope(memory: SSAValue) -> str:
    space = _kind(memory).memory_space
    return space.data if isinstance(space, StringAttr) else "global"


def map_of_array(source: SSAValue, boxes: BoxesAttr) -> TensorMap:
    """The map of an array, by its name in the IR. Raises `ConfigError` for what there is not."""
    return boxes.data.map_of(source.name_hint or "array", _kind(source).element_type)


@dataclass(frozen=True)
class Places:
    """Where a box begins: its coordinates, and for pixels how far each lies from its place in the bounding box."""

    coordinates: Sequence[SSAValue]
    offsets: Sequence[SSAValue]

    def check(self, op: str, one: TensorMap) -> None:
        """Raises `VerifyException` for other numbers than the map has."""
        if len(self.coordinates) != one.rank:
            raise VerifyException(f"{op}: {len(self.coordinates)} coordinates for {one.rank} dimensions")
        wanted = one.rank - 2 if one.corners is not None else 0
        if len(self.offsets) != wanted:
            what = "pixels, one for each dimension of space" if wanted else "a tiled box"
            raise VerifyException(f"{op}: {len(self.offsets)} offsets of {what}; {wanted} are required")


def check_box(
    op: str, array: SSAValue, shared: SSAValue, places: Places, boxes: BoxesAttr, *, is_store: bool = False
) -> None:
    """The rules of a copy between an array and shared memory, of any kind. Raises `VerifyException`."""
    scopes, wanted = [_scope(array), _scope(shared)], ["global", "shared"]
    if scopes != wanted:
        found, possible = ((way[::-1] if is_store else way) for way in (scopes, wanted))
        raise VerifyException(f"{op}: from {' to '.join(found)} memory; from {' to '.join(possible)} is possible")
    if _kind(array).element_type != _kind(shared).element_type:
        raise VerifyException(
            f"{op}: the array holds {_kind(array).element_type}, shared memory {_kind(shared).element_type}"
        )
    try:
        one = boxes.data.map_of("a", _kind(array).element_type)
    except ConfigError as error:
        raise VerifyException(f"{op}: {error.message.removeprefix(_OF_ARRAY)}") from None
    places.check(op, one)
    room = _kind(shared).element_count() * one.element_bytes
    if one.box_bytes > room:
        raise VerifyException(f"{op}: a box of {one.box_bytes} bytes to a buffer of {room}")
    last = sum((extent - 1) * stride for extent, stride in zip(one.extents[1:], one.strides, strict=True))
    reach, size = last + one.extents[0] * one.element_bytes, _kind(array).element_count() * one.element_bytes
    if reach > size:
        raise VerifyException(f"{op}: the map reaches {reach} bytes far, the array has {size}")


@irdl_op_definition
class CopyOp(IRDLOperation):
    """Copy a box, its first element at `coordinates`, to shared memory from element `offset` on.

    What lies outside of the map's extents is its fill. Of pixels (`im2col` in the map) the coordinates are those of the
    first in its bounding box, and `offsets` are added to each pixel's place: which tap of a window is copied. A
    pipeline makes a `tma.load` of it.
    """

    name = "tma.copy"
    target = operand_def(MemRefType)
    offset = operand_def(INDEX)
    source = operand_def(MemRefType)
    coordinates = var_operand_def(INDEX)
    offsets = var_operand_def(INDEX)
    boxes = prop_def(BoxesAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$target `[` $offset `]` `,` $source `[` $coordinates `]` (`offsets` `[` $offsets^ `]`)? `boxes` $boxes "
        "attr-dict `:` type($target) `,` type($source)"
    )

    @property
    def map(self) -> TensorMap:
        """The map of the array that is copied."""
        return map_of_array(self.source, self.boxes)

    def verify_(self) -> None:
        check_box("copy", self.source, self.target, Places(self.coordinates, self.offsets), self.boxes)


@irdl_op_definition
class LoadOp(IRDLOperation):
    """Begin such a copy, by one thread; its bytes count for the phase of an mbarrier, whose end says they are there.

    With a `mask` the box comes to each block of the cluster whose rank's bit is set, to the same places there.
    """

    name = "tma.load"
    target = operand_def(MemRefType)
    offset = operand_def(INDEX)
    source = operand_def(MemRefType)
    coordinates = var_operand_def(INDEX)
    offsets = var_operand_def(INDEX)
    barriers = operand_def(MemRefType)
    index = operand_def(INDEX)
    boxes = prop_def(BoxesAttr)
    mask = opt_prop_def(I64)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$target `[` $offset `]` `,` $source `[` $coordinates `]` (`offsets` `[` $offsets^ `]`)? `,` "
        "$barriers `[` $index `]` `boxes` $boxes (`mask` $mask^)? attr-dict "
        "`:` type($target) `,` type($source) `,` type($barriers)"
    )

    @property
    def map(self) -> TensorMap:
        """The map of the array that is copied."""
        return map_of_array(self.source, self.boxes)

    @property
    def box_bytes(self) -> int:
        """What it brings, in bytes."""
        return self.map.box_bytes

    @property
    def received_bytes(self) -> int:
        """What a block gets where each block of the mask asks for a part like this one, in bytes."""
        return self.box_bytes * (self.mask.value.data.bit_count() if self.mask is not None else 1)

    def verify_(self) -> None:
        check_barriers("load", self.barriers)
        if self.mask is not None:
            check_blocks("load", self, self.mask.value.data.bit_length())
        check_box("load", self.source, self.target, Places(self.coordinates, self.offsets), self.boxes)


@irdl_op_definition
class ArriveExpectOp(IRDLOperation):
    """Arrive, and have the phase wait for as many bytes as the copies after it, on the same mbarrier, bring.

    Of copies with a mask each block that it names asks for one, and gets all of them. 0 where none follows.
    """

    name = "tma.arrive_expect"
    barriers = operand_def(MemRefType)
    index = operand_def(INDEX)
    bytes = prop_def(I64)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$barriers `[` $index `]` `bytes` $bytes attr-dict `:` type($barriers)"

    def verify_(self) -> None:
        check_barriers("arrive_expect", self.barriers)
        expected = self.bytes.value.data
        if not 0 <= expected <= MOST_PENDING:
            raise VerifyException(f"arrive_expect: {expected} bytes; 0 to {MOST_PENDING} are possible")
        brought = self._brought()
        if brought is not None and brought != expected:
            raise VerifyException(
                f"arrive_expect: {expected} bytes are expected, the copies after it on this mbarrier bring {brought}"
            )

    def _brought(self) -> int | None:
        """Bytes of the copies after it in the same block; None where there are none."""
        total: int | None = None
        following: Operation | None = self.next_op
        while following is not None and not self._repeats(following):
            if isinstance(following, LoadOp) and (following.barriers, following.index) == (self.barriers, self.index):
                total = (total or 0) + following.received_bytes
            following = following.next_op
        return total

    def _repeats(self, op: Operation) -> bool:
        return isinstance(op, ArriveExpectOp) and (op.barriers, op.index) == (self.barriers, self.index)
