"""narrow-integers: integers of any width -> i32, and i8 where products read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import IntegerType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, YieldOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from vtac.analysis.device_functions import host_functions
from vtac.analysis.narrow_plan import NarrowPlan, within
from vtac.analysis.scaled_integers import INT32, Scaled
from vtac.analysis.value_facts import element_of, rank_of, shape_of
from vtac.rewriting.converted_operations import ConvertContraction, ConvertElementwise
from vtac.rewriting.edits import append
from vtac.rewriting.integer_bodies import NarrowBody
from vtac.rewriting.integer_tensors import empty, generic
from vtac.rewriting.tensor_conversion import Conversion, ConvertConstant, ConvertLayout
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once


@dataclass
class KeepIntegers(RewritePattern):
    """An integer of another width that is read as it was, by the host: extended from the narrow one, if that is whole.

    Looked at last first, so that what only rewritten operations read is gone by then.
    """

    conversion: Conversion

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if len(op.results) != 1 or op.results[0] not in self.conversion.integers:
            return
        value = op.results[0]
        fact = self.conversion.plan.fact(value)
        if not value.uses:
            rewriter.erase(op)
        elif isinstance(fact, Scaled) and within((fact.low, fact.high), INT32):
            made = _extended(self.conversion.integers[value], value)
            made[-1].results[0].name_hint = value.name_hint
            for one in made:
                one.location = op.location
            rewriter.replace(op, made)


def _extended(integer: SSAValue, value: SSAValue) -> list[Operation]:
    kind, rank = cast(IntegerType, element_of(value)), rank_of(value)
    held = cast(IntegerType, element_of(integer))
    block = Block(arg_types=[held, kind])
    changed = arith.ExtSIOp if held.bitwidth < kind.bitwidth else arith.TruncIOp
    wide = changed(block.args[0], kind)
    append([wide, YieldOp(wide.results[0])], block)
    output = empty(kind, shape_of(value))
    kinds = [IteratorTypeAttr.parallel()] * rank
    return [output, generic([integer], output.tensor, block, [AffineMap.identity(rank)] * 2, kinds)]


@dataclass(frozen=True)
class NarrowIntegers(ModulePass):
    """Compute in 32 bits where that gives the same numbers.

    Needs a plan of the whole function: what is known of its values, and which are wanted in 32 bits.

    requires: functions on tensors of static shape.
    ensures:  elementwise operations with results of i8 and i32 compute in i32, of bytes that they
              extend first, and truncate last; products accumulate in i32, and read bytes where their
              factors' integers fit; no operation between them works on other widths. Constants that
              all elements share stand in the bodies.
    declines: other integers stay as they are: arguments of other widths, 64-bit values that are
              compared, shifted right or converted and may not fit 32 bits, unsigned products.
    """

    name = "narrow-integers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            narrow(function)


def narrow(function: FuncOp) -> None:
    """Carry out the plan of one function."""
    conversion = Conversion(NarrowPlan(function))
    if not conversion.plan.operations:
        return
    rewrite_once(
        function,
        ConvertConstant(conversion),
        ConvertLayout(conversion),
        ConvertElementwise(conversion, NarrowBody),
        ConvertContraction(conversion),
    )
    unread = DropUnread((FillOp, BroadcastOp, tensor.EmptyOp, arith.ConstantOp))
    rewrite_once(function, KeepIntegers(conversion), unread, backwards=True)
