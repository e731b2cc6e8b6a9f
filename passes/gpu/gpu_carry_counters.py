"""gpu-carry-counters: what a loop of steps divides its iteration by is counted along with it.

before: for step                              after: for step, row = 0, column = 0
          x[step / 3 % 3 * 8 + step % 3]               x[row * 8 + column]
                                                       row = column == 2 ? (row == 2 ? 0 : row + 1) : row
                                                       column = column == 2 ? 0 : column + 1
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

from xdsl.context import Context
from xdsl.dialects import arith, gpu, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.counters import Counters, Digit, digit_of
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.kernels.kernel_places import OpenValues
from vtac.dialects.schedule.declared import UNROLL
from vtac.dialects.wmma.declared import KERNEL
from vtac.rewriting.edits import insert_ops, replace_by, stand_for
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once

_INDEX = IndexType()
_ANY = 1 << 31


@dataclass
class CarryCounters(RewritePattern):
    """A loop of steps that divides its iteration -> one that carries the digits of the iteration."""

    values: OpenValues

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: scf.ForOp, rewriter: PatternRewriter) -> None:
        if op.iter_args or UNROLL.is_on(op) or not self._is_of_steps(op):
            return
        digits = {digit for _, found in self._divided(op) for digit in found.values() if not digit.is_cheap}
        if digits:
            self._carry(op, Counters(sorted(digits, key=lambda one: (one.period, one.offset))), rewriter)

    def _is_of_steps(self, op: scf.ForOp) -> bool:
        """Whether threads wait for each other in a loop, so that it stays one, and it counts 0, 1, 2, ..."""
        bounds = [self.values.expression(value) for value in (op.lb, op.step)]
        waits = any(isinstance(one, gpu.BarrierOp) for one in op.body.walk())
        return waits and bounds == [Linear(0), Linear(1)]

    def _divided(self, op: scf.ForOp) -> Iterator[tuple[ApplyOp, Mapping[Hashable, Digit]]]:
        """The indices of a loop that have digits of its iteration as terms, and these."""
        variable = op.body.block.args[0]
        for index in op.body.walk():
            expression = self.values.expression(index.results[0]) if isinstance(index, ApplyOp) else None
            if expression is None or not isinstance(index, ApplyOp):
                continue
            digits = {atom: digit for atom in expression.terms if (digit := digit_of(atom, variable)) is not None}
            if digits:
                yield index, digits

    def _carry(self, op: scf.ForOp, counters: Counters, rewriter: PatternRewriter) -> None:
        block = op.body.block
        divided = list(self._divided(op))
        starts = [arith.ConstantOp(IntegerAttr(digit.start, _INDEX)) for digit in counters.order]
        insert_ops(starts, InsertPoint.before(op), rewriter)
        carried: dict[Digit, SSAValue] = {}
        for position, digit in enumerate(counters.order):
            carried[digit] = rewriter.insert_block_argument(block, position + 1, _INDEX)
            self.values.expression(carried[digit])
        for index, digits in divided:
            self._replace(index, {atom: carried[one] for atom, one in digits.items() if one in carried}, rewriter)
        end = block.last_op
        if not isinstance(end, scf.YieldOp):
            raise ValueError("a loop without an end")
        stepping = _Stepping(counters, carried)
        nexts = [stepping.next(digit) for digit in counters.order]
        rewriter.replace(end, [*stepping.operations, scf.YieldOp(*nexts)], [])
        body = rewriter.move_region_contents_to_new_regions(op.body)
        loop = scf.ForOp(op.lb, op.ub, op.step, starts, body)
        stand_for(loop, op)
        rewriter.replace(op, loop, [])

    def _replace(self, index: ApplyOp, carried: Mapping[Hashable, SSAValue], rewriter: PatternRewriter) -> None:
        expression = self.values.expression(index.results[0])
        if expression is None or not carried:
            return
        for atom, value in carried.items():
            factor = expression.terms[atom]
            expression = Linear.variable(value) * factor + (expression - Linear.variable(atom) * factor)
        made = HostValues(self.values.extents)
        value = made.value(expression)
        if isinstance(value, SSAValue) and not made.operations:
            rewriter.replace(index, [], [value])
        else:
            made.materialise(value)
            replace_by(index, made.operations, rewriter)


class _Stepping:
    """The operations that take digits to the next iteration."""

    def __init__(self, counters: Counters, carried: Mapping[Digit, SSAValue]) -> None:
        self.counters = counters
        self.carried = carried
        self.operations: list[Operation] = []
        self._last: dict[Digit, SSAValue] = {}
        self._numbers: dict[int, SSAValue] = {}

    def next(self, digit: Digit) -> SSAValue:
        """A digit in the next iteration."""
        now = self.carried[digit]
        stepped = self._stepped(digit, now)
        turns = [self._is_last(turn) for turn in self.counters.turns(digit)]
        if not turns:
            return stepped
        all_turn = reduce(lambda left, right: self._add(arith.AndIOp(left, right)), reversed(turns))
        return self._add(arith.SelectOp(all_turn, stepped, now))

    def _stepped(self, digit: Digit, now: SSAValue) -> SSAValue:
        follows = self.counters.follows(digit)
        if follows is not None:
            return self.carried[follows]
        more = HostValues({now: _ANY})
        up = more.materialise(more.value(Linear.variable(now) + 1))
        self.operations += more.operations
        if digit.wrap is None:
            return up
        return self._add(arith.SelectOp(self._is_last(digit), self._number(0), up))

    def _is_last(self, digit: Digit) -> SSAValue:
        if digit.wrap is None:
            raise ValueError("a digit without a wrap has no last value")
        if digit not in self._last:
            comparison = arith.CmpiOp(self.carried[digit], self._number(digit.wrap - 1), "eq")
            self._last[digit] = self._add(comparison)
        return self._last[digit]

    def _number(self, number: int) -> SSAValue:
        if number not in self._numbers:
            self._numbers[number] = self._add(arith.ConstantOp(IntegerAttr(number, _INDEX)))
        return self._numbers[number]

    def _add(self, op: Operation) -> SSAValue:
        self.operations.append(op)
        return op.results[0]


@dataclass(frozen=True)
class GpuCarryCounters(ModulePass):
    """Count digits of a loop's iteration along with it.

    `vtac.analysis.expressions.counters` plans which digits a loop carries, and what each becomes.

    requires: kernels (convert-loops-to-gpu) whose loops are scf.for, simplified (gpu-simplify-indices).
    ensures:  in loops with barriers that count 0, 1, 2, ..., quotients and remainders of the iteration by what is no
              power of two are values that the loop carries; stepped by comparisons and selections.
    declines: nothing; digits of anything else than the iteration stay.
    """

    name = "gpu-carry-counters"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            rewrite_once(kernel, CarryCounters(OpenValues(kernel)))
