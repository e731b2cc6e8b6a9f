"""unroll-loops: loops of constant bounds around operations on tensors -> the operations of every iteration.

before: %r = scf.for %i = %c0 to %c2 step %c1 iter_args(%a = %x) { %b = f(%a, %i)  scf.yield %b }
after:  %b = f(%x, 0)
        %r = f(%b, 1)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, scf, tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, IntegerAttr, IntegerType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.expressions.trips import bounds_of, trips_of
from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.locations import location_of
from vtac.errors import CompileError
from vtac.limits import OPERATIONS
from vtac.rewriting.forall_loops import UnrollForall
from vtac.rewriting.stated_numbers import EmptySlice, FoldShape, StatePadding
from vtac.rewriting.walker import rewrite_greedily

_ARITHMETIC: Mapping[type[Operation], Callable[[int, int], int]] = {
    arith.AddiOp: lambda a, b: a + b,
    arith.SubiOp: lambda a, b: a - b,
    arith.MuliOp: lambda a, b: a * b,
}


@dataclass
class UnrollLoop(RewritePattern):
    """A loop of constant bounds, directly in a function."""

    made: int = 0

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: scf.ForOp, rewriter: PatternRewriter) -> None:
        bounds = bounds_of(op)
        if bounds is None or not isinstance(op.parent_op(), FuncOp):
            return
        self._count(op, trips_of(bounds))
        carried: list[SSAValue] = list(op.iter_args)
        made: list[Operation] = []
        for index in bounds:
            number = ConstantOp(IntegerAttr(index, cast("IntegerType", op.lb.type)))
            made.append(number)
            values: dict[SSAValue, SSAValue] = dict(zip(op.body.block.args, [number.result, *carried], strict=True))
            *inner, last = op.body.block.ops
            made += [_clone(one, values) for one in inner]
            carried = [values.get(value, value) for value in last.operands]
        for one, value in zip(op.results, carried, strict=True):
            if not isinstance(value, BlockArgument):
                value.name_hint = one.name_hint or value.name_hint
        rewriter.replace(op, made, carried)

    def _count(self, op: scf.ForOp, trips: int) -> None:
        self.made += trips * sum(1 for _ in op.body.walk())
        refusal = OPERATIONS.refusal(self.made)
        if refusal:
            raise CompileError(f"unrolling the loop takes {refusal}", location_of(op))


class FoldIndex(RewritePattern):
    """A sum, difference or product of constant indices is a constant."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.AddiOp | arith.SubiOp | arith.MuliOp, rewriter: PatternRewriter) -> None:
        numbers = [number_of(value) for value in op.operands]
        if isinstance(op.result.type, IndexType) and None not in numbers and isinstance(op.parent_op(), FuncOp):
            left, right = (number or 0 for number in numbers)
            rewriter.replace(op, ConstantOp(IntegerAttr(_ARITHMETIC[type(op)](left, right), IndexType())))


class StateSlice(RewritePattern):
    """Offsets of a slice that are constants are stated in it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExtractSliceOp | tensor.InsertSliceOp, rewriter: PatternRewriter) -> None:
        numbers = [number_of(value) for value in op.offsets]
        if not numbers or None in numbers or op.sizes or op.strides:
            return
        given = iter(numbers)
        stated = op.static_offsets.get_values()
        offsets = [next(given) or 0 if offset == DYNAMIC_INDEX else offset for offset in stated]
        sizes, strides = (list(part.get_values()) for part in (op.static_sizes, op.static_strides))
        if isinstance(op, tensor.InsertSliceOp):
            new: Operation = tensor.InsertSliceOp.from_static_parameters(op.source, op.dest, offsets, sizes, strides)
        elif tuple(sizes) == tuple(op.result.type.get_shape()):
            new = tensor.ExtractSliceOp.from_static_parameters(op.source, offsets, sizes, strides)
        else:
            return
        new.location = op.location
        new.results[0].name_hint = op.result.name_hint
        rewriter.replace(op, new)


def _clone(op: Operation, values: dict[SSAValue, SSAValue]) -> Operation:
    """An operation on the values of one iteration, whose results are noted there."""
    new = op.clone(values)
    new.location = op.location
    for old, result in zip(op.results, new.results, strict=True):
        result.name_hint = old.name_hint
        values[old] = result
    return new


_STATED = (FoldShape(), StatePadding(), EmptySlice())


@dataclass(frozen=True)
class UnrollLoops(ModulePass):
    """Write out loops on tensors, whose operations then are those of a program without loops.

    requires: host functions.
    ensures:  no `scf.for` or `scf.forall` of constant bounds stands directly in a host function; offsets of slices
              that its index gives are stated, as is padding by constants; ranks and extents that types say are
              constants.
    declines: loops that take more operations than the limit (VTAC_MAX_OPERATIONS); other bounds stay.
    """

    name = "unroll-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_greedily(function, UnrollLoop(), UnrollForall(), FoldIndex(), StateSlice(), *_STATED)
