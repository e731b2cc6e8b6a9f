"""Elementwise bodies as operations of one instruction each, on plain tensors.

GEMM adds what is i8 to accumulators, times a number that a weight holds, so that sums are taken apart: what is
i32 is added up first, and the i8 terms are accumulated onto it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from xdsl.dialects import arith
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, TensorType, i32
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.types.tensor_types import shape_of
from vtac.partition.alu_building import Loops
from vtac.partition.alu_operations import WEIGHT
from vtac.partition.primitives import (
    IMMEDIATE,
    NAMES,
    AluName,
    Tensor,
    accumulated,
    combine,
    loops_of_inputs,
    primitive_of,
    starts_in_its_loops,
    step,
    widened,
)


@dataclass(frozen=True)
class Narrow:
    """An i8 tensor times a number that a weight holds: what GEMM adds to accumulators."""

    value: SSAValue
    loops: Loops
    factor: int = 1


@dataclass(frozen=True, eq=False)
class Sum:
    """Terms that no other operation reads before they are added up."""

    terms: tuple[Scalar, ...]


@dataclass(frozen=True, eq=False)
class LowByte:
    """The low 8 bits of a scalar of 32."""

    source: Scalar


Scalar: TypeAlias = "int | Tensor | Narrow | Sum | LowByte"
Insert: TypeAlias = Callable[[Sequence[Operation]], None]


class BodySplitter:
    """Makes the operations of one body; `insert` puts them before the operation, in order.

    `loads_8bit` is for simulators: what is i8 and multiplied by nothing is loaded into accumulators.
    """

    def __init__(self, op: GenericOp, insert: Insert, *, loads_8bit: bool) -> None:
        self.op = op
        self.body = op.body.block
        self.shape = shape_of(op.res[0])
        self.identity: Loops = tuple(range(len(self.shape)))
        self.insert = insert
        self.loads_8bit = loads_8bit
        self.scalars: dict[SSAValue, Scalar] = {}
        self._widened: dict[Narrow, Tensor] = {}
        self._plus: dict[SSAValue, tuple[Tensor, int]] = {}

    def run(self) -> Tensor:
        """What the body yields in 32 bits, before a truncation at its end; and the loops that are its indices."""
        for argument, (value, loops) in zip(self.body.args, loops_of_inputs(self.op), strict=False):
            self.scalars[argument] = self._input(value, loops)
        last = cast(Operation, self.body.last_op)
        for inner in self.body.ops:
            if inner is not last and not isinstance(inner, ConstantOp):
                self.scalars[inner.results[0]] = self._scalar(inner)
        found = self._of(last.operands[0])
        return self._wide(found.source if isinstance(found, LowByte) else found)

    def computed(self, found: Tensor, *, shared: bool) -> SSAValue:
        """The result's accumulators: written by GEMM or ALU, in its own loops where several results go on from it."""
        value, loops = found
        is_loaded = not isinstance(value.owner, Operation)
        if is_loaded or loops != self.identity or (shared and not starts_in_its_loops(value)):
            return self._step(found, "add", 0)[0]
        return value

    def rewritten(self, value: SSAValue) -> SSAValue:
        """Accumulators that the ALU writes once more, as they are."""
        return self._step((value, self.identity), "add", 0)[0]

    def _input(self, value: SSAValue, loops: Loops) -> Scalar:
        """An operand; one that a pooling of the same function narrows is taken before that."""
        owner = value.owner
        narrow = primitive_of(owner) if isinstance(owner, Operation) else None
        if narrow is not None and narrow.kind == "narrow" and isinstance(owner, GenericOp):
            return LowByte((owner.inputs[0], loops))
        return (value, loops)

    def _of(self, value: SSAValue) -> Scalar:
        number = number_of(value)
        return self.scalars[value] if number is None else number

    def _scalar(self, op: Operation) -> Scalar:
        operands = [self._of(value) for value in op.operands]
        if isinstance(op, arith.TruncIOp):
            return LowByte(operands[0])
        if isinstance(op, arith.ExtSIOp):
            return self._extended(op, operands[0])
        if isinstance(op, arith.MuliOp):
            narrow, number = operands if isinstance(operands[1], int) else operands[::-1]
            return self._scaled(narrow, cast(int, number))
        name = NAMES[type(op)]
        left, right = operands
        if isinstance(left, int):
            left, right = right, left
        if name == "shl" and isinstance(left, Narrow) and isinstance(right, int) and _holds(left.factor << right):
            return self._scaled(left, 1 << right)
        if name == "add" and not isinstance(right, int):
            return Sum((*self._terms(left, op.operands[0]), *self._terms(right, op.operands[1])))
        if isinstance(right, int):
            return self._step(self._wide(left), name, right)
        return self._combine(name, self._wide(left), self._wide(right))

    def _extended(self, op: arith.ExtSIOp, source: Scalar) -> Scalar:
        if not isinstance(source, LowByte):
            value, loops = cast(Tensor, source)
            return Narrow(value, loops)
        if op.input in self.body.args:  # what a pooling gives, which i8 holds
            return source.source
        return self._step(self._step(self._wide(source.source), "shl", 24), "shr", 24)

    def _scaled(self, narrow: Scalar, factor: int) -> Scalar:
        if not isinstance(narrow, Narrow):
            raise ValueError("a factor of something that is no i8 element")
        return Narrow(narrow.value, narrow.loops, narrow.factor * factor)

    def _terms(self, scalar: Scalar, value: SSAValue) -> tuple[Scalar, ...]:
        """What a sum adds up; a part that is used elsewhere too is one term."""
        if isinstance(scalar, Sum) and value.has_one_use():
            return scalar.terms
        return (self._shared(scalar, value),)

    def _shared(self, scalar: Scalar, value: SSAValue) -> Scalar:
        """A sum that several operations read, added up once."""
        if not isinstance(scalar, Sum):
            return scalar
        self.scalars[value] = self._wide(scalar)
        return self.scalars[value]

    def _wide(self, scalar: Scalar) -> Tensor:
        """A scalar as a tensor of accumulators, or one that LOAD ACC takes."""
        if isinstance(scalar, Sum):
            return self._sum(scalar.terms)
        if isinstance(scalar, Narrow):
            return self._widened_once(scalar)
        if isinstance(scalar, tuple):
            return scalar
        raise ValueError(f"{scalar} is no tensor of 32 bits")

    def _widened_once(self, narrow: Narrow) -> Tensor:
        if narrow not in self._widened:
            value = self._add(*widened(narrow.value, shape_of(narrow.value), narrow.factor))
            self._widened[narrow] = (value, narrow.loops)
        return self._widened[narrow]

    def _is_by_gemm(self, scalar: Scalar) -> bool:
        return isinstance(scalar, Narrow) and not (self.loads_8bit and scalar.factor == 1)

    def _sum(self, terms: Sequence[Scalar]) -> Tensor:
        """GEMM adds what is i8 onto the other terms; onto the first of its kind where there are none."""
        wide = [self._wide(term) for term in terms if not self._is_by_gemm(term)]
        wide.sort(key=lambda one: one[1] != self.identity)
        narrow = [term for term in terms if isinstance(term, Narrow) and self._is_by_gemm(term)]
        if not wide or wide[0][1] != self.identity:
            narrow.sort(key=lambda one: len(one.loops) < len(self.identity))
            if narrow and (not wide or len(narrow[0].loops) == len(self.identity)):
                wide.insert(0, self._widened_once(narrow.pop(0)))
        total = wide[0]
        for other in wide[1:]:
            total = self._combine("add", total, other)
        for one in narrow:
            if total[1] != self.identity:
                total = self._combine("add", total, self._widened_once(one))
            else:
                total = (self._add(accumulated(total[0], (one.value, one.loops), one.factor)), self.identity)
        return total

    def _combine(self, name: AluName, left: Tensor, right: Tensor) -> Tensor:
        """One ALU operation of two tensors, the one that has the result's layout first."""
        if left[1] != self.identity and name != "shr":
            left, right = right, left
        if left[1] != self.identity:
            left = self._step(left, "add", 0)
        return self._add(*combine(left, right, self.shape, name)), self.identity

    def _step(self, source: Tensor, name: AluName, immediate: int) -> Tensor:
        number = ((immediate + (1 << 31)) & ((1 << 32) - 1)) - (1 << 31)
        before = self._plus.get(source[0])
        if name == "add" and before is not None and IMMEDIATE[0] <= before[1] + number <= IMMEDIATE[1]:
            return self._step(before[0], "add", before[1] + number)
        if name == "add" and immediate and IMMEDIATE[0] <= number <= IMMEDIATE[1]:
            total = self._add(*step(source, self.shape, name, number))
            self._plus[total] = (source, number)
            return total, self.identity
        if IMMEDIATE[0] <= number <= IMMEDIATE[1]:
            return self._add(*step(source, self.shape, name, number)), self.identity
        if name == "add" and 2 * IMMEDIATE[0] <= number <= 2 * IMMEDIATE[1]:
            half = self._add(*step(source, self.shape, "add", number // 2)), self.identity
            return self._add(*step(half, self.shape, "add", number - number // 2)), self.identity
        contents = DenseIntOrFPElementsAttr.from_list(TensorType(i32, []), [number])
        constant = self._add(ConstantOp(contents))
        constant.name_hint = "number"
        return self._combine(name, source, (constant, ()))

    def _add(self, *ops: Operation) -> SSAValue:
        for op in ops:
            op.location = self.op.location
        self.insert(ops)
        return ops[-1].results[0]


def _holds(factor: int) -> bool:
    """Whether a weight holds a factor."""
    return WEIGHT[0] <= factor <= WEIGHT[1]
