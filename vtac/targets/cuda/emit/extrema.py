"""Maxima and minima of floating-point numbers as CUDA C++, with MLIR's zeros and NaNs.

CUDA's `fmaxf` takes the other operand of one that is no number, and leaves open which of two zeros it gives.
"""

from __future__ import annotations

from collections.abc import Callable
from math import copysign, isnan

from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr
from xdsl.dialects.utils.fast_math import FastMathFlag
from xdsl.ir import SSAValue

from vtac.targets.cuda.emit.types import scalar_type

_BITS = {
    "f32": "__float_as_int({})",
    "f16": "__half_as_short({})",
    "bf16": "__bfloat16_as_short({})",
}
"""A number's bits as an integer, which is negative where the number's sign is set."""


def extremum_text(op: arith.MaximumfOp | arith.MinimumfOp, text: Callable[[SSAValue], str]) -> str:
    """A conditional expression for the larger or smaller of two.

    No number where an operand is none, and -0.0 is less than +0.0. Flagged `nsz`, which of two zeros it gives is open,
    and the expression shorter. `text` is asked for each operand once, and gives what binds as tightly as sums.
    """
    is_max = isinstance(op, arith.MaximumfOp)
    first, second = (op.rhs, op.lhs) if _number(op.lhs) is not None else (op.lhs, op.rhs)
    number = _number(second)
    if number is not None and isnan(number):
        return text(second)
    left, right = text(first), text(second)
    if number is not None:
        keeps_equal = number == 0 and (copysign(1, number) > 0) is not is_max
        return f"{left} {'<' if is_max else '>'}{'' if keeps_equal else '='} {right} ? {right} : {left}"
    if FastMathFlag.NO_SIGNED_ZEROS in op.fastmath.data:
        return f"{left} {'<=' if is_max else '>='} {right} || {right} != {right} ? {right} : {left}"
    scalar_type(op.result.type)  # refuses what has no text
    sign = _BITS[str(op.result.type)].format(left if is_max else right)
    takes_right = f"{left} {'<' if is_max else '>'} {right} || {right} != {right} || ({left} == {right} && {sign} < 0)"
    return f"{takes_right} ? {right} : {left}"


def has_constant_operand(op: arith.MaximumfOp | arith.MinimumfOp) -> bool:
    """Whether one of the two is a constant, so that the other is written twice only."""
    return _number(op.lhs) is not None or _number(op.rhs) is not None


def _number(value: SSAValue) -> float | None:
    """The number that a constant is; None for any other value."""
    owner = value.owner
    if not isinstance(owner, arith.ConstantOp) or not isinstance(owner.value, FloatAttr):
        return None
    return owner.value.value.data
