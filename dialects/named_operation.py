"""What linalg's named operations have in common: maps from letters, and hidden bodies."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import ClassVar, cast

from xdsl.builder import Builder
from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    DenseIntElementsAttr,
    IntegerType,
    MemRefType,
    TensorType,
    i1,
    i64,
)
from xdsl.dialects.linalg.abstract_ops import NamedOperation
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.irdl import prop_def
from xdsl.rewriter import InsertPoint
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa


def _cast_of(found: Attribute, wanted: Attribute, is_signed: bool) -> Callable[[SSAValue, Attribute], Operation]:
    """The cast that MLIR puts between an operand and the accumulator."""
    signed, unsigned = _CASTS[isinstance(found, IntegerType), isinstance(wanted, IntegerType)]
    kind = signed if is_signed else unsigned
    narrower = {arith.ExtSIOp: arith.TruncIOp, arith.ExtUIOp: arith.TruncIOp, arith.ExtFOp: arith.TruncFOp}
    if kind in narrower and cast("IntegerType", found).bitwidth > cast("IntegerType", wanted).bitwidth:
        kind = narrower[kind]
    return cast("Callable[[SSAValue, Attribute], Operation]", kind)


_CASTS: dict[tuple[bool, bool], tuple[type[Operation], type[Operation]]] = {
    (True, True): (arith.ExtSIOp, arith.ExtUIOp),
    (True, False): (arith.SIToFPOp, arith.UIToFPOp),
    (False, True): (arith.FPToSIOp, arith.FPToUIOp),
    (False, False): (arith.ExtFOp, arith.ExtFOp),
}
"""Signed and unsigned casts to a wider type, by whether what is cast, and what is wanted, are integers."""


def elements_of(operands: Sequence[SSAValue]) -> list[Attribute]:
    """The types of the elements of tensors and buffers, and of scalars; `VerifyException` for any but numbers."""
    found = [kind.element_type if isa(kind := value.type, _SHAPED) else kind for value in operands]
    others = [str(kind) for kind in found if not isa(kind, AnyFloat | IntegerType)]
    if others:
        raise VerifyException(f"elements of type {', '.join(dict.fromkeys(others))}: integers or floats are required")
    return found


_SHAPED = TensorType[Attribute] | MemRefType[Attribute]


class _Body:
    """A hidden body under construction: one argument per operand."""

    def __init__(self, operands: Sequence[SSAValue]) -> None:
        self.block = Block(arg_types=elements_of(operands))
        self._builder = Builder(InsertPoint.at_end(self.block))
        self.accumulator = self.block.args[-1]

    def add(self, op: Operation) -> SSAValue:
        return self._builder.insert(op).results[0]

    def converted(self, position: int, *, is_signed: bool = True) -> SSAValue:
        """An operand in the accumulator's type; without a sign, its bits are a number from 0 on."""
        value, wanted = self.block.args[position], self.accumulator.type
        return value if value.type == wanted else self.add(_cast_of(value.type, wanted, is_signed)(value, wanted))

    def closed(self, value: SSAValue) -> Region:
        self._builder.insert(YieldOp(value))
        return Region(self.block)


def multiply_accumulate(operands: Sequence[SSAValue], *, is_signed: bool = True) -> Region:
    """acc + (a - a_zero) * (b - b_zero), with zero points when there are five operands."""
    body = _Body(operands)
    factors: list[SSAValue] = []
    for position in range(2):
        factor = body.converted(position, is_signed=is_signed)
        if len(operands) == 5:
            factor = body.add(arith.SubiOp(factor, body.converted(2 + position)))
        factors.append(factor)
    left, right = factors
    kind = body.accumulator.type
    if kind == i1:
        return body.closed(body.add(arith.OrIOp(body.accumulator, body.add(arith.AndIOp(left, right)))))
    if isinstance(kind, IntegerType):
        return body.closed(body.add(arith.AddiOp(body.accumulator, body.add(arith.MuliOp(left, right)))))
    return body.closed(body.add(arith.AddfOp(body.accumulator, body.add(arith.MulfOp(left, right)))))


