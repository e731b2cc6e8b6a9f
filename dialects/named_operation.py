"""What linalg's named operations have in common: maps from letters, and hidden bodies."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import ClassVar, cast

from xdsl.builder import Builder
from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, ArrayAttr, DenseIntElementsAttr, IntegerType
from xdsl.dialects.linalg.abstract_ops import NamedOperation
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.irdl import prop_def
from xdsl.rewriter import InsertPoint


class _Body:
    """A hidden body under construction: one argument per operand."""

    def __init__(self, operands: Sequence[SSAValue]) -> None:
        self.block = Block(arg_types=NamedOperation.body_arg_types(operands))
        self._builder = Builder(InsertPoint.at_end(self.block))
        self.accumulator = self.block.args[-1]

    def add(self, op: Operation) -> SSAValue:
        return self._builder.insert(op).results[0]

    def widened(self, position: int) -> SSAValue:
        """An operand in the accumulator's type."""
        value, wide = self.block.args[position], self.accumulator.type
        if value.type == wide:
            return value
        if isinstance(wide, IntegerType):
            return self.add(arith.ExtSIOp(value, cast("IntegerType", wide)))
        return self.add(arith.ExtFOp(value, cast("AnyFloat", wide)))

    def closed(self, value: SSAValue) -> Region:
        self._builder.insert(YieldOp(value))
        return Region(self.block)


def _multiply_accumulate(operands: Sequence[SSAValue]) -> Region:
    """acc + (a - a_zero) * (b - b_zero), with zero points when there are five operands."""
    body = _Body(operands)
    factors = [body.widened(0), body.widened(1)]
    if len(operands) == 5:
        factors = [body.add(arith.SubiOp(factor, body.widened(2 + i))) for i, factor in enumerate(factors)]
    left, right = factors
    if isinstance(body.accumulator.type, IntegerType):
        return body.closed(body.add(arith.AddiOp(body.accumulator, body.add(arith.MuliOp(left, right)))))
    return body.closed(body.add(arith.AddfOp(body.accumulator, body.add(arith.MulfOp(left, right)))))


def _take_maximum(operands: Sequence[SSAValue]) -> Region:
    """max(acc, a)."""
    body = _Body(operands)
    maximum = arith.MaxSIOp if isinstance(body.accumulator.type, IntegerType) else arith.MaximumfOp
    return body.closed(body.add(maximum(body.accumulator, body.widened(0))))


def _take_sum(operands: Sequence[SSAValue]) -> Region:
    """acc + a."""
    body = _Body(operands)
    plus = arith.AddiOp if isinstance(body.accumulator.type, IntegerType) else arith.AddfOp
    return body.closed(body.add(plus(body.accumulator, body.widened(0))))


class NamedOp(NamedOperation, ABC):
    """Maps, written over one letter per loop, and how many of the loops reduce."""

    LOOPS: ClassVar[str] = ""
    """One letter per loop; capital letters reduce."""
    MAPS: ClassVar[tuple[str, ...]] = ()
    """One string per shaped operand, a letter per dimension; `H` and `W` move along the first one's `h` and `w`."""
    PRINT_ATTRS_IN_FRONT: ClassVar[bool] = True

    def get_default_indexing_maps(self) -> Sequence[AffineMap]:
        steps = [
            tuple(cast("DenseIntElementsAttr", self.properties[name]).get_values())
            for name in ("strides", "dilations")
            if name in self.properties
        ]
        return list(_maps_of(self.LOOPS, self.MAPS, len(self.operands) - len(self.MAPS), tuple(steps)))

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        return _kinds_of(self.LOOPS)

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return _multiply_accumulate((*inputs, *outputs))


@lru_cache(maxsize=256)
def _maps_of(
    loops: str, maps: tuple[str, ...], scalars: int, steps: tuple[tuple[int, ...], ...]
) -> tuple[AffineMap, ...]:
    """The maps over loops of one letter each, those of scalars before the last; `steps` are strides and dilations."""
    dims: dict[str, AffineExpr] = {letter: AffineDimExpr(dim) for dim, letter in enumerate(loops)}

    def index(letter: str, position: int) -> AffineExpr:
        if position or letter not in "hw":
            return dims[letter]
        (strides, dilations), axis = steps, "hw".index(letter)
        return dims[letter] * strides[axis] + dims[letter.upper()] * dilations[axis]

    found = [
        AffineMap(len(dims), 0, tuple(index(letter, position) for letter in letters))
        for position, letters in enumerate(maps)
    ]
    return (*found[:-1], *[AffineMap(len(dims), 0, ())] * scalars, found[-1])


@cache
def _kinds_of(loops: str) -> ArrayAttr[IteratorTypeAttr]:
    """Loops whose letters are capital reduce."""
    return ArrayAttr(IteratorTypeAttr.reduction() if c.isupper() else IteratorTypeAttr.parallel() for c in loops)


class WindowOp(NamedOp, ABC):
    """An operation with strides and dilations."""

    strides = prop_def(DenseIntElementsAttr)
    dilations = prop_def(DenseIntElementsAttr)


class MaxPoolingOp(WindowOp, ABC):
    """The largest element of each window."""

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return _take_maximum((*inputs, *outputs))


class SumPoolingOp(WindowOp, ABC):
    """The sum of each window."""

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return _take_sum((*inputs, *outputs))
