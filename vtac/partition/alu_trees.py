"""Scalar expressions as trees of the operations that the VTA's ALU has, on 32-bit integers.

Every value carries what is known about it: its bounds, and whether the 32 bits are the
value itself or only its low bits (as after a 64-bit sum). Floating point is followed only
where it is integer arithmetic in disguise: numbers times a power of two, as quantised
networks have them, with `roundeven` as the shift that rounds half to even.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias
from weakref import WeakValueDictionary

from vtac.dialects.vta.kernels import BuiltName
from vtac.partition.expressions import Element

TreeName: TypeAlias = BuiltName | Literal["shl"]
"""What the ALU computes; `shl` is its shift by a negative amount."""

StepName: TypeAlias = TreeName | Literal["scale"]
"""`scale` multiplies an i8 element by a number: GEMM with that number on the diagonal of a weight tile."""

INT32 = (-(1 << 31), (1 << 31) - 1)
IMMEDIATE = (-(1 << 15), (1 << 15) - 1)


class DeclineError(Exception):
    """An expression that the ALU cannot compute; the text says why."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Step:
    """`name` applied to `source` and an immediate or another tree. Equal ones are the same object."""

    name: StepName
    source: Tree
    operand: int | Tree

    def __new__(cls, name: StepName, source: Tree, operand: int | Tree) -> Step:
        key = (name, source, operand)
        found = _STEPS.get(key)
        if found is None:
            found = object.__new__(cls)
            _STEPS[key] = found
        return found


Tree: TypeAlias = Element | Step

_STEPS: WeakValueDictionary[tuple[StepName, Tree, int | Tree], Step] = WeakValueDictionary()
"""The steps that are in use, by what they are."""


@dataclass(frozen=True)
class Wide:
    """What a value of more than 32 bits is made of: `tree` * 2^`factor` + `offset`, where the tree fits 32 bits."""

    tree: Tree
    factor: int
    offset: int


@dataclass(frozen=True)
class Number:
    """An integer: its tree (none for a constant), bounds, and whether its 32 bits are its value.

    Where they may not be, `wide` says what the value is, if that is known.
    """

    tree: Tree | None
    low: int
    high: int
    exact: bool = True
    wide: Wide | None = None

    @staticmethod
    def constant(value: int) -> Number:
        return Number(None, value, value)

    @staticmethod
    def wrapped(value: int, bits: int) -> Number:
        """The constant that a signed integer of `bits` bits is after an operation that gives `value`."""
        half = 1 << (bits - 1)
        return Number.constant(((value + half) & (2 * half - 1)) - half)

    @property
    def value(self) -> int | None:
        """The number itself when it is a constant."""
        return self.low if self.tree is None else None

    def within(self, low: int, high: int) -> bool:
        return self.exact and low <= self.low and self.high <= high


