"""storage_align: choose the pitch of a staged buffer."""

from __future__ import annotations

from xdsl.dialects.memref import AllocOp

from vtac.analysis.nests.nest import buffer_name, scope_of, shape_of
from vtac.dialects.mma.declared import SWIZZLE
from vtac.dialects.schedule.declared import STORAGE_ALIGN
from vtac.dialects.schedule.gpu_directives import StorageAlignOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, refusal


@rewrites(StorageAlignOp)
def storage_align(op: StorageAlignOp, handles: Handles) -> None:
    """Record the pitch on the buffer's allocation.

    requires: a buffer in shared memory; a dimension that is not the innermost.
    ensures:  rows of the buffer lie further apart by what that takes; no value changes.
    refused:  swizzled buffers: rows are padded or swizzled.
    """
    buffer = handles.block(op.block, op).output
    rank = len(shape_of(buffer))
    dimension = op.dimension.value.data
    if scope_of(buffer) != "shared" or not isinstance(buffer.owner, AllocOp):
        raise refusal(op, f"'{buffer_name(buffer)}' lives in {scope_of(buffer)}", "align buffers in shared memory")
    if not 0 <= dimension < rank - 1:
        raise refusal(
            op,
            f"dimension {dimension} of '{buffer_name(buffer)}' with rank {rank}",
            f"0 to {rank - 2} have a stride to choose",
        )
    if SWIZZLE.is_on(buffer.owner):
        raise refusal(op, f"'{buffer_name(buffer)}' is swizzled", "pad rows or swizzle them, not both")
    STORAGE_ALIGN.set(buffer.owner, (dimension, op.factor.value.data, op.offset.value.data))
