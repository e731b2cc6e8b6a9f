"""Where an attention's result goes: through the moves and the one truncation that alone read it."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import AnyFloat
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Operation

from vtac.analysis.operations.elementwise import index_loops, is_elementwise
from vtac.analysis.types.tensor_types import element_of
from vtac.analysis.values.element_expressions import Indices


def converted(op: LinalgStructuredOperation, indices: Indices) -> tuple[Operation, Indices]:
    """The last of the moves and of one truncation that alone read a result, and where it has the result's elements."""
    root: LinalgStructuredOperation = op
    while (after := _reader_of(root)) is not None:
        maps = [attribute.data for attribute in after.get_indexing_maps()]
        read, written = index_loops(maps[0]) or [], index_loops(maps[-1]) or []
        if sorted(read) != list(range(maps[0].num_dims)):
            break
        root, indices = after, tuple(indices[read.index(loop)] for loop in written)
    return root, indices


def _reader_of(op: LinalgStructuredOperation) -> LinalgStructuredOperation | None:
    """The one operation that reads a result, if it only moves its elements or makes them f16 or bf16."""
    uses = list(op.res[0].uses)
    reader = uses[0].operation if len(uses) == 1 else None
    if not isinstance(reader, LinalgStructuredOperation) or not is_elementwise(reader) or len(reader.inputs) != 1:
        return None
    *made, last = reader.body.block.ops
    names = [inner.name for inner in made]
    of_input = (made[0] if made else last).operands[0] is reader.body.block.args[0]
    is_last = not made or last.operands[0] is made[0].results[0]
    converts = names == ["arith.truncf"] and str(cast("AnyFloat", element_of(op.res[0]))) == "f32"
    return reader if (not names or converts) and of_input and is_last else None
