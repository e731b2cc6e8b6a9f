"""What is known of the scalars in the body of a linalg operation, by what is known of its operands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerAttr, IntegerType
from xdsl.ir import Operation, SSAValue
from xdsl.traits import IsTerminator

from vtac.analysis.values.integer_ranges import Range, result_range, type_range, width_of
from vtac.analysis.values.recipes import Recipe
from vtac.analysis.values.scaled_floats import FLOAT_RULES, Term, from_integer, to_integer
from vtac.analysis.values.scaled_integers import Fact, Known, NotScaledError, Scaled, whole_numbers

Lookup = Callable[[SSAValue], Fact]


def is_float(value: SSAValue) -> bool:
    """Whether a scalar is a floating-point number."""
    return type(value.type) is not IntegerType and isinstance(value.type, AnyFloat)


def takes_or_gives_floats(op: Operation) -> bool:
    """Whether an operation on scalars has to do with floating point."""
    return any(map(is_float, (*op.operands, *op.results)))


def scalar_facts(ops: Sequence[Operation], arguments: Mapping[SSAValue, Fact], outer: Lookup) -> dict[SSAValue, Fact]:
    """What is known of every scalar that operations in a row compute; `outer` tells of values from around them."""
    known: dict[SSAValue, Fact] = dict(arguments)

    def fact(value: SSAValue) -> Fact:
        return known[value] if value in known else outer(value)

    for op in ops:
        if len(op.results) == 1 and not op.has_trait(IsTerminator):
            known[op.results[0]] = _fact(op, fact)
        else:
            known |= dict.fromkeys(op.results, f"its body holds '{op.name}'")
    return known


def _fact(op: Operation, fact: Lookup) -> Fact:
    if isinstance(op, arith.ConstantOp):
        return constant_fact(op)
    if not takes_or_gives_floats(op):
        return _integer_fact(op, fact)
    if isinstance(op, arith.CmpfOp):
        return "it needs 'arith.cmpf' for more than a maximum or minimum"
    compared = 1 if isinstance(op, arith.SelectOp) else 0
    unknown = next((f for v in op.operands[compared:] if isinstance(f := fact(v), str)), None)
    if unknown is not None:
        return unknown
    try:
        return apply_rule(op, fact, Recipe(len(op.operands)))[1]
    except NotScaledError as reason:
        return str(reason)


def constant_fact(op: arith.ConstantOp) -> Fact:
    """What is known of a scalar constant: itself."""
    if isinstance(op.value, IntegerAttr | FloatAttr):
        return Known(op.value.value.data)
    return f"it takes {op.value}"


def apply_rule(op: Operation, fact: Lookup, recipe: Recipe) -> tuple[int, Fact]:
    """The steps of an operation that takes or gives floats: the number of its result, and what is known of that.

    Raises `NotScaledError`.
    """
    if isinstance(op, arith.SIToFPOp | arith.UIToFPOp):
        low, high = range_of(op.operands[0], fact(op.operands[0]))
        if isinstance(op, arith.UIToFPOp) and low < 0:
            low, high = 0, (1 << (width_of(op.operands[0].type) or 64)) - 1
        return 0, from_integer(low, high, op.results[0].type)
    terms = [_term(number, fact(value)) for number, value in enumerate(op.operands)]
    if isinstance(op, arith.FPToSIOp | arith.FPToUIOp):
        return to_integer(op, terms[0], recipe)
    rule = FLOAT_RULES.get(type(op))
    if rule is None:
        raise NotScaledError(f"'{op.name}' is none of the operations that the VTA's ALU has (add, max, min, shifts)")
    found = rule(op, terms, recipe)
    return (0, found) if isinstance(found, Known) else found


def _term(number: int, fact: Fact) -> Term:
    return Term(number, Scaled(0, 1) if isinstance(fact, str) else fact)


def _integer_fact(op: Operation, fact: Lookup) -> Fact:
    return Scaled(*result_range(op, [range_of(value, fact(value)) for value in op.operands]))


def range_of(value: SSAValue, fact: Fact) -> Range:
    """Between which integers an integer value lies."""
    numbers = whole_numbers(fact) if isinstance(fact, Known) and all(map(isfinite, fact.values)) else None
    if numbers:
        return min(numbers), max(numbers)
    if isinstance(fact, Scaled):
        return fact.low, fact.high
    return type_range(width_of(value.type) or 64)
