"""Scalar operations beyond those of the ALU: divisions, and the functions of the math dialect."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, cast

import numpy as np
from xdsl.ir import Operation

from vtac.evaluate.numbers import Array, Mask
from vtac.evaluate.refusals import refused

Compute: TypeAlias = Callable[[Operation, Sequence[Array], Mask | None], Array]

_UNARY: dict[str, Callable[[Array], Array]] = {
    "arith.negf": np.negative,
    "math.absf": np.abs,
    "math.absi": np.abs,
    "math.ceil": np.ceil,
    "math.cos": np.cos,
    "math.erf": lambda value: np.vectorize(math.erf, otypes=[np.float64])(value).astype(value.dtype),
    "math.exp": np.exp,
    "math.exp2": np.exp2,
    "math.expm1": np.expm1,
    "math.floor": np.floor,
    "math.log": np.log,
    "math.log10": np.log10,
    "math.log1p": np.log1p,
    "math.log2": np.log2,
    "math.roundeven": np.rint,
    "math.rsqrt": lambda value: np.reciprocal(np.sqrt(value)),
    "math.sin": np.sin,
    "math.sqrt": np.sqrt,
    "math.tanh": np.tanh,
    "math.trunc": np.trunc,
}
_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "arith.maxnumf": np.fmax,
    "arith.minnumf": np.fmin,
    "math.powf": np.power,
}


def refuse_where(bad: Mask, active: Mask | None, value: Array, op: Operation, message: Callable[[object], str]) -> None:
    """Raise `EvaluationError` for the first active point where `bad` is set; `message` gets its value."""
    if not bad.any():
        return
    wrong = bad if active is None else np.logical_and(bad, active)
    if wrong.any():
        found = np.broadcast_to(value, wrong.shape)[tuple(np.argwhere(wrong)[0])]
        raise refused(message(found.item()), op)


def _function(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    return _UNARY[op.name](operands[0])


def _function_of_two(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    return _BINARY[op.name](*operands)


def _divide(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    """Quotients to zero, down or up, and what is left of the one to zero; undefined by 0, and where it overflows."""
    left, right = operands
    if left.dtype.kind == "b":
        raise refused(f"'{op.name}' of i1 is not executed", op)
    unsigned = op.name.endswith("ui")
    dtype = left.dtype
    if unsigned:
        left, right = (value.view(np.dtype(f"uint{8 * dtype.itemsize}")) for value in operands)
    bad = right == 0
    if not unsigned:
        bad = np.logical_or(bad, np.logical_and(left == -(1 << (8 * dtype.itemsize - 1)), right == -1))
    refuse_where(
        np.asarray(bad, np.bool_),
        active,
        right,
        op,
        lambda found: f"'{op.name}' by {found}: the result is undefined for a divisor of 0, and where it overflows",
    )
    right = np.where(bad, np.ones(1, right.dtype), right)
    return _divided(op.name, left, right).view(dtype)


def _divided(name: str, left: Array, right: Array) -> Array:
    if name.startswith("arith.rem"):
        return np.fmod(left, right)
    quotient = np.floor_divide(left, right)
    rest = np.not_equal(np.fmod(left, right), 0)
    if name.startswith("arith.ceildiv"):
        return np.add(quotient, rest.astype(quotient.dtype))
    if name == "arith.divsi":
        negative = np.not_equal(np.less(left, 0), np.less(right, 0))
        return np.add(quotient, np.logical_and(rest, negative).astype(quotient.dtype))
    return quotient


_DIVISIONS = ("divsi", "divui", "floordivsi", "ceildivsi", "ceildivui", "remsi", "remui")

FUNCTIONS: Mapping[str, Compute] = {
    **dict.fromkeys(_UNARY, _function),
    **dict.fromkeys(_BINARY, _function_of_two),
    **{f"arith.{name}": cast(Compute, _divide) for name in _DIVISIONS},
}
"""How each is computed on arrays, by name."""
