"""reduce-wide-shifts: (x * 2^k + c) >> n in 64 bits -> a shift of x, which 32 bits hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, IntegerType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.types.element_kinds import has_integers_above
from vtac.analysis.values.scalar_facts import range_of
from vtac.analysis.values.scaled_integers import INT32
from vtac.analysis.values.value_facts import ValueFacts
from vtac.rewriting.unread import DropDead
from vtac.rewriting.walker import rewrite_once

Range = tuple[int, int]


@dataclass(frozen=True)
class Term:
    """A scalar times 2^`power`, one of what a sum adds up."""

    value: SSAValue
    power: int


class SelectOfSign(RewritePattern):
    """select(x >= 0, a, b) is a + ((x >> all) << k) where a - b is 2^k: TOSA's second rounding."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.SelectOp, rewriter: PatternRewriter) -> None:
        compared = op.cond.owner
        chosen, otherwise = number_of(op.lhs), number_of(op.rhs)
        if not isinstance(compared, arith.CmpiOp) or None in (chosen, otherwise):
            return
        kind = cast(IntegerType, op.result.type)
        predicate, limit = compared.predicate.value.data, number_of(compared.rhs)
        if (predicate, limit) in ((2, 0), (3, -1)):
            chosen, otherwise = otherwise, chosen
        elif (predicate, limit) not in ((5, 0), (4, -1)):
            return
        if chosen is None or otherwise is None or chosen <= otherwise or (chosen - otherwise).bit_count() != 1:
            return
        source = cast(IntegerType, compared.lhs.type)
        if source.bitwidth > kind.bitwidth:
            return
        made: list[Operation] = [_constant(source.bitwidth - 1, source)]
        made.append(arith.ShRSIOp(compared.lhs, made[0].results[0]))
        if source != kind:
            made.append(arith.ExtSIOp(made[-1].results[0], kind))
        sign = made[-1].results[0]
        made += [power := _constant((chosen - otherwise).bit_length() - 1, kind), number := _constant(chosen, kind)]
        made.append(shifted := arith.ShLIOp(sign, power.result))
        made.append(arith.AddiOp(shifted.result, number.result))
        rewriter.replace(op, made)


@dataclass
class ReduceShift(RewritePattern):
    """One shift to the right of a sum whose terms are multiples of a power of two."""

    facts: dict[SSAValue, Range]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.ShRSIOp, rewriter: PatternRewriter) -> None:
        amount, kind = number_of(op.rhs), op.result.type
        if amount is None or not isinstance(kind, IntegerType) or kind.bitwidth <= 32:
            return
        if not 0 <= amount < kind.bitwidth:
            return  # poison by MLIR's rules
        found = self._sum(op.lhs)
        if found is None or not found[0]:
            return
        terms, constant = found
        power = min(amount, *(term.power for term in terms))
        if power == 0 or not self._is_whole(terms, constant, kind.bitwidth):
            return
        made: list[Operation] = []
        reduced = [Term(term.value, term.power - power) for term in terms]
        rewriter.replace(op, self._reduced(reduced, constant >> power, amount - power, kind, made))

    def _sum(self, value: SSAValue) -> tuple[list[Term], int] | None:
        """The terms of a sum and its constant."""
        terms: list[Term] = []
        total, waiting = 0, [Term(value, 0)]
        while waiting:
            term = waiting.pop()
            owner, number = term.value.owner, number_of(term.value)
            if number is not None:
                total += number << term.power
            elif isinstance(owner, arith.AddiOp):
                waiting += [Term(owner.rhs, term.power), Term(owner.lhs, term.power)]
            elif isinstance(owner, arith.ShLIOp | arith.MuliOp) and (more := _power(owner)) is not None:
                waiting.append(Term(owner.lhs, term.power + more))
            elif term.value in self.facts:
                terms.append(term)
            else:
                return None
            if len(terms) > 8:
                return None
        return terms, total

    def _is_whole(self, terms: list[Term], constant: int, bits: int) -> bool:
        """Whether no sum wraps, in whatever order it is made."""
        most = abs(constant) + sum(max(map(abs, self.facts[term.value])) << term.power for term in terms)
        return most < 1 << (bits - 1)

    def _reduced(
        self, terms: list[Term], constant: int, amount: int, kind: IntegerType, made: list[Operation]
    ) -> list[Operation]:
        """The shift of the smaller sum; of one term, before the constant is added, as far as 32 bits need that."""
        low = constant + sum(self.facts[term.value][0] << term.power for term in terms)
        high = constant + sum(self.facts[term.value][1] << term.power for term in terms)
        total = self._value(terms[0], kind, made)
        if not (INT32[0] <= low and high <= INT32[1]) and len(terms) == 1 and constant:
            common = min(amount, (constant & -constant).bit_length() - 1)
            total = _apply(arith.ShRSIOp, total, common, kind, made)
            constant, amount = constant >> common, amount - common
        for term in terms[1:]:
            made.append(arith.AddiOp(total, self._value(term, kind, made)))
            total = made[-1].results[0]
        total = _apply(arith.AddiOp, total, constant, kind, made)
        _apply(arith.ShRSIOp, total, amount, kind, made, always=True)
        return made

    def _value(self, term: Term, kind: IntegerType, made: list[Operation]) -> SSAValue:
        return _apply(arith.ShLIOp, term.value, term.power, kind, made)


def _apply(
    step: type[arith.ShRSIOp | arith.ShLIOp | arith.AddiOp],
    value: SSAValue,
    number: int,
    kind: IntegerType,
    made: list[Operation],
    *,
    always: bool = False,
) -> SSAValue:
    """An operation with a constant, left out where that is 0."""
    if number == 0 and not always:
        return value
    constant = _constant(number, kind)
    made += [constant, step(value, constant.result)]
    return made[-1].results[0]


def _power(op: arith.ShLIOp | arith.MuliOp) -> int | None:
    """By how many bits an operation shifts left."""
    number = number_of(op.rhs)
    if number is None:
        return None
    if isinstance(op, arith.ShLIOp):
        kind = cast(IntegerType, op.result.type)
        return number if 0 <= number < kind.bitwidth else None
    return number.bit_length() - 1 if number > 0 and number.bit_count() == 1 else None


def _constant(number: int, kind: IntegerType) -> arith.ConstantOp:
    return arith.ConstantOp(IntegerAttr(number, kind))


def _ranges(function: FuncOp) -> dict[SSAValue, Range]:
    known: dict[SSAValue, Range] = {}
    for body in ValueFacts(function).bodies.values():
        known |= {value: range_of(value, fact) for value, fact in body.items() if isinstance(value.type, IntegerType)}
    return known


@dataclass(frozen=True)
class ReduceWideShifts(ModulePass):
    """Shift by less where a 64-bit value that is shifted right was shifted left before.

    requires: elementwise operations.
    ensures:  a sum of multiples of 2^k that is shifted right by more, as TOSA's rescale has it, is the
              sum of the quotients, shifted by k less: of 32-bit values in 32 bits, as
              narrow-integers finds. A choice by the sign of a value is a shift of that.
    declines: sums that may wrap; multipliers that are no powers of two.
    """

    name = "reduce-wide-shifts"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, SelectOfSign())
            if has_integers_above(32, function):
                rewrite_once(function, ReduceShift(_ranges(function)))
            rewrite_once(function, DropDead(), backwards=True)
