"""split-device-operations: each operation of a device function is one instruction per tile, still on plain tensors.

before: %y = linalg.generic ins(%p, %b) ... { (p + b) >> 7, truncated }
after:  %0 = linalg.generic ins(%p, %b) ... { p + b }
        %1 = linalg.generic ins(%0) ... { x >> 7 }
        %y = linalg.generic ins(%1) ... { the low 8 bits of x }
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, i8
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.dialects.tensor import EmptyOp, PadOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import device_functions
from vtac.analysis.ir.target import allows_acc_8bit
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing.declared import PLAIN
from vtac.partition.alu_bodies import BodySplitter
from vtac.partition.alu_operations import alu_difference
from vtac.partition.anchors import is_by_alu, is_somewhere_untouched, match_anchor
from vtac.partition.convolutions import Convolution
from vtac.partition.pooling_windows import WindowReader
from vtac.partition.primitives import narrowed, primitive_of
from vtac.rewriting.edits import before, replace_by
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once

_UNREAD = (GenericOp, FillOp, EmptyOp, PadOp, arith.ConstantOp)
"""What is gone when nothing reads it any more."""


@dataclass
class SplitBody(RewritePattern):
    """An elementwise operation of several steps is several operations of one."""

    function: FuncOp
    loads_8bit: bool

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        found = primitive_of(op)
        if alu_difference(op) or (found is not None and found.kind != "narrow"):
            return
        splitter = BodySplitter(op, before(op, rewriter), loads_8bit=self.loads_8bit)
        if found is not None and _is_computed(op.inputs[0]):
            return
        several = len(self.function.function_type.outputs.data) > 1
        value = splitter.computed(splitter.run(), shared=several)
        if isinstance(value.owner, LinalgStructuredOperation) and _is_untouched(value.owner):
            value = splitter.rewritten(value)
        if element_of(op.res[0]) == i8:
            replace_by(op, narrowed(value, splitter.shape), rewriter)
        else:
            rewriter.replace(op, [], [value])


class SplitPooling(RewritePattern):
    """A maximum over windows is that of its elements, each a window in steps over the loaded tiles."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        found = match_anchor(op)
        if not isinstance(found, Convolution) or not is_by_alu(found):
            return
        reader = WindowReader(found, before(op, rewriter))
        value = reader.run()
        if element_of(op.res[0]) == i8:
            replace_by(op, narrowed(value, shape_of(op.res[0])), rewriter)
        else:
            rewriter.replace(op, [], [value])


def _is_computed(value: SSAValue) -> bool:
    """Whether GEMM or ALU write accumulators everywhere."""
    return isinstance(value.owner, LinalgStructuredOperation) and not _is_untouched(value.owner)


def _is_untouched(op: LinalgStructuredOperation) -> bool:
    found = match_anchor(op)
    return isinstance(found, Convolution) and is_somewhere_untouched(found)


@dataclass(frozen=True)
class SplitDeviceOperations(ModulePass):
    """Write what the VTA does one instruction after the other: products, windows, and steps of the ALU.

    requires: device functions on plain tensors (outline-device-functions).
    ensures:  their elementwise operations are primitives (`vtac/partition/primitives.py`): one ALU operation, with
              an immediate of 16 bits; an i8 operand widened, or accumulated; the low byte of a result stored. A
              result is written by GEMM or ALU, and not only loaded.
    declines: nothing.
    """

    name = "split-device-operations"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in filter(PLAIN.is_on, device_functions(op)):
            rewrite_once(function, SplitPooling())
            rewrite_once(function, SplitBody(function, loads_8bit=allows_acc_8bit(op)))
            rewrite_once(function, DropUnread(_UNREAD), backwards=True)
