"""Scalar expressions as trees of the operations that the VTA's ALU has, on 32-bit integers.

Every value carries what is known about it: its bounds, and whether the 32 bits are the
value itself or only its low bits (as after a 64-bit sum). Floating point is followed only
where it is integer arithmetic in disguise: numbers times a power of two, as quantised
networks have them, with `roundeven` as the shift that rounds half to even.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from xdsl.dialects.builtin import i8

from vtac.passes.analysis.expressions import Element

AluName: TypeAlias = Literal["add", "max", "min", "shr", "shl"]
StepName: TypeAlias = AluName | Literal["scale"]
"""`scale` multiplies an i8 element by a number: GEMM with that number on the diagonal of a weight tile."""

INT32 = (-(1 << 31), (1 << 31) - 1)
IMMEDIATE = (-(1 << 15), (1 << 15) - 1)
WEIGHT = (-(1 << 7), (1 << 7) - 1)


class DeclineError(Exception):
    """An expression that the ALU cannot compute; the text says why."""


@dataclass(frozen=True)
class Step:
    """`name` applied to `source` and an immediate or another tree."""

    name: StepName
    source: Tree
    operand: int | Tree

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.name, self.source, self.operand)))

    def __hash__(self) -> int:
        return self._hash  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


Tree: TypeAlias = Element | Step


@dataclass(frozen=True)
class Number:
    """An integer: its tree (none for a constant), bounds, and whether its 32 bits are its value."""

    tree: Tree | None
    low: int
    high: int
    exact: bool = True

    @staticmethod
    def constant(value: int) -> Number:
        return Number(None, value, value)

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
        return Number.constant(((number.low - low) & ((1 << bits) - 1)) + low)
    if bits == 32:
        return Number(number.tree, low, high)
    shifted = Step("shr", Step("shl", number.tree, 32 - bits), 32 - bits)
    return Number(shifted, low, high)


def _settled(tree: Tree, low: int, high: int, exact: bool, bits: int) -> Number:
    """A result of `bits` bits: its bounds when it cannot wrap, else wrapped, or inexact at 64 bits."""
    fits = exact and INT32[0] <= low and high <= INT32[1]
    if bits > 32:
        return Number(tree, low, high, fits)
    return low_bits(Number(tree, low, high, fits), bits)


def is_narrow(tree: Tree | None) -> bool:
    """An i8 element, or one times a number: what GEMM adds to accumulators."""
    element = tree.source if isinstance(tree, Step) and tree.name == "scale" else tree
    return isinstance(element, Element) and element.kind == i8


def scaled(number: Number, factor: int) -> Number | None:
    """An i8 element times a factor that a weight holds; None for anything else."""
    tree, before = number.tree, 1
    if isinstance(tree, Step) and tree.name == "scale" and isinstance(tree.operand, int):
        tree, before = tree.source, tree.operand
    if not is_narrow(tree) or tree is None or not WEIGHT[0] <= before * factor <= WEIGHT[1]:
        return None
    low, high = sorted((number.low * factor, number.high * factor))
    return Number(Step("scale", tree, before * factor), low, high)


def negated(number: Number) -> Number | None:
    """-number where negation can move to i8 elements, which GEMM takes with negative weights."""
    if number.tree is None or not number.within(INT32[0] + 1, INT32[1]):
        return None
    tree = _negated(number.tree)
    return None if tree is None else Number(tree, -number.high, -number.low)


def _negated(tree: Tree) -> Tree | None:
    if is_narrow(tree):
        found = scaled(Number(tree, 0, 0), -1)
        return None if found is None else found.tree
    if not isinstance(tree, Step) or tree.name == "shr":
        return None
    if tree.name == "shl":
        found = scaled(Number(tree.source, 0, 0), -1 << cast(int, tree.operand))
        return None if found is None else found.tree
    if isinstance(tree.operand, int) and abs(tree.operand) > 1 << 16:  # smaller ones cannot make a part -2^31
        return None
    source = _negated(tree.source)
    operand = -tree.operand if isinstance(tree.operand, int) else _negated(tree.operand)
    exchanged: dict[StepName, StepName] = {"max": "min", "min": "max"}
    if source is None or operand is None:
        return None
    return Step(exchanged.get(tree.name, tree.name), source, operand)


def add(left: Number, right: Number, bits: int = 32) -> Number:
    """left + right."""
    if left.tree is None:
        left, right = right, left
    low, high = left.low + right.low, left.high + right.high
    if left.tree is None:
        return low_bits(Number.constant(low), bits) if bits <= 32 else Number.constant(low)
    exact = left.exact and right.exact
    if right.tree is not None:
        return _settled(Step("add", left.tree, right.tree), low, high, exact, bits)
    return _settled(_plus(left.tree, right.low), low, high, exact, bits)


def _plus(tree: Tree, number: int) -> Tree:
    """A tree plus a number, which joins the one that was added last."""
    if isinstance(tree, Step) and tree.name == "add" and isinstance(tree.operand, int):
        tree, number = tree.source, number + tree.operand
    return Step("add", tree, number) if number else tree


def subtract(left: Number, right: Number, bits: int = 32) -> Number:
    """left - right, for a right operand that is constant or made of i8 elements."""
    if right.value is not None:
        return add(left, Number.constant(-right.value), bits)
    minus = negated(right)
    if minus is None:
        raise DeclineError(
            "it subtracts one tensor from another, which the ALU cannot (it has no subtraction); GEMM subtracts i8 "
            "operands, and sums, maxima and minima of them"
        )
    return add(left, minus, bits)


def shift_left(number: Number, amount: int, bits: int = 32) -> Number:
    """number << amount; amounts from 0 to 31 (more at 64 bits is a product that 32 bits cannot hold)."""
    if number.tree is None:
        return Number.constant(number.low << amount)
    low, high = number.low << amount, number.high << amount
    if amount == 0:
        return number
    times = scaled(number, 1 << amount)
    if times is not None and times.tree is not None:
        return _settled(times.tree, low, high, True, bits)
    if amount > 31 or (bits > 32 and not number.exact):
        raise DeclineError(f"it shifts a {bits}-bit value left by {amount}; the ALU shifts 32 bits by 0 to 31")
    return _settled(Step("shl", number.tree, amount), low, high, number.exact, bits)


def multiply(left: Number, right: Number, bits: int = 32) -> Number:
    """left * right where one is a constant power of two, both are constants, or one is an i8 element."""
    if left.value is not None:
        left, right = right, left
    factor = right.value
    if factor is None:
        raise DeclineError("it multiplies two tensors element by element; the VTA's hardware has no multiplication")
    if left.value is not None:
        return (
            low_bits(Number.constant(left.value * factor), min(bits, 32))
            if bits <= 32
            else Number.constant(left.value * factor)
        )
    if factor == 0:
        return Number.constant(0)
    times = scaled(left, factor)
    if times is not None and times.tree is not None:
        return _settled(times.tree, times.low, times.high, True, bits)
    minus = negated(left) if factor < 0 else None
    if minus is not None:
        return multiply(minus, Number.constant(-factor), bits)
    if factor < 0 or factor & (factor - 1):
        raise DeclineError(
            f"it multiplies by {factor}, which is no power of two; the VTA's hardware has no multiplication"
        )
    return shift_left(left, factor.bit_length() - 1, bits)


def shift_right(number: Number, amount: int) -> Number:
    """number >> amount, rounding down."""
    if number.value is not None:
        return Number.constant(number.value >> amount)
    if number.tree is None:
        raise DeclineError("it shifts nothing")
    low, high = number.low >> amount, number.high >> amount
    if amount == 0:
        return number
    if number.exact:
        return Number(Step("shr", number.tree, min(amount, 31)), low, high)
    return _shift_of_wide(number, amount)


def _shift_of_wide(number: Number, amount: int) -> Number:
    """(x * 2^k + c) >> amount at 64 bits, where x fits 32 bits: computed without leaving them."""
    found = _affine(number.tree)
    if found is None:
        raise DeclineError("it shifts a 64-bit value right that does not fit 32 bits")
    tree, factor, offset = found
    rest = amount - factor
    if rest < 0 or offset % (1 << factor):
        raise DeclineError("it shifts a 64-bit value right that does not fit 32 bits")
    offset >>= factor
    common = 0
    while common < rest and offset and offset % 2 == 0:
        common, offset = common + 1, offset >> 1
    value = tree if common == 0 else Step("shr", tree, common)
    if common == 0 and offset:
        raise DeclineError("it rounds a value that may not fit 32 bits after the addition")
    if offset:
        value = Step("add", value, offset)
    if rest > common:
        value = Step("shr", value, rest - common)
    return Number(value, max(number.low >> amount, INT32[0]), min(number.high >> amount, INT32[1]))


def _affine(tree: Tree | None) -> tuple[Tree, int, int] | None:
    """(x, k, c) of a tree x * 2^k + c."""
    offset = 0
    if isinstance(tree, Step) and tree.name == "add" and isinstance(tree.operand, int):
        tree, offset = tree.source, tree.operand
    if isinstance(tree, Step) and tree.name == "shl" and isinstance(tree.operand, int):
        return tree.source, tree.operand, offset
    return None


def extremum(name: Literal["max", "min"], left: Number, right: Number) -> Number:
    """The larger or smaller of two numbers; nothing where the bounds decide."""
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
    return Number(Step(name, left.tree, bound), low, high)
