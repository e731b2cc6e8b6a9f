"""double_buffer: copies of a buffer that loop iterations use in turn.

before: for k: load a; compute a          after double_buffer(a, 2): for k: load a[k mod 2]; compute a[k mod 2]

The copies appear when buffers have their final places; until then the allocation bears the number.
"""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.dialects.memref import AllocOp

from vtac.dialects.schedule.attributes import BufferHandleType
from vtac.dialects.schedule.directives import DoubleBufferOp
from vtac.dialects.vta.attributes import COPIES
from vtac.passes.analysis.nest import buffer_name, scope_of
from vtac.passes.directives.handles import Handles, refusal

ON_CHIP = ("vta.inp", "vta.wgt", "vta.acc")


def double_buffer(op: DoubleBufferOp, handles: Handles) -> None:
    """Mark a buffer.

    requires: an intermediate buffer in an on-chip memory of the VTA.
    """
    if isinstance(op.target.type, BufferHandleType):
        buffer = handles.buffer(op.target, op)
    else:
        buffer = handles.block(op.target, op).output
    owner = buffer.owner
    if not isinstance(owner, AllocOp) or scope_of(buffer) not in ON_CHIP:
        raise refusal(
            op,
            f"'{buffer_name(buffer)}' lives in {scope_of(buffer)}",
            f"only buffers in {', '.join(ON_CHIP)} have copies: use cache_read or set_scope first",
        )
    owner.attributes[COPIES] = IntegerAttr(op.copies.value.data, i64)
