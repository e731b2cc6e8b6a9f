"""widen-operands: tensors of integers between 8 and 32 bits are extended by the host before the VTA reads them.

before: linalg.generic ins(%x : tensor<..xi16>) { extsi %x + .. }
after:  %w = packing.host "operand .." { extsi %x }
        linalg.generic ins(%w : tensor<..xi32>) { %w + .. }
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import IntegerType, ModuleOp, TensorType, i8, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.dialects.linalg.ops import YieldOp as LinalgYieldOp
from xdsl.ir import Block, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.target import config_of
from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.types.tensor_types import element_of, rank_of, shape_of
from vtac.dialects.packing import HostOp, YieldOp
from vtac.rewriting.edits import append
from vtac.rewriting.integer_tensors import generic
from vtac.rewriting.walker import rewrite_once

_LOADED = ("the VTA loads i8 and i32", "GEMM widens i8 by weights on a diagonal, which tiles of two sizes lack")


@dataclass
class ExtendOperands(RewritePattern):
    """An elementwise operation on integers that sign-extends an operand of some bits reads it extended."""

    least: int
    """Bits of the narrowest operand that the VTA does not load by itself."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        if not isinstance(op.parent_op(), FuncOp) or not is_elementwise(op) or len(op.res) != 1:
            return
        if element_of(op.res[0]) not in (i8, i32):
            return
        places = [place for place, value in enumerate(op.inputs) if self._is_extended(op, place, value)]
        for place in places:
            segment = _widened(op.inputs[place])
            segment.location = op.location
            rewriter.insert(segment, InsertPoint.before(op))
            argument = op.body.block.args[place]
            for use in list(argument.uses):
                rewriter.replace(use.operation, [], [argument])
            rewriter.replace_value_with_new_type(argument, i32)
            op.operands[place] = segment.outputs[0]
        if places:
            rewriter.notify_op_modified(op)

    def _is_extended(self, op: GenericOp, place: int, value: SSAValue) -> bool:
        kind = element_of(value)
        if (
            not isinstance(value.type, TensorType)
            or not isinstance(kind, IntegerType)
            or not self.least <= kind.bitwidth < 32
        ):
            return False
        readers = [use.operation for use in op.body.block.args[place].uses]
        return bool(readers) and all(isinstance(one, arith.ExtSIOp) and one.result.type == i32 for one in readers)


def _widened(value: SSAValue) -> HostOp:
    """The host segment that extends a tensor to 32 bits."""
    body, kind = Block(), TensorType(i32, shape_of(value))
    inner = Block(arg_types=[element_of(value), i32])
    extension = arith.ExtSIOp(inner.args[0], i32)
    append([extension, LinalgYieldOp(extension.result)], inner)
    empty = tensor.EmptyOp([], kind)
    maps = [AffineMap.identity(rank_of(value))] * 2
    whole = generic([value], empty.tensor, inner, maps, [IteratorTypeAttr.parallel()] * rank_of(value))
    append([empty, whole, YieldOp(operands=[[whole.res[0]]])], body)
    name = f" '{value.name_hint}'" if value.name_hint else ""
    reason = f"operand{name} is {element_of(value)}, widened by the host ({_LOADED[element_of(value) == i8]})"
    segment = HostOp.get(reason, [kind], Region(body))
    segment.outputs[0].name_hint = value.name_hint
    return segment


@dataclass(frozen=True)
class WidenOperands(ModulePass):
    """Let the host extend tensors whose elements the VTA does not load.

    requires: host functions whose elementwise operations compute in 32 bits (narrow-integers).
    ensures:  elementwise operations with results of i8 or i32 read no tensor of 9 to 31 bits that they
              only sign-extend to i32; a host segment that says so has extended it. Where BLOCK_IN is not
              BLOCK_OUT none of 8 bits either: GEMM widens these by weights on a diagonal.
    declines: operands that are read in another way stay as they are.
    """

    name = "widen-operands"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        config = config_of(op)
        for function in host_functions(op):
            rewrite_once(function, ExtendOperands(8 if config.block_in != config.block_out else 9))
