"""lift-arithmetic: arith and math on whole tensors -> elementwise linalg operations.

before: %y = arith.addi %a, %b : tensor<4x16xi32>
after:  %y = linalg.generic ins(%a, %b) { %s = arith.addi %x, %z : i32 }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, IndexOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.types.tensor_types import element_of
from vtac.dialects.frontend_tensor import GenerateOp
from vtac.rewriting.copies import copy_of
from vtac.rewriting.edits import append, replace_by
from vtac.rewriting.walker import rewrite_once

_INLINED = (arith.CmpiOp, arith.CmpfOp, arith.ExtSIOp, arith.ExtUIOp, arith.SIToFPOp, arith.UIToFPOp)
"""What is computed again where it is read: its result is of no type that the VTA loads, or only a wider one."""


class LiftOperation(RewritePattern):
    """One operation of tensors of one shape, with the comparisons and casts that its operands come from.

    A scalar among its operands is the same for all elements.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not is_tensor_arithmetic(op) or not isinstance(op.parent_op(), FuncOp):
            return
        if isinstance(op, _INLINED) and not op.results[0].uses:
            rewriter.erase(op)
            return
        result = cast("TensorType[Attribute]", op.results[0].type)
        tensors = [value for value in op.operands if isinstance(value.type, TensorType)]
        inlined = {value: value.owner for value in tensors if isinstance(value.owner, _INLINED)}
        read = [one for value in op.operands for one in (inlined[value].operands if value in inlined else (value,))]
        inputs = [value for value in dict.fromkeys(read) if isinstance(value.type, TensorType)]
        block = Block(arg_types=[*map(element_of, inputs), result.element_type])
        values: dict[SSAValue, SSAValue] = dict(zip(inputs, block.args, strict=False))
        for one in dict.fromkeys(inlined.values()):
            values[one.results[0]] = _scalar(one, values, block)
        append(YieldOp(_scalar(op, values, block)), block)
        rank = len(result.get_shape())
        empty = tensor.EmptyOp([], result)
        maps = ArrayAttr([AffineMapAttr(AffineMap.identity(rank))] * (len(inputs) + 1))
        kinds = ArrayAttr([IteratorTypeAttr.parallel()] * rank)
        replace_by(op, [empty, GenericOp(inputs, [empty.tensor], Region(block), maps, kinds, [result])], rewriter)


class LiftGenerate(RewritePattern):
    """A tensor of a static shape whose elements a body computes from their indices."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenerateOp, rewriter: PatternRewriter) -> None:
        kind, body = op.result.type, op.body.block
        if op.dynamic_extents or not isinstance(op.parent_op(), FuncOp):
            return
        block = Block(arg_types=[kind.element_type])
        values: dict[SSAValue, SSAValue] = {}
        for dim, argument in enumerate(body.args):
            if argument.uses:
                index = IndexOp(dim)
                append(index, block)
                values[argument] = index.result
        *inner, last = body.ops
        for one in inner:
            append(copy_of(one, values), block)
        append(YieldOp(*[values.get(value, value) for value in last.operands]), block)
        rank = kind.get_num_dims()
        empty = tensor.EmptyOp([], kind)
        maps = ArrayAttr([AffineMapAttr(AffineMap.identity(rank))])
        kinds = ArrayAttr([IteratorTypeAttr.parallel()] * rank)
        replace_by(op, [empty, GenericOp([], [empty.tensor], Region(block), maps, kinds, [kind])], rewriter)


def is_tensor_arithmetic(op: Operation) -> bool:
    """Whether an operation of arith or math computes a whole tensor; no constant does."""
    if op.name.partition(".")[0] not in ("arith", "math") or isinstance(op, ConstantOp) or len(op.results) != 1:
        return False
    return isinstance(op.results[0].type, TensorType)


def _scalar(op: Operation, values: Mapping[SSAValue, SSAValue], block: Block) -> SSAValue:
    """What an operation computes of one element of each tensor, at the end of a body."""
    scalar = type(op).create(
        operands=[values.get(value, value) for value in op.operands],
        result_types=[element_of(op.results[0])],
        properties=op.properties,
        attributes=op.attributes,
    )
    append(scalar, block)
    return scalar.results[0]


@dataclass(frozen=True)
class LiftArithmetic(ModulePass):
    """Let arithmetic on tensors be elementwise operations, as all other arithmetic is.

    requires: host functions.
    ensures:  no operation of arith or math with a result of tensor type stands directly in a host function, but
              constants. A `tensor.generate` of a static shape is one operation of linalg, too.
    declines: nothing.
    """

    name = "lift-arithmetic"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, LiftGenerate(), LiftOperation(), backwards=True)
