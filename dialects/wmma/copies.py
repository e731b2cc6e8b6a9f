"""Asynchronous copies to shared memory."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import MemRefType, i1
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    traits_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.gpu_hardware import ELEMENT_BYTES
from vtac.dialects.wmma.named import check_named
from vtac.dialects.wmma.ops import I64, INDEX, element_name


@irdl_op_definition
class AsyncCopyOp(IRDLOperation):
    """Copy `elements` consecutive elements from global to shared memory in the background.

    Without `present` being true, zeros are written instead. Legal for 4, 8 or 16 bytes.
    """

    name = "wmma.async_copy"
    target = operand_def(MemRefType)
    target_offset = operand_def(INDEX)
    source = operand_def(MemRefType)
    source_offset = operand_def(INDEX)
    present = opt_operand_def(i1)
    elements = prop_def(I64)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$target `[` $target_offset `]` `,` $source `[` $source_offset `]` `elements` $elements "
        "(`if` $present^)? attr-dict `:` type($target) `,` type($source)"
    )

    def verify_(self) -> None:
        if cast(MemRefType, self.target.type).element_type != cast(MemRefType, self.source.type).element_type:
            raise VerifyException("async_copy: source and target hold different element types")
        width = ELEMENT_BYTES.get(element_name(self.target), 0)
        if width * self.elements.value.data not in (4, 8, 16):
            raise VerifyException(
                f"async_copy: {self.elements.value.data} elements of {width} bytes; 4, 8 or 16 bytes are copied at once"
            )


@irdl_op_definition
class AsyncCommitOp(IRDLOperation):
    """Close a group of asynchronous copies."""

    name = "wmma.async_commit"
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "attr-dict"


@irdl_op_definition
class AsyncWaitOp(IRDLOperation):
    """Wait until at most `pending` groups of copies are still under way; `named` is that number under a name."""

    name = "wmma.async_wait"
    named = opt_operand_def(INDEX)
    pending = prop_def(I64)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$pending (`as` $named^)? attr-dict"

    def verify_(self) -> None:
        if self.pending.value.data < 0:
            raise VerifyException(f"async_wait: {self.pending.value.data} groups; 0 or more can be left under way")
        check_named("async_wait", self.named, self.pending.value.data)
