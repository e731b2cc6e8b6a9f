"""Elements of tensors as scalar expressions over other tensors' elements.

A tensor of rank r has one expression over its r indices. Elementwise operations are
inlined, so a whole chain of them is one tree; its leaves are stored tensors, accumulators
of contractions, and numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from xdsl.dialects.arith import CmpfOp, CmpiOp, ConstantOp
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.traits import IsTerminator

from vtac.analysis.elementwise import NOWHERE, index_loops


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a tensor, at the indices `dims` of the expression's tensor.

    `source` is what holds the tensor: an identity, compared as such. `steps`, when there are
    any, say per index of the tensor by what it is multiplied, and what is added then.
    """

    source: object
    dims: tuple[int, ...]
    kind: Attribute
    steps: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """A number of a type."""

    value: int | float
    kind: Attribute


@dataclass(frozen=True, slots=True)
class Apply:
    """A scalar operation, by name; comparisons carry their predicate."""

    name: str
    arguments: tuple[Expression, ...]
    kind: Attribute
    predicate: int = -1


Expression: TypeAlias = Element | Literal | Apply


def renamed(expression: Expression, dims: Sequence[int]) -> Expression:
    """The expression with index i replaced by index `dims[i]`."""
    if isinstance(expression, Element):
        return replace(expression, dims=tuple(d if d == NOWHERE else dims[d] for d in expression.dims))
    if isinstance(expression, Apply):
        return replace(expression, arguments=tuple(renamed(a, dims) for a in expression.arguments))
    return expression


def substituted(expression: Expression, new: Callable[[Expression], Expression | None]) -> Expression:
    """The expression with every outermost part that `new` has a replacement for replaced."""
    found = new(expression)
    if found is not None:
        return found
    if isinstance(expression, Apply):
        return replace(expression, arguments=tuple(substituted(a, new) for a in expression.arguments))
    return expression


def parts(expression: Expression) -> Iterator[Expression]:
    """The expression and all that it is made of, outermost first."""
    yield expression
    if isinstance(expression, Apply):
        for argument in expression.arguments:
            yield from parts(argument)


def depth(expression: Expression) -> int:
    """How many operations wait for one another."""
    return 1 + max(map(depth, expression.arguments), default=0) if isinstance(expression, Apply) else 0


def elements(expression: Expression) -> list[Element]:
    """The different elements that an expression reads, in order of appearance."""
    return list(dict.fromkeys(part for part in parts(expression) if isinstance(part, Element)))


def elementwise_expression(
    op: LinalgStructuredOperation, operand: Callable[[SSAValue], Expression], scalar: Callable[[SSAValue], Expression]
) -> Expression | str:
    """The expression of an elementwise op's result over its own indices, or why it has none."""
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    place = {loop: index for index, loop in enumerate(index_loops(maps[-1]) or ())}
    body = op.body.block
    known: dict[SSAValue, Expression] = {}
    for argument, value, indices in zip(body.args, op.operands, maps, strict=True):
        if argument.uses:
            dims = [place.get(loop, NOWHERE) for loop in index_loops(indices) or ()]
            known[argument] = renamed(operand(value), dims)
    for inner in body.ops:
        if inner.has_trait(IsTerminator):
            return _known(inner.operands[0], known, scalar)
        found = _apply(inner, [_known(value, known, scalar) for value in inner.operands])
        if isinstance(found, str):
            return found
        known[inner.results[0]] = found
    return "its body has no terminator"


def _known(value: SSAValue, known: dict[SSAValue, Expression], scalar: Callable[[SSAValue], Expression]) -> Expression:
    return known[value] if value in known else scalar(value)


def _apply(op: Operation, arguments: list[Expression]) -> Expression | str:
    if isinstance(op, ConstantOp):
        number = literal(op)
        return f"it takes {op.value}" if number is None else number
    if len(op.results) != 1 or op.regions:
        return f"its body holds '{op.name}'"
    predicate = op.predicate.value.data if isinstance(op, CmpiOp | CmpfOp) else -1
    return Apply(op.name, tuple(arguments), op.results[0].type, predicate)


def literal(op: ConstantOp) -> Literal | None:
    """The number of a scalar constant."""
    if isinstance(op.value, IntegerAttr | FloatAttr):
        return Literal(op.value.value.data, op.value.type)
    return None
