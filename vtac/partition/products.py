"""Products with numbers and negation: shifts of the ALU, or weights of GEMM where i8 elements are multiplied."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from xdsl.dialects.builtin import i8

from vtac.partition.alu_trees import INT32, DeclineError, Number, Step, StepName, Tree, Wide, add, settled
from vtac.partition.expressions import Element

WEIGHT = (-(1 << 7), (1 << 7) - 1)


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
    tree = _Negation().negated(number.tree, wraps=True)
    return None if tree is None else Number(tree, -number.high, -number.low)


class _Negation:
    """Negates trees, each part once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Tree, bool], Tree | None] = {}

    def negated(self, tree: Tree, *, wraps: bool) -> Tree | None:
        """The negated tree; where it may not wrap (inside a maximum), without parts that can be -2^31."""
        key = (tree, wraps)
        if key not in self._known:
            self._known[key] = self._of_element(tree) if is_narrow(tree) else self._of_step(tree, wraps=wraps)
        return self._known[key]

    def _of_element(self, tree: Tree) -> Tree | None:
        found = scaled(Number(tree, 0, 0), -1)
        return None if found is None else found.tree

    def _of_step(self, tree: Tree, *, wraps: bool) -> Tree | None:
        if not isinstance(tree, Step) or tree.name == "shr":
            return None
        if tree.name == "shl":
            return self._of_shift(tree, wraps=wraps)
        if not wraps and isinstance(tree.operand, int) and abs(tree.operand) > 1 << 16:
            return None
        exchanged: dict[StepName, StepName] = {"max": "min", "min": "max"}
        inside = wraps and tree.name == "add"
        source = self.negated(tree.source, wraps=inside)
        if tree.operand == INT32[0] and tree.name in exchanged:
            return None
        operand = -tree.operand if isinstance(tree.operand, int) else self.negated(tree.operand, wraps=inside)
        if source is None or operand is None:
            return None
        return Step(exchanged.get(tree.name, tree.name), source, operand)

    def _of_shift(self, tree: Step, *, wraps: bool) -> Tree | None:
        found = scaled(Number(tree.source, 0, 0), -1 << cast(int, tree.operand))
        if found is not None or not wraps:
            return None if found is None else found.tree
        source = self.negated(tree.source, wraps=True)
        return None if source is None else replace(tree, source=source)


def subtract(left: Number, right: Number, bits: int = 32) -> Number:
    """left - right, for a right operand that is constant or made of i8 elements.

    Raises `DeclineError` for others: the ALU has no subtraction.
    """
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
    """number << amount; amounts from 0 to 31 (more at 64 bits is a product that 32 bits cannot hold).

    Raises `DeclineError` for others.
    """
    if number.tree is None:
        return Number.wrapped(number.low << amount, bits)
    low, high = number.low << amount, number.high << amount
    if amount == 0:
        return number
    times = scaled(number, 1 << amount)
    if times is not None and times.tree is not None:
        return settled(times.tree, low, high, True, bits)
    if amount > 31 or (bits > 32 and not number.exact):
        raise DeclineError(f"it shifts a {bits}-bit value left by {amount}; the ALU shifts 32 bits by 0 to 31")
    wide = Wide(number.tree, amount, 0)
    return settled(Step("shl", number.tree, amount), low, high, number.exact, bits, wide)


def scaled_up(number: Number, amount: int) -> Number:
    """number * 2^amount, which no bits are lost of. Raises `DeclineError` where 32 bits may not hold it."""
    if number.tree is None:
        return Number.constant(number.low << amount)
    low, high = number.low << amount, number.high << amount
    if not (INT32[0] <= low and high <= INT32[1]):
        raise DeclineError(
            f"it scales a value between {number.low} and {number.high} by 2^{amount}, which 32 bits do not hold: "
            "bound the bias, or clamp first"
        )
    return shift_left(number, amount)


def multiply(left: Number, right: Number, bits: int = 32) -> Number:
    """left * right where one is a constant power of two, both are constants, or one is an i8 element.

    Raises `DeclineError` for others.
    """
    if left.value is not None:
        left, right = right, left
    factor = right.value
    if factor is None:
        raise DeclineError("it multiplies two tensors element by element; the VTA's hardware has no multiplication")
    if left.value is not None:
        return Number.wrapped(left.value * factor, bits)
    if factor == 0:
        return Number.constant(0)
    times = scaled(left, factor)
    if times is not None and times.tree is not None:
        return settled(times.tree, times.low, times.high, True, bits)
    minus = negated(left) if factor < 0 else None
    if minus is not None:
        return multiply(minus, Number.constant(-factor), bits)
    if factor < 0 or factor & (factor - 1):
        raise DeclineError(
            f"it multiplies by {factor}, which is no power of two; the VTA's hardware has no multiplication"
        )
    return shift_left(left, factor.bit_length() - 1, bits)
