"""convert-scaled-floats: floats that are integers times powers of two -> the integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import AnyFloat, FloatAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from vtac.analysis.integer_plans.scaled_plan import ScaledPlan
from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.types.element_kinds import has_floats
from vtac.analysis.types.tensor_types import element_of, rank_of, shape_of
from vtac.analysis.values.scaled_integers import Channels, Scaled
from vtac.analysis.values.value_facts import ValueFacts
from vtac.rewriting.converted_operations import ConvertContraction, carry_out
from vtac.rewriting.edits import append
from vtac.rewriting.finite_pads import BoundPadsOfMaxima
from vtac.rewriting.integer_bodies import UnscaledBody
from vtac.rewriting.integer_tensors import dense, empty, generic
from vtac.rewriting.tensor_conversion import Conversion
from vtac.rewriting.walker import rewrite_once


@dataclass
class KeepFloats(RewritePattern):
    """A float that was converted and is read as it was, by the host: computed from the integer.

    Looked at last first, so that what only converted operations read is gone by then.
    """

    conversion: Conversion

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if len(op.results) != 1 or op.results[0] not in self.conversion.integers:
            return
        value = op.results[0]
        if not value.uses:
            rewriter.erase(op)
        elif any(operand in self.conversion.integers for operand in op.operands):
            made = self._floats(value)
            made[-1].results[0].name_hint = value.name_hint
            for one in made:
                one.location = op.location
            rewriter.replace(op, made)

    def _floats(self, value: SSAValue) -> list[Operation]:
        integer, kind = self.conversion.integers[value], cast(AnyFloat, element_of(value))
        exponent = cast(Scaled, self.conversion.plan.fact(value)).exponent
        rank = rank_of(value)
        maps = [AffineMap.identity(rank)] * 2
        block = Block(arg_types=[element_of(integer), kind])
        inputs, made = [integer], list[Operation]()
        if isinstance(exponent, Channels):
            powers = np.array([2.0**e for e in exponent.values])
            made.append(dense(powers, kind))
            inputs.append(made[0].results[0])
            maps.insert(1, AffineMap(rank, 0, (AffineDimExpr(exponent.axis),)))
            scale: SSAValue = block.insert_arg(kind, 1)
        else:
            constant = arith.ConstantOp(FloatAttr(2.0**exponent, kind))
            append(constant, block)
            scale = constant.result
        real = arith.SIToFPOp(block.args[0], kind)
        product = arith.MulfOp(real.result, scale)
        append([real, product, YieldOp(product.result)], block)
        output = empty(kind, shape_of(value))
        kinds = [IteratorTypeAttr.parallel()] * rank
        return [*made, output, generic(inputs, output.tensor, block, maps, kinds)]


def convert(function: FuncOp) -> None:
    """Carry out the plan of one function, where there are floats at all."""
    if not has_floats(function):
        return
    if any(isinstance(op, tensor.PadOp) and isinstance(element_of(op.result), AnyFloat) for op in function.walk()):
        rewrite_once(function, BoundPadsOfMaxima(ValueFacts(function)))
    conversion = Conversion(ScaledPlan(function))
    if not conversion.plan.operations:
        return
    carry_out(conversion, function, UnscaledBody, ConvertContraction(conversion), KeepFloats(conversion), ())


@dataclass(frozen=True)
class ConvertScaledFloats(ModulePass):
    """Compute with integers where f32 or f64 tensors hold integers times powers of two.

    Needs a plan of the whole function: what is known of its values, and which are wanted as integers.

    requires: functions on tensors of static shape.
    ensures:  operations that make integers of floats, and products of floats, work on i8 and i32
              where every float that they are computed from is an integer times a power of two, per
              tensor or per channel; `roundeven` is additions and shifts. Where f32 could have
              rounded a sum, the operation's `packing.choice` says that the exact one is taken.
    declines: other floats stay as they are: scales that are no powers of two, integers that 32 bits
              do not hold, functions of more than the ALU's operations.
    """

    name = "convert-scaled-floats"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            convert(function)
