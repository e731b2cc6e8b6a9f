"""Bulk copies of boxes from shared memory to arrays: what a warp has written, begun by one of its lanes.

Bulk groups are a thread's own: the lane that begins copies commits and waits for them.
"""

from __future__ import annotations

from xdsl.dialects.builtin import IndexType, IntegerAttr, MemRefType, UnitAttr, i64
from xdsl.irdl import (
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
from vtac.dialects.tma.copies import Places, check_box, map_of_array

INDEX = IndexType()
I64 = IntegerAttr.constr(i64)
MOST_GROUPS = 7


@irdl_op_definition
class PublishOp(IRDLOperation):
    """What the lanes of a warp wrote to shared memory is there for bulk copies that one of them begins after it."""

    name = "tma.publish"
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "attr-dict"


@irdl_op_definition
class StoreOp(IRDLOperation):
    """Begin to copy a box from shared memory, from element `offset` on, to an array, by a warp's first lane.

    What lies outside of the map's extents is not written. Legal from shared to global memory of the same elements, of
    tiled boxes.
    """

    name = "tma.store"
    source = operand_def(MemRefType)
    offset = operand_def(INDEX)
    target = operand_def(MemRefType)
    coordinates = var_operand_def(INDEX)
    boxes = prop_def(BoxesAttr)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$source `[` $offset `]` `,` $target `[` $coordinates `]` `boxes` $boxes attr-dict "
        "`:` type($source) `,` type($target)"
    )

    @property
    def map(self) -> TensorMap:
        """The map of the array that is written."""
        return map_of_array(self.target, self.boxes)

    def verify_(self) -> None:
        if self.boxes.data.corners is not None:
            raise VerifyException("store: a map for im2col; only tiled boxes are stored")
        check_box("store", self.target, self.source, Places(self.coordinates, ()), self.boxes, is_store=True)


@irdl_op_definition
class CommitStoresOp(IRDLOperation):
    """What the warp's first lane has begun to store since its last commit is a group."""

    name = "tma.commit_stores"
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "attr-dict"


@irdl_op_definition
class WaitStoresOp(IRDLOperation):
    """The warp's first lane waits until at most so many of its groups are under way, 0 to 7.

    With `read` until their source has been read and may be written again, or given up by the block's end; without it
    until the array has what was stored.
    """

    name = "tma.wait_stores"
    groups = prop_def(I64)
    read = opt_prop_def(UnitAttr)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$groups (`read` $read^)? attr-dict"

    def verify_(self) -> None:
        if not 0 <= self.groups.value.data <= MOST_GROUPS:
            raise VerifyException(f"wait_stores: {self.groups.value.data} groups; 0 to {MOST_GROUPS} are possible")