def low_bits(number: Number, bits: int) -> Number:
    """The value after wrapping to a signed integer of `bits` bits, at most 32."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if number.within(low, high):
        return number
    if number.tree is None:
        return Number.wrapped(number.low, bits)
    if bits == 32:
        return Number(number.tree, low, high)
    shifted = Step("shr", Step("shl", number.tree, 32 - bits), 32 - bits)
    return Number(shifted, low, high)


def settled(tree: Tree, low: int, high: int, exact: bool, bits: int, wide: Wide | None = None) -> Number:
    """A result of `bits` bits: its bounds when it cannot wrap, else wrapped, or inexact at 64 bits."""
    fits = exact and INT32[0] <= low and high <= INT32[1]
    if bits > 32:
        is_known = not fits and -(1 << (bits - 1)) <= low and high < 1 << (bits - 1)
        return Number(tree, low, high, fits, wide if is_known else None)
    return low_bits(Number(tree, low, high, fits), bits)


def add(left: Number, right: Number, bits: int = 32) -> Number:
    """left + right."""
    if left.tree is None:
        left, right = right, left
    low, high = left.low + right.low, left.high + right.high
    if left.tree is None:
        return Number.wrapped(low, bits)
    exact = left.exact and right.exact
    if right.tree is not None:
        return settled(Step("add", left.tree, right.tree), low, high, exact, bits)
    before = left.wide or (Wide(left.tree, 0, 0) if left.exact else None)
    wide = None if before is None else Wide(before.tree, before.factor, before.offset + right.low)
    return settled(_plus(left.tree, right.low), low, high, exact, bits, wide)


def _plus(tree: Tree, number: int) -> Tree:
    """A tree plus a number, which joins the one that was added last."""
    if isinstance(tree, Step) and tree.name == "add" and isinstance(tree.operand, int):
        tree, number = tree.source, number + tree.operand
    return Step("add", tree, number) if number else tree


def shift_right(number: Number, amount: int) -> Number:
    """number >> amount, rounding down. Raises `DeclineError` for what does not fit 32 bits."""
    if number.value is not None:
        return Number.constant(number.value >> amount)
    if number.tree is None:
        raise DeclineError("it shifts nothing")
    low, high = number.low >> amount, number.high >> amount
    if amount == 0:
        return number
    if number.exact:
        return Number(Step("shr", number.tree, min(amount, 31)), low, high)
    if number.wide is None:
        raise DeclineError("it shifts a 64-bit value right that does not fit 32 bits")
    return _shift_of_wide(number, number.wide, amount)


def shift_right_each(number: Number, amount: Number) -> Number:
    """number >> amount, by an amount of its own for each element, rounding down.

    Raises `DeclineError` for amounts beyond 0 to 31, and for what does not fit 32 bits.
    """
    if amount.tree is None or not amount.within(0, 31):
        raise DeclineError(f"it shifts by {amount.low} to {amount.high} bits; the ALU shifts 32 bits by 0 to 31")
    if number.tree is None or not number.exact:
        raise DeclineError("it shifts a constant, or a 64-bit value that does not fit 32 bits, by a tensor")
    low = min(number.low >> amount.low, number.low >> amount.high)
    high = max(number.high >> amount.low, number.high >> amount.high)
    return Number(Step("shr", number.tree, amount.tree), low, high)


def _shift_of_wide(number: Number, wide: Wide, amount: int) -> Number:
    """(x * 2^k + c) >> amount, where x fits 32 bits: computed without leaving them.

    What x and the rounding constant are shifted by in common is shifted first. All that is needed
    then is that their sum fits 32 bits.
    """
    rest = amount - wide.factor
    if rest < 0 or wide.offset % (1 << wide.factor):
        raise DeclineError("it shifts a 64-bit value right that does not fit 32 bits")
    offset, common = wide.offset >> wide.factor, 0
    while common < min(rest, 31) and offset and offset % 2 == 0:
        common, offset = common + 1, offset >> 1
    low, high = (((bound - wide.offset) >> (wide.factor + common)) + offset for bound in (number.low, number.high))
    if rest > common and not (INT32[0] <= low and high <= INT32[1]):
        raise DeclineError("it rounds a value that may not fit 32 bits after the addition")
    value = wide.tree if common == 0 else Step("shr", wide.tree, common)
    if offset:
        value = Step("add", value, offset)
    if rest > common:
        value = Step("shr", value, min(rest - common, 31))
    return settled(value, number.low >> amount, number.high >> amount, True, 64)


def extremum(name: Literal["max", "min"], left: Number, right: Number) -> Number:
    """The larger or smaller of two numbers; nothing where the bounds decide.

    Raises `DeclineError` for what does not fit 32 bits.
    """
    if not (left.exact and right.exact):
        raise DeclineError("it compares 64-bit values that may not fit 32 bits")
    choose = max if name == "max" else min
    low, high = choose(left.low, right.low), choose(left.high, right.high)
    if left.tree is None:
        left, right = right, left
    if left.tree is None:
        return Number.constant(low)
    if right.tree is not None:
        return Number(Step(name, left.tree, right.tree), low, high)
    bound = right.low
    if (name == "max" and left.low >= bound) or (name == "min" and left.high <= bound):
        return left
    if not INT32[0] <= bound <= INT32[1]:
        return right
    return Number(Step(name, left.tree, bound), low, high)
