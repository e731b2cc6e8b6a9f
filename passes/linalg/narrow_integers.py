"""narrow-integers: integers of any width -> i32, and i8 where products read them."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from vtac.analysis.integer_plans.narrow_plan import NarrowPlan, may_narrow
from vtac.analysis.ir.device_functions import host_functions
from vtac.rewriting.converted_operations import ConvertContraction, carry_out
from vtac.rewriting.integer_bodies import NarrowBody
from vtac.rewriting.tensor_conversion import Conversion, KeepIntegers


def narrow(function: FuncOp) -> None:
    """Carry out the plan of one function, if there is any."""
    if not may_narrow(function):
        return
    conversion = Conversion(NarrowPlan(function))
    if not conversion.plan.operations:
        return
    carry_out(conversion, function, NarrowBody, ConvertContraction(conversion), KeepIntegers(conversion), ())


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
