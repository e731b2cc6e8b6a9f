"""scf.forall on tensors, written out: each iteration's operations, then its slices put into what the loops share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import IndexType, IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.trips import trips_of
from vtac.analysis.ir.locations import location_of
from vtac.dialects.frontend_forall import ForallOp
from vtac.dialects.frontend_tensor import ParallelInsertSliceOp
from vtac.errors import CompileError
from vtac.limits import OPERATIONS
from vtac.rewriting.copies import copy_of
from vtac.rewriting.stated_numbers import stated


@dataclass
class UnrollForall(RewritePattern):
    """Loops of constant bounds, directly in a function. Each iteration sees the shared tensors as they were before."""

    made: int = 0

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForallOp, rewriter: PatternRewriter) -> None:
        ranges = _ranges(op)
        if ranges is None or not isinstance(op.parent_op(), FuncOp):
            return
        self._count(op, prod(map(trips_of, ranges)))
        block, loops = op.body.block, len(ranges)
        *inner, last = block.ops
        insertions = list(last.regions[0].block.ops)
        if not all(isinstance(one, ParallelInsertSliceOp) and one.dest in block.args for one in insertions):
            return
        shared: dict[SSAValue, SSAValue] = dict(zip(block.args[loops:], op.outputs, strict=True))
        made: list[Operation] = []
        for point in product(*ranges):
            numbers = [ConstantOp(IntegerAttr(index, IndexType())) for index in point]
            made += numbers
            values: dict[SSAValue, SSAValue] = dict(zip(block.args[loops:], op.outputs, strict=True))
            values |= {argument: number.result for argument, number in zip(block.args, numbers, strict=False)}
            made += [copy_of(one, values) for one in inner]
            for insertion in insertions:
                if isinstance(insertion, ParallelInsertSliceOp):
                    made.append(_inserted(insertion, shared[insertion.dest], values))
                    shared[insertion.dest] = made[-1].results[0]
        results = [shared[argument] for argument in block.args[loops:]]
        for one, value in zip(op.results, results, strict=True):
            if not isinstance(value, BlockArgument):
                value.name_hint = one.name_hint or value.name_hint
        rewriter.replace(op, made, results)

    def _count(self, op: ForallOp, trips: int) -> None:
        self.made += trips * sum(1 for _ in op.body.walk())
        refusal = OPERATIONS.refusal(self.made)
        if refusal:
            raise CompileError(f"unrolling the loops takes {refusal}", location_of(op))


def _inserted(op: ParallelInsertSliceOp, dest: SSAValue, values: dict[SSAValue, SSAValue]) -> tensor.InsertSliceOp:
    """The slice of one iteration in its place."""
    offsets, sizes, strides = ([values.get(one, one) for one in part] for part in (op.offsets, op.sizes, op.strides))
    new = tensor.InsertSliceOp.build(
        operands=[values.get(op.source, op.source), dest, offsets, sizes, strides],
        result_types=[dest.type],
        properties={name: op.properties[name] for name in ("static_offsets", "static_sizes", "static_strides")},
    )
    new.location = op.location
    return new


def _ranges(op: ForallOp) -> list[range] | None:
    """The indices of each loop; None where a bound is no constant, or a step not positive."""
    lower, upper, step = (stated(numbers, values) for numbers, values in op.bounds())
    if lower is None or upper is None or step is None or min(step, default=1) < 1:
        return None
    return [range(*one) for one in zip(lower, upper, step, strict=True)]
