"""Scalar operations beyond those of the ALU: divisions, and the functions of the math dialect."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, cast

import numpy as np
from xdsl.ir import Operation

from vtac.evaluate.extrema import larger, smaller
from vtac.evaluate.numbers import Array, Mask
from vtac.evaluate.refusals import refused

Compute: TypeAlias = Callable[[Operation, Sequence[Array], Mask | None], Array]


def _of_each(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """A function of Python's on each element, rounded once."""
    return lambda value: np.vectorize(function, otypes=[np.float64])(value).astype(value.dtype)


def _round(value: Array) -> Array:
    """The nearest integer, halves away from zero."""
    whole = np.trunc(value)
    return np.copysign(np.where(np.abs(value - whole) >= 0.5, np.abs(whole) + 1, np.abs(whole)), value)


def _bits_of(value: Array) -> Array:
    """The bits of each integer along a last axis, the highest first."""
    big = np.ascontiguousarray(value).astype(value.dtype.newbyteorder(">"))
    return np.unpackbits(big.view(np.uint8).reshape(*value.shape, value.dtype.itemsize), axis=-1)


def _zeros_before(bits: Array) -> Array:
    """How many bits precede the first that is set."""
    return np.logical_not(np.logical_or.accumulate(bits, axis=-1)).sum(axis=-1)


_UNARY: dict[str, Callable[[Array], Array]] = {
    "arith.negf": np.negative,
    "math.absf": np.abs,
    "math.absi": np.abs,
    "math.acos": np.arccos,
    "math.acosh": np.arccosh,
    "math.asin": np.arcsin,
    "math.asinh": np.arcsinh,
    "math.atan": np.arctan,
    "math.atanh": np.arctanh,
    "math.cbrt": np.cbrt,
    "math.ceil": np.ceil,
    "math.cos": np.cos,
    "math.cosh": np.cosh,
    "math.erf": _of_each(math.erf),
    "math.erfc": _of_each(math.erfc),
    "math.exp": np.exp,
    "math.exp2": np.exp2,
    "math.expm1": np.expm1,
    "math.floor": np.floor,
    "math.log": np.log,
    "math.log10": np.log10,
    "math.log1p": np.log1p,
    "math.log2": np.log2,
    "math.isfinite": np.isfinite,
    "math.isinf": np.isinf,
    "math.isnan": np.isnan,
    "math.round": _round,
    "math.roundeven": np.rint,
    "math.rsqrt": lambda value: np.reciprocal(np.sqrt(value)),
    "math.sin": np.sin,
    "math.sinh": np.sinh,
    "math.sqrt": np.sqrt,
    "math.tan": np.tan,
    "math.tanh": np.tanh,
    "math.trunc": np.trunc,
}
_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "arith.maxnumf": np.fmax,
    "arith.minnumf": np.fmin,
    "arith.remf": np.fmod,
    "math.atan2": np.arctan2,
    "math.copysign": np.copysign,
    "math.powf": np.power,
}
_OF_BITS: dict[str, Callable[[Array], Array]] = {
    "math.ctlz": _zeros_before,
    "math.ctpop": lambda bits: bits.sum(axis=-1),
    "math.cttz": lambda bits: _zeros_before(bits[..., ::-1]),
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


def _count_bits(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    (value,) = operands
    if value.dtype.kind == "b":
        raise refused(f"'{op.name}' of i1 is not executed", op)
    return _OF_BITS[op.name](_bits_of(value)).astype(value.dtype)


def _clamp(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    """What is no number stays none; a bound that is none is refused, as MLIR leaves open what comes of it."""
    value, low, high = operands
    for bound in (low, high):
        refuse_where(np.isnan(bound), active, bound, op, lambda found: f"'{op.name}' with the bound {found}")
    refuse_where(np.greater(low, high), active, low, op, lambda found: f"'{op.name}' from {found} to what is less")
    return smaller(larger(value, low), high)


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
    **dict.fromkeys(_OF_BITS, _count_bits),
    "math.clampf": _clamp,
    **{f"arith.{name}": cast(Compute, _divide) for name in _DIVISIONS},
}
"""How each is computed on arrays, by name."""
