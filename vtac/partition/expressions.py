"""Elements of tensors as scalar expressions over other tensors' elements.

A tensor of rank r has one expression over its r indices. Elementwise operations are
inlined, so a whole chain of them is one graph; its leaves are stored tensors, accumulators
of contractions, and numbers. Equal operations are one object, so that a value used many
times costs no more than one that is used once: `t + t`, forty times over, has 41 parts.
Nothing here recurses, for a body may hold thousands of operations in a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from weakref import WeakValueDictionary

from xdsl.dialects.arith import CmpfOp, CmpiOp, ConstantOp
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.traits import IsTerminator

from vtac.analysis.operations.elementwise import NOWHERE, index_loops


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


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Apply:
    """A scalar operation, by name; comparisons carry their predicate. Equal ones are the same object."""

    name: str
    arguments: tuple[Expression, ...]
    kind: Attribute
    predicate: int = -1

    def __new__(cls, name: str, arguments: tuple[Expression, ...], kind: Attribute, predicate: int = -1) -> Apply:
        key = (name, arguments, kind, predicate)
        found = _APPLIED.get(key)
        if found is None:
            found = object.__new__(cls)
            _APPLIED[key] = found
        return found


Expression: TypeAlias = Element | Literal | Apply

_APPLIED: WeakValueDictionary[tuple[str, tuple[Expression, ...], Attribute, int], Apply] = WeakValueDictionary()
"""The operations that are in use, by what they are."""


def renamed(expression: Expression, dims: Sequence[int]) -> Expression:
    """The expression with index i replaced by index `dims[i]`."""

    def moved(part: Expression) -> Expression | None:
        if not isinstance(part, Element):
            return None
        return replace(part, dims=tuple(d if d == NOWHERE else dims[d] for d in part.dims))

    return substituted(expression, moved)


def substituted(expression: Expression, new: Callable[[Expression], Expression | None]) -> Expression:
    """The expression with every outermost part that `new` has a replacement for replaced; `new` sees a part once."""
    known: dict[Expression, Expression] = {}
    seen: set[Expression] = set()
    waiting = [expression]
    while waiting:
        part = waiting[-1]
        if part in known:
            waiting.pop()
        elif part in seen and isinstance(part, Apply):
            known[part] = replace(part, arguments=tuple(known[argument] for argument in part.arguments))
        else:
            seen.add(part)
            found = new(part)
            if found is not None or not isinstance(part, Apply):
                known[part] = part if found is None else found
            else:
                waiting.extend(reversed(part.arguments))
    return known[expression]


def parts(expression: Expression) -> Iterator[Expression]:
    """The expression and all that it is made of, each once, outermost first."""
    seen: set[Expression] = set()
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if part in seen:
            continue
        seen.add(part)
        yield part
        if isinstance(part, Apply):
            waiting.extend(reversed(part.arguments))


def depth(expression: Expression) -> int:
    """How many operations wait for one another."""
    known: dict[Expression, int] = {}
    waiting = [expression]
    while waiting:
        part = waiting[-1]
        arguments = part.arguments if isinstance(part, Apply) else ()
        missing = [argument for argument in arguments if argument not in known]
        if missing:
            waiting.extend(missing)
            continue
        known[part] = 1 + max((known[argument] for argument in arguments), default=0) if arguments else 0
        waiting.pop()
    return known[expression]


def elements(expression: Expression) -> list[Element]:
    """The different elements that an expression reads, in order of appearance."""
    return [part for part in parts(expression) if isinstance(part, Element)]


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
