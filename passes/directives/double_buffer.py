"""double_buffer: copies of a buffer that loop iterations use in turn.

before: for k: load a; compute a          after double_buffer(a, 2): for k: load a[k mod 2]; compute a[k mod 2]

The copies appear when buffers have their final places; until then the allocation bears the number. Of fragments
each iteration loads the next one's while it multiplies with its own.
"""

from __future__ import annotations

from xdsl.dialects.memref import AllocOp

from vtac.analysis.nests.nest import buffer_name, scope_of
from vtac.dialects.schedule.attributes import BufferHandleType
from vtac.dialects.schedule.block_directives import DoubleBufferOp
from vtac.dialects.scopes import MEMORIES, OPERAND_FRAGMENTS
from vtac.dialects.vta.declared import COPIES
from vtac.dialects.wmma.declared import COPIES as FRAGMENT_COPIES
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, refusal

_HAVE_COPIES = (*MEMORIES, *OPERAND_FRAGMENTS)


@rewrites(DoubleBufferOp)
def double_buffer(op: DoubleBufferOp, handles: Handles) -> None:
    """Mark a buffer.

    requires: an intermediate buffer in an on-chip memory of the VTA, or in fragments of
              matrix_a or matrix_b; of fragments at least two copies. Which loop the loads of
              fragments run ahead in, and whether they may, is settled when the schedule is
              complete (gpu-double-buffer-fragments).
    ensures:  iterations use the copies in turn, so that loads may run ahead; what is computed stays.
    refused:  buffers of scopes that have one copy alone, and one copy of fragments.
    """
    if isinstance(op.target.type, BufferHandleType):
        buffer = handles.buffer(op.target, op)
    else:
        buffer = handles.block(op.target, op).output
    owner = buffer.owner
    copies = op.copies.value.data
    if not isinstance(owner, AllocOp) or scope_of(buffer) not in _HAVE_COPIES:
        raise refusal(
            op,
            f"'{buffer_name(buffer)}' lives in {scope_of(buffer)}",
            f"only buffers in {', '.join(_HAVE_COPIES)} have copies: use cache_read or set_scope first",
        )
    if scope_of(buffer) in OPERAND_FRAGMENTS and copies < 2:
        raise refusal(
            op,
            f"{copies} copy of the fragments '{buffer_name(buffer)}'",
            "2 let the next ones load while these multiply",
        )
    (COPIES if scope_of(buffer) in MEMORIES else FRAGMENT_COPIES).set(owner, copies)
