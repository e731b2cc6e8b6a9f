"""transform_layout: permute the dimensions of a staged buffer.

before: a writes t[n, c, x]               after transform_layout(a, [0, 2, 1]): a writes t[n, x, c]
"""

from __future__ import annotations

from xdsl.dialects.builtin import MemRefType
from xdsl.dialects.memref import AllocOp
from xdsl.ir.affine import AffineMap
from xdsl.rewriter import Rewriter

from vtac.analysis.nests.nest import buffer_name, memref_type_of, readers_of, shape_of, writers_of
from vtac.dialects.schedule.attributes import AccessAttr
from vtac.dialects.schedule.gpu_directives import TransformLayoutOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, refusal
from vtac.rewriting.block_edits import replace_access


@rewrites(TransformLayoutOp)
def transform_layout(op: TransformLayoutOp, handles: Handles) -> None:
    """Permute the buffer that a block writes, at every access.

    requires: an intermediate buffer; one entry per dimension.
    ensures:  every block that reads or writes the buffer does so at the permuted place; no value changes.
    refused:  arguments and results of the function.
    """
    block = handles.block(op.block, op)
    buffer = block.output
    order = [int(dimension) for dimension in op.order.get_values()]
    if not isinstance(buffer.owner, AllocOp):
        raise refusal(op, f"'{buffer_name(buffer)}' is an argument", "cache it, and transform the copy")
    if len(order) != len(shape_of(buffer)):
        raise refusal(
            op, f"{len(order)} dimensions for '{buffer_name(buffer)}' of rank {len(shape_of(buffer))}", "name each once"
        )
    users: list[BlockOp] = list(dict.fromkeys([*readers_of(buffer), *writers_of(buffer)]))
    for user in users:
        for position, value in enumerate((*user.inputs, user.output)):
            if value is buffer:
                access = user.accesses.data[position]
                results = tuple(access.indices.results[dimension] for dimension in order)
                indices = AffineMap(access.indices.num_dims, 0, results)
                replace_access(user, position, buffer, AccessAttr.get(indices, access.pad_value))
    kind = memref_type_of(buffer)
    shape = [kind.get_shape()[dimension] for dimension in order]
    Rewriter.replace_value_with_new_type(buffer, MemRefType(kind.element_type, shape, memory_space=kind.memory_space))
