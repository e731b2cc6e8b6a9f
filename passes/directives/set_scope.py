"""set_scope: place a buffer in a memory scope."""

from __future__ import annotations

from xdsl.dialects.memref import AllocOp
from xdsl.ir import SSAValue
from xdsl.rewriter import Rewriter

from vtac.analysis.nests.nest import buffer_name, memref_type_of
from vtac.analysis.types.buffer_types import buffer_type
from vtac.dialects.frequent import text_attribute
from vtac.dialects.schedule.attributes import BufferHandleType
from vtac.dialects.schedule.block_directives import SetScopeOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, refusal


@rewrites(SetScopeOp)
def set_scope(op: SetScopeOp, handles: Handles) -> None:
    """Give a buffer, or the one that a block writes, a scope.

    requires: an intermediate buffer (function arguments live in global memory); index 0,
              since a block has one output.
    ensures:  the buffer lies in that memory; whether it fits is settled when the schedule is complete.
    refused:  arguments and results of the function, which are staged by `cache_read` and `cache_write`.
    """
    if op.index.value.data != 0:
        raise refusal(op, f"output {op.index.value.data} of a block", "a block has one output, index 0")
    if isinstance(op.target.type, BufferHandleType):
        buffer = handles.buffer(op.target, op)
    else:
        buffer = handles.block(op.target, op).output
    if not isinstance(buffer.owner, AllocOp):
        raise refusal(
            op,
            f"'{buffer_name(buffer)}' is an argument and lives in global memory",
            "use cache_read or cache_write to stage it on chip",
        )
    place_in_scope(buffer, op.scope.data)


def place_in_scope(buffer: SSAValue, scope: str) -> None:
    """Change a buffer's memory space; its uses see the new type."""
    kind = memref_type_of(buffer)
    moved = buffer_type(kind.element_type, kind.get_shape(), text_attribute(scope), kind.layout)
    Rewriter.replace_value_with_new_type(buffer, moved)