def _take_extreme(
    operands: Sequence[SSAValue], of_integers: type[Operation], of_floats: type[Operation] | None
) -> Region:
    """max(acc, a) or min(acc, a); of integers without signs where floats have none, which are refused then."""
    body = _Body(operands)
    element = body.accumulator.type
    kind = of_integers if isa(element, IntegerType) else of_floats
    if kind is None:
        raise VerifyException(f"elements of type {element}: integers are required, which have no sign here")
    take = cast("Callable[[SSAValue, SSAValue], Operation]", kind)
    return body.closed(body.add(take(body.accumulator, body.converted(0, is_signed=of_floats is not None))))


def _take_sum(operands: Sequence[SSAValue]) -> Region:
    """acc + a; of single bits, acc or a."""
    body = _Body(operands)
    kind = body.accumulator.type
    plus = arith.OrIOp if kind == i1 else arith.AddiOp if isinstance(kind, IntegerType) else arith.AddfOp
    return body.closed(body.add(plus(body.accumulator, body.converted(0))))


class NamedOp(NamedOperation, ABC):
    """Maps, written over one letter per loop, and how many of the loops reduce."""

    LOOPS: ClassVar[str] = ""
    """One letter per loop; capital letters reduce."""
    MAPS: ClassVar[tuple[str, ...]] = ()
    """One string per shaped operand, a letter per dimension; `D`, `H`, `W` move along the first one's `d`, `h`, `w`."""
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
    def number_of_axes(cls) -> int:
        """How many axes a window moves along; 0 for a product."""
        return len(_axes_of(cls.LOOPS))

    @classmethod
    def number_of_inputs(cls) -> int:
        """Its shaped inputs, and two zero points where it is quantised."""
        return len(cls.MAPS) - 1 + 2 * (cls.name.endswith("_q") or ".quantized_" in cls.name)

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return multiply_accumulate((*inputs, *outputs))


def _axes_of(loops: str) -> str:
    """The letters that windows move along, in the order of strides and dilations."""
    return "".join(letter for letter in "dhw" if letter in loops)


@lru_cache(maxsize=256)
def _maps_of(
    loops: str, maps: tuple[str, ...], scalars: int, steps: tuple[tuple[int, ...], ...]
) -> tuple[AffineMap, ...]:
    """The maps over loops of one letter each, those of scalars before the last; `steps` are strides and dilations."""
    dims: dict[str, AffineExpr] = {letter: AffineDimExpr(dim) for dim, letter in enumerate(loops)}
    axes = _axes_of(loops)
    strides, dilations = steps or ((1,) * len(axes),) * 2

    def index(letter: str, position: int) -> AffineExpr:
        if position or letter not in axes:
            return dims[letter]
        axis = axes.index(letter)
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


def _ones(axes: int) -> DenseIntElementsAttr:
    return DenseIntElementsAttr.from_list(TensorType(i64, [axes]), [1] * axes)


class WindowOp(NamedOp, ABC):
    """A window that moves along two axes by `strides`, and whose taps lie `dilations` apart; not given, both are 1."""

    strides = prop_def(DenseIntElementsAttr, default_value=_ones(2))
    dilations = prop_def(DenseIntElementsAttr, default_value=_ones(2))


class LineOp(NamedOp, ABC):
    """A window that moves along one axis."""

    strides = prop_def(DenseIntElementsAttr, default_value=_ones(1))
    dilations = prop_def(DenseIntElementsAttr, default_value=_ones(1))


class SpaceOp(NamedOp, ABC):
    """A window that moves along three axes."""

    strides = prop_def(DenseIntElementsAttr, default_value=_ones(3))
    dilations = prop_def(DenseIntElementsAttr, default_value=_ones(3))


class MaxPoolingOp(NamedOp, ABC):
    """The largest element of each window."""

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return _take_extreme((*inputs, *outputs), arith.MaxSIOp, arith.MaximumfOp)


class SumPoolingOp(NamedOp, ABC):
    """The sum of each window."""

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return _take_sum((*inputs, *outputs))


class MinPoolingOp(NamedOp, ABC):
    """The smallest element of each window."""

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return _take_extreme((*inputs, *outputs), arith.MinSIOp, arith.MinimumfOp)


class UnsignedMaxPoolingOp(NamedOp, ABC):
    """The largest element of each window, of integers without signs."""

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return _take_extreme((*inputs, *outputs), arith.MaxUIOp, None)


class UnsignedMinPoolingOp(NamedOp, ABC):
    """The smallest element of each window, of integers without signs."""

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return _take_extreme((*inputs, *outputs), arith.MinUIOp, None)
