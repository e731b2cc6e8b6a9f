"""swizzle: let the 16-byte chunks of a staged buffer's rows change places, so that columns meet all banks."""

from __future__ import annotations

from xdsl.dialects.memref import AllocOp

from vtac.analysis.nests.nest import buffer_name, scope_of, shape_of
from vtac.dialects.mma.declared import PANELS, SWIZZLE
from vtac.dialects.schedule.declared import STORAGE_ALIGN
from vtac.dialects.schedule.gpu_directives import SwizzleOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, refusal


@rewrites(SwizzleOp)
def swizzle(op: SwizzleOp, handles: Handles) -> None:
    """Record the swizzle on the buffer's allocation.

    requires: a buffer of two dimensions or more in shared memory, without a pitch of storage_align.
    ensures:  chunks of 16 bytes change places within rows; every access follows them, so that no value changes.
    refused:  buffers of other scopes or without rows.
    """
    buffer = handles.block(op.block, op).output
    name = f"'{buffer_name(buffer)}'"
    if scope_of(buffer) != "shared" or not isinstance(buffer.owner, AllocOp):
        raise refusal(op, f"{name} lives in {scope_of(buffer)}", "swizzle buffers in shared memory")
    if len(shape_of(buffer)) < 2:
        raise refusal(op, f"{name} has {len(shape_of(buffer))} dimensions", "swizzle buffers that have rows")
    if STORAGE_ALIGN.is_on(buffer.owner):
        raise refusal(op, f"{name} has a pitch of storage_align", "pad rows or swizzle them, not both")
    SWIZZLE.set(buffer.owner, op.bytes.value.data)
    if op.panels is not None:
        PANELS.set(buffer.owner, True)
