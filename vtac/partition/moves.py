"""Operations that only put elements at other places: transposes, and what repeats a tensor along new dimensions."""

from __future__ import annotations

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, GenericOp, TransposeOp
from xdsl.ir import Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from vtac.analysis.types.tensor_types import shape_of
from vtac.partition.alu_building import Loops
from vtac.partition.alu_operations import loops_of


def moved_from(value: SSAValue) -> tuple[SSAValue, Loops] | None:
    """The tensor that another is, and for each of its dimensions the one of the other that it is; None for no move."""
    op = value.owner
    if isinstance(op, TransposeOp):
        permutation = op.permutation.get_values()
        return op.operands[0], tuple(permutation.index(dim) for dim in range(len(permutation)))
    if isinstance(op, BroadcastOp):
        added = op.dimensions.get_values()
        return op.operands[0], tuple(dim for dim in range(len(shape_of(value))) if dim not in added)
    if not isinstance(op, GenericOp) or len(op.inputs) != 1 or len(op.res) != 1:
        return None
    last = op.body.block.last_op
    if last is None or last.operands[0] is not op.body.block.args[0]:
        return None
    read, written = (loops_of(attribute.data) for attribute in op.get_indexing_maps())
    if read is None or written is None or any(str(kind.data) != "parallel" for kind in op.get_iterator_types()):
        return None
    return op.inputs[0], tuple(written.index(loop) for loop in read)


def is_move(op: Operation) -> bool:
    """Whether an operation gives elements of its operand at other places."""
    return len(op.results) == 1 and moved_from(op.results[0]) is not None


def reading_through(op: LinalgStructuredOperation, position: int, source: SSAValue, dims: Loops) -> GenericOp:
    """A generic for an operation that reads `source` in place of an input: dimension i of it is `dims[i]` of that."""
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    results: list[AffineExpr] = [maps[position].results[dim] for dim in dims]
    maps[position] = AffineMap(maps[position].num_dims, 0, tuple(results))
    inputs = list(op.inputs)
    inputs[position] = source
    body = Region()
    op.body.clone_into(body)
    attributes = ArrayAttr([AffineMapAttr(found) for found in maps])
    generic = GenericOp(inputs, list(op.outputs), body, attributes, op.get_iterator_types(), [op.res[0].type])
    generic.res[0].name_hint = op.res[0].name_hint
    generic.location = op.location
    return generic
