"""unroll-batches: products in small batches -> one product per index of the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.named_products import BatchMatmulOp, QuantizedBatchMatmulOp
from vtac.dialects.packing import JoinOp
from vtac.rewriting.walker import rewrite_once

MAX_BATCH = 8


class UnrollBatch(RewritePattern):
    """One product."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BatchMatmulOp | QuantizedBatchMatmulOp, rewriter: PatternRewriter) -> None:
        batch = shape_of(op.outputs[0])[0]
        if len(op.res) != 1 or not 1 < batch <= MAX_BATCH:
            return
        chain = [op, *_tail(op)]
        parts: list[SSAValue] = []
        made: list[Operation] = []
        for index in range(batch):
            slicer = _Slicer(index, made)
            for one in chain:
                slicer.cut(one)
            parts.append(slicer.known[chain[-1].results[0]])
        whole = JoinOp(operands=[parts], result_types=[chain[-1].results[0].type])
        whole.result.name_hint = chain[-1].results[0].name_hint
        for one in (*made, whole):
            one.location = op.location
        rewriter.insert([*made, whole], InsertPoint.before(chain[-1]))
        rewriter.replace_all_uses_with(chain[-1].results[0], whole.result)
        for one in reversed(chain):
            rewriter.erase(one)


class _Slicer:
    """Operations on one index of the batch, appended to `made`."""

    def __init__(self, index: int, made: list[Operation]) -> None:
        self.index = index
        self.made = made
        self.known: dict[SSAValue, SSAValue] = {}

    def add(self, op: Operation) -> SSAValue:
        self.made.append(op)
        return op.results[0]

    def cut(self, op: LinalgStructuredOperation) -> SSAValue:
        """The op on its operands' slices along the loop over the batch, the first one of its result."""
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        operands = [self._operand(value, m) for value, m in zip(op.operands, maps, strict=True)]
        inputs, output = operands[: len(op.inputs)], operands[-1]
        if isinstance(op, GenericOp):
            clone: Operation = GenericOp(
                inputs, [output], op.body.clone(), op.indexing_maps, op.iterator_types, [output.type]
            )
        else:
            clone = type(op).create(
                operands=operands,
                result_types=[output.type],
                properties=op.properties,
                attributes=op.attributes,
                regions=[op.body.clone()],
            )
        clone.results[0].name_hint = op.results[0].name_hint
        self.known[op.results[0]] = self.add(clone)
        return self.known[op.results[0]]

    def _operand(self, value: SSAValue, indices: AffineMap) -> SSAValue:
        places = [place for place, index in enumerate(indices.results) if index == AffineDimExpr(0)]
        return self._sliced(value, places[0]) if places else value

    def _sliced(self, value: SSAValue, dim: int) -> SSAValue:
        if value not in self.known:
            self.known[value] = self._slice(value, dim)
        return self.known[value]

    def _slice(self, value: SSAValue, dim: int) -> SSAValue:
        owner = value.owner
        shape = [1 if place == dim else extent for place, extent in enumerate(shape_of(value))]
        kind = TensorType(cast("TensorType[Attribute]", value.type).get_element_type(), shape)
        if isinstance(owner, tensor.EmptyOp):
            return self.add(tensor.EmptyOp([], kind))
        if isinstance(owner, FillOp):
            empty = self.add(tensor.EmptyOp([], kind))
            return self.add(FillOp([owner.inputs[0]], [empty], [kind]))
        if dim == 0 and isinstance(owner, GenericOp) and _is_along_batch(owner):
            return self.cut(owner)
        offsets = [self.index if place == dim else 0 for place in range(len(shape))]
        return self.add(tensor.ExtractSliceOp.from_static_parameters(value, offsets, shape, [1] * len(shape)))


def _tail(op: Operation) -> list[GenericOp]:
    """The elementwise operations behind an op, one after the other, along the batch."""
    found: list[GenericOp] = []
    value = op.results[0]
    while len(users := [use.operation for use in value.uses]) == 1:
        user = users[0]
        if not isinstance(user, GenericOp) or not _is_along_batch(user) or user.parent is not op.parent:
            break
        if user.outputs[0] is value:
            break
        found.append(user)
        value = user.res[0]
    return found


def _is_along_batch(op: GenericOp) -> bool:
    """Whether an op is elementwise, and its first loop the first index of its result."""
    return is_elementwise(op) and op.get_indexing_maps().data[-1].data.results[0] == AffineDimExpr(0)


@dataclass(frozen=True)
class UnrollBatches(ModulePass):
    """Make a product of each index of a small batch, with the elementwise operations around it.

    requires: linalg.batch_matmul or its quantised form, on static shapes.
    ensures:  slices of the operands, a product in a batch of one for each, the operations
              behind it that read nothing else of the whole batch, and `packing.join` of the
              results.
    declines: batches of one, which are products already, and of more than 8.
    """

    name = "unroll-batches"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, UnrollBatch())
