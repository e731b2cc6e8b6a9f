"""Operations of tensor that frontends emit and xDSL lacks: `FrontendTensor` is xDSL's tensor dialect with them."""

from __future__ import annotations

from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseArrayBase, IndexType, TensorType, UnrankedTensorType, i64
from xdsl.dialects.tensor import Tensor, YieldOp
from xdsl.dialects.utils import DynamicIndexList
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    base,
    irdl_op_definition,
    operand_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import HasParent, Pure, SingleBlockImplicitTerminator
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.frontend_forall import InParallelOp
from vtac.dialects.redefinition import redefined


@irdl_op_definition
class RankOp(IRDLOperation):
    """How many dimensions a tensor has."""

    name = "tensor.rank"
    tensor = operand_def(base(TensorType[Attribute]) | base(UnrankedTensorType[Attribute]))
    result = result_def(IndexType())
    traits = traits_def(Pure())
    assembly_format = "$tensor attr-dict `:` type($tensor)"


@irdl_op_definition
class GenerateOp(IRDLOperation):
    """A tensor whose elements a region computes from their indices; operands are extents that the type leaves open."""

    name = "tensor.generate"
    dynamic_extents = var_operand_def(IndexType)
    body = region_def("single_block")
    result = result_def(TensorType[Attribute])
    traits = traits_def(SingleBlockImplicitTerminator(YieldOp))
    assembly_format = "$dynamic_extents $body attr-dict `:` type($result)"

    def verify_(self) -> None:
        kind, block = self.result.type, self.body.block
        open_extents = kind.get_shape().count(DYNAMIC_INDEX)
        if len(self.dynamic_extents) != open_extents:
            raise VerifyException(f"{kind} leaves {open_extents} extents open, {len(self.dynamic_extents)} are given")
        if [argument.type for argument in block.args] != [IndexType()] * kind.get_num_dims():
            raise VerifyException(f"its block takes an index for each of the {kind.get_num_dims()} dimensions")
        last = block.last_op
        if isinstance(last, YieldOp) and list(last.operand_types) != [kind.element_type]:
            raise VerifyException(f"its block yields an element, {kind.element_type}")


@irdl_op_definition
class ParallelInsertSliceOp(IRDLOperation):
    """A slice that an iteration of `scf.forall` puts into a shared tensor."""

    name = "tensor.parallel_insert_slice"
    source = operand_def(TensorType[Attribute])
    dest = operand_def(TensorType[Attribute])
    offsets = var_operand_def(IndexType)
    sizes = var_operand_def(IndexType)
    strides = var_operand_def(IndexType)
    static_offsets = prop_def(DenseArrayBase.constr(i64))
    static_sizes = prop_def(DenseArrayBase.constr(i64))
    static_strides = prop_def(DenseArrayBase.constr(i64))
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(HasParent(InParallelOp))
    assembly_format = (
        "$source `into` $dest ``"
        "custom<DynamicIndexList>($offsets, $static_offsets)"
        "custom<DynamicIndexList>($sizes, $static_sizes)"
        "custom<DynamicIndexList>($strides, $static_strides)"
        "attr-dict `:` type($source) `into` type($dest)"
    )
    custom_directives = (DynamicIndexList,)


@redefined()
class PadOp(tensor.PadOp):
    """A tensor with numbers around it; as many as values say may be around one whose extents are known."""

    def verify_(self) -> None:
        source, result = cast("TensorType[Attribute]", self.source.type), self.result.type
        low, high = self.static_low.get_values(), self.static_high.get_values()
        ranks = {len(low), len(high), len(self.region.block.args), source.get_num_dims(), result.get_num_dims()}
        if len(ranks) > 1:
            raise VerifyException(
                f"it pads {source} by {len(low)} and {len(high)} sizes to {result}: one rank is required"
            )
        for numbers, values in ((low, self.low), (high, self.high)):
            if numbers.count(DYNAMIC_INDEX) != len(values):
                raise VerifyException(f"its sizes leave others open than the {len(values)} that values give")
        for dim, parts in enumerate(zip(source.get_shape(), low, high, strict=True)):
            if DYNAMIC_INDEX not in parts and result.get_shape()[dim] == DYNAMIC_INDEX:
                raise VerifyException(f"dimension {dim} of its result is open: it is {sum(parts)}")


_OPERATIONS: list[type[Operation]] = [
    *(PadOp if op is tensor.PadOp else op for op in Tensor.operations),
    RankOp,
    GenerateOp,
    ParallelInsertSliceOp,
]
_ATTRIBUTES: list[type[Attribute]] = list(Tensor.attributes)
FrontendTensor = Dialect("tensor", _OPERATIONS, _ATTRIBUTES)
