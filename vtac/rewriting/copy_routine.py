"""Copies at two places of a kernel as one routine, called with what differs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import arith
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.linear import Linear, Quotient, Remainder
from vtac.analysis.kernels.kernel_values import KernelValues
from vtac.analysis.kernels.repeated_copies import RepeatedCopies
from vtac.dialects.wmma import CallOp, RoutineOp
from vtac.rewriting.edits import discard, insert_ops, move_ops
from vtac.rewriting.index_values import HostValues

_INDEX = IndexType()
_ITERATION = "iteration"


class _Parameters:
    """What differs between the two places: parts of indices that the loop's variable makes, and their extents.

    A part of that variable alone, such as a slot, is a parameter of its own, moved so that none of its values is
    negative; else the iteration copied for is one.
    """

    def __init__(self, found: RepeatedCopies, values: KernelValues) -> None:
        self.found = found
        self.values = values
        self.variable = found.loop.body.block.args[0]
        self.keys: list[Hashable] = []
        for statement in found.statements:
            for expression in _indices_of(statement, values):
                self.keys += [key for key in map(self.key, expression.terms) if key is not None]
        self.keys = list(dict.fromkeys(self.keys))
        self.shifts: dict[Hashable, int] = {_ITERATION: found.ahead}
        self.extents: Sequence[int] = [self._extent(key) for key in self.keys]

    def key(self, atom: Hashable) -> Hashable | None:
        """The parameter that a term is made of; None for one that is the same at both places."""
        if not isinstance(atom, Quotient | Remainder):
            return _ITERATION if atom == self.variable else None
        used = atom.numerator.variables()
        if self.variable not in used:
            return None
        return atom if used == {self.variable} else _ITERATION

    def in_loop(self, key: Hashable) -> Linear:
        """A parameter as the loop gives it."""
        return Linear.variable(self.variable if key == _ITERATION else key) + self.shifts.get(key, 0)

    def within(self, key: Hashable, argument: SSAValue) -> Linear:
        """What a parameter is made of, from the routine's argument."""
        return Linear.variable(argument) - self.shifts.get(key, 0)

    def before(self, key: Hashable) -> Linear:
        """A parameter as the statements in front of the loop give it."""
        moved: dict[Hashable, Linear] = {self.variable: self.found.first - self.found.ahead}
        return self.in_loop(key).substitute(moved, self.values.extents)

    def _extent(self, key: Hashable) -> int:
        """How many values a parameter has, once it is moved."""
        places = [one.bounds(self.values.extents) for one in (self.in_loop(key), self.before(key))]
        low, high = min(low for low, _ in places), max(high for _, high in places)
        if low < 0:
            self.shifts[key] = self.shifts.get(key, 0) - low
        return high - min(low, 0) + 1


def _indices_of(statement: Operation, values: KernelValues) -> Iterator[Linear]:
    """The indices that a statement and the conditions in it are made of."""
    waiting = [operand for op in statement.walk() if not isinstance(op, ApplyOp) for operand in op.operands]
    while waiting:
        value = waiting.pop(0)
        expression = values.expression(value) if value.type == _INDEX else None
        if expression is not None:
            yield expression
        elif isinstance(value.owner, arith.CmpiOp | arith.AndIOp | arith.OrIOp):
            waiting += value.owner.operands


@dataclass
class CopyRoutine:
    """One routine in the making; `arguments` are the parameters in it."""

    found: RepeatedCopies
    values: KernelValues
    rewriter: PatternRewriter
    arguments: Mapping[Hashable, SSAValue] = field(default_factory=dict[Hashable, SSAValue])

    def __post_init__(self) -> None:
        self.parameters = _Parameters(self.found, self.values)

    def outline(self) -> None:
        """Put the routine in front of the first copies, and a call of it in place of each."""
        extents = self.parameters.extents
        body = Block(arg_types=[_INDEX] * len(extents))
        self.arguments = dict(zip(self.parameters.keys, body.args, strict=True))
        self.values.extents.update(zip(body.args, extents, strict=True))
        routine = RoutineOp.get(extents, body)
        routine.routine.name_hint = "begin_copies"
        routine.location = self.found.loop.location
        insert_ops(routine, InsertPoint.before(self._place()), self.rewriter)
        self._call(routine, self.found.before[-1], self.parameters.before)
        self._call(routine, self.found.statements[-1], self.parameters.in_loop)
        move_ops(list(self.found.statements), InsertPoint.at_end(body), self.rewriter)
        for op in list(body.walk()):
            if not isinstance(op, ApplyOp):
                self._rewrite(op, routine)
        for statement in self.found.before:
            discard(statement, self.rewriter)

    def _place(self) -> Operation:
        """The statement next to the loop that holds its first copies."""
        op = self.found.before[-1]
        while op.parent is not self.found.loop.parent:
            parent = op.parent_op()
            if parent is None:
                raise ValueError("first copies that stand in no block around the loop")
            op = parent
        return op

    def _call(self, routine: RoutineOp, statement: Operation, part: Callable[[Hashable], Linear]) -> None:
        made = HostValues(self.values.extents)
        given = [made.materialise(made.value(part(key))) for key in self.parameters.keys]
        call = CallOp.get(routine.routine, given)
        call.location = statement.location
        insert_ops([*made.operations, call], InsertPoint.before(statement), self.rewriter)

    def _rewrite(self, op: Operation, routine: RoutineOp) -> None:
        """Let an operation of the routine read nothing that the loop alone has."""
        changed = False
        for position, operand in enumerate(op.operands):
            new = self._inside(operand, op, routine)
            if new is not operand:
                op.operands[position] = new
                changed = True
        if changed:
            self.rewriter.notify_op_modified(op)

    def _inside(self, value: SSAValue, user: Operation, routine: RoutineOp) -> SSAValue:
        owner = value.owner
        expression = self.values.expression(value) if value.type == _INDEX else None
        is_late = isinstance(owner, arith.ConstantOp) and not _is_before(owner, routine)
        if expression is not None:
            is_made = is_late or isinstance(owner, ApplyOp)
            if not is_made and value is not self.parameters.variable:
                return value
            made = HostValues(self.values.extents)
            new = made.materialise(made.value(self._of_parameters(expression)))
            insert_ops(made.operations, InsertPoint.before(user), self.rewriter)
            return new
        is_condition = is_late or isinstance(owner, arith.CmpiOp | arith.AndIOp | arith.OrIOp)
        if isinstance(owner, Operation) and is_condition and not routine.is_ancestor(owner):
            copy = owner.clone()
            insert_ops(copy, InsertPoint.before(user), self.rewriter)
            self._rewrite(copy, routine)
            return copy.results[0]
        return value

    def _of_parameters(self, expression: Linear) -> Linear:
        """An index of the loop over the routine's parameters."""
        found = Linear(expression.constant)
        for atom, factor in expression.terms.items():
            key = self.parameters.key(atom)
            part = Linear.variable(atom)
            if key == _ITERATION:
                iteration = self.parameters.within(key, self.arguments[key])
                part = part.substitute({self.parameters.variable: iteration}, self.values.extents)
            elif key is not None:
                part = self.parameters.within(key, self.arguments[key])
            found = found + part * factor
        return found


def _is_before(op: Operation, routine: RoutineOp) -> bool:
    """Whether an operation stands in front of a routine in its block, so that the routine may read it."""
    return op.parent is routine.parent and op.is_before_in_block(routine)
