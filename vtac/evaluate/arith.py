"""Bodies of blocks and of linalg ops, executed on arrays with the exact semantics of `arith`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.arith import CmpfOp, CmpiOp, ConstantOp
from xdsl.dialects.memref import LoadOp
from xdsl.dialects.tensor import ExtractOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import IsTerminator

from vtac.evaluate.arith_tables import (
    BOOLEAN_UFUNCS,
    FLOAT_PREDICATES,
    FLOAT_UFUNCS,
    INTEGER_UFUNCS,
    PREDICATES,
    UNSIGNED_UFUNCS,
)
from vtac.evaluate.extrema import larger, smaller
from vtac.evaluate.numbers import Array, DType, Mask, computed_dtype, converted, number, rounded
from vtac.evaluate.refusals import refused
from vtac.evaluate.scalar_functions import FUNCTIONS, Compute, refuse_where


def evaluate_body(
    body: Block,
    arguments: Sequence[Array],
    outer: Mapping[SSAValue, Array],
    active: Mask | None,
    tensors: Mapping[SSAValue, Array] | None = None,
) -> list[Array]:
    """The values that a body's terminator takes.

    `arguments` and the values of `outer` (results known already: constants from around the body, indices) broadcast
    against each other and all have at least one dimension. Where `active` is not set the results mean nothing and
    nothing is an error. `tensors` are those from around the body of which it extracts elements. Raises
    `EvaluationError` for an operation that cannot be executed.
    """
    values: dict[SSAValue, Array] = {**outer, **dict(zip(body.args, arguments, strict=True))}
    rank = max((value.ndim for value in values.values()), default=1)
    with np.errstate(all="ignore"):
        for op in body.ops:
            if op.has_trait(IsTerminator):
                return [_value(operand, op, values) for operand in op.operands]
            if isinstance(op, ExtractOp | LoadOp):
                indices = [_value(v, op, values) for v in op.indices]
                values[op.results[0]] = extracted(op, indices, tensors or {}, rank)
            elif op.results and op.results[0] not in values:
                values[op.results[0]] = compute(op, [_value(v, op, values) for v in op.operands], active, rank)
    raise refused("cannot execute a body without terminator")


def extracted(op: ExtractOp | LoadOp, indices: Sequence[Array], tensors: Mapping[SSAValue, Array], rank: int) -> Array:
    """The elements of a tensor, or of a buffer, at some indices. Raises `EvaluationError` for an index outside."""
    source = _value(read_by(op), op, tensors)
    for dim, (index, extent) in enumerate(zip(indices, source.shape, strict=True)):
        if index.size and (int(index.min()) < 0 or int(index.max()) >= extent):
            found = f"{int(index.min())} to {int(index.max())}"
            raise refused(f"'{op.name}' reaches {found} of dimension {dim}, whose extent is {extent}", op)
    taken = source[cast("tuple[NDArray[np.int64], ...]", tuple(indices))]
    return taken.reshape(taken.shape or (1,) * rank)


def read_by(op: ExtractOp | LoadOp) -> SSAValue:
    """What an operation takes elements of."""
    return op.tensor if isinstance(op, ExtractOp) else op.memref


def compute(op: Operation, operands: Sequence[Array], active: Mask | None, rank: int = 1) -> Array:
    """The result of one scalar operation, on arrays.

    Raises `EvaluationError` for another operation than those of `arith` and `math` that can be executed.
    """
    if isinstance(op, ConstantOp):
        value = number(op.value)
        return value.reshape((1,) * rank)
    if op.name in _COMPUTE:
        return rounded(_COMPUTE[op.name](op, operands, active), op.results[0].type)
    raise refused(
        f"cannot execute '{op.name}': the scalar ops that can be executed are {', '.join(sorted(SUPPORTED))}", op
    )


def reduction_ufunc(op: Operation, dtype: DType) -> tuple[np.ufunc, DType] | None:
    """How to reduce by an op in any order: a ufunc and the dtype to see the elements as.

    None when order counts (floats), or when the op is no reduction.
    """
    if dtype.kind != "i":
        return None
    if op.name in INTEGER_UFUNCS and op.name != "arith.subi":
        return INTEGER_UFUNCS[op.name], dtype
    if op.name in UNSIGNED_UFUNCS:
        return UNSIGNED_UFUNCS[op.name], _unsigned(dtype)
    return None


def neutral(ufunc: np.ufunc, dtype: DType) -> Array:
    """The element of shape (1,) that `ufunc` leaves every other element unchanged with."""
    bits, signed = 8 * dtype.itemsize, dtype.kind == "i"
    neutrals: dict[np.ufunc, int] = {
        np.maximum: -(1 << (bits - 1)) if signed else 0,
        np.minimum: (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1,
        np.multiply: 1,
        np.bitwise_and: -1,
    }
    return np.array([neutrals.get(ufunc, 0)], dtype)


def _value(value: SSAValue, op: Operation, values: Mapping[SSAValue, Array]) -> Array:
    if value not in values:
        raise refused(f"cannot execute '{op.name}': its operand '{value.name_hint or '?'}' has no value here", op)
    return values[value]


def _unsigned(dtype: DType) -> DType:
    return np.dtype(f"uint{8 * dtype.itemsize}")


def _as_unsigned(value: Array) -> Array:
    return value.view(_unsigned(value.dtype))


def _as_signed(value: Array) -> Array:
    return np.negative(value.astype(np.int8)) if value.dtype.kind == "b" else value


def _result_dtype(op: Operation) -> DType:
    return computed_dtype(op.results[0].type)


def _integer(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    boolean = operands[0].dtype.kind == "b"
    ufunc = BOOLEAN_UFUNCS.get(op.name, INTEGER_UFUNCS[op.name]) if boolean else INTEGER_UFUNCS[op.name]
    return ufunc(*operands)


def _unsigned_integer(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    left, right = operands
    return UNSIGNED_UFUNCS[op.name](_as_unsigned(left), _as_unsigned(right)).view(left.dtype)


def _float(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    return FLOAT_UFUNCS[op.name](*operands)


def _extremum(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    return (larger if op.name == "arith.maximumf" else smaller)(*operands)


def _shift(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    value, count = operands
    bits = 1 if value.dtype.kind == "b" else 8 * value.dtype.itemsize
    bad = np.greater_equal(_as_unsigned(count), bits)
    refuse_where(
        bad,
        active,
        count,
        op,
        lambda found: f"'{op.name}' by {found}: the result is undefined unless the amount lies in 0 <= amount < {bits}",
    )
    if value.dtype.kind == "b":
        return np.broadcast_to(value, np.broadcast_shapes(value.shape, count.shape))
    amount = np.where(bad, np.zeros(1, count.dtype), count)
    if op.name == "arith.shrui":
        return np.right_shift(_as_unsigned(value), _as_unsigned(amount)).view(value.dtype)
    return (np.left_shift if op.name == "arith.shli" else np.right_shift)(value, amount)


def _compare(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    ufunc, signed = PREDICATES[cast(CmpiOp, op).predicate.value.data]
    left, right = (_as_signed(value) if signed else _as_unsigned(value) for value in operands)
    return ufunc(left, right)


def _compare_floats(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    predicate = cast(CmpfOp, op).predicate.value.data
    left, right = operands
    unordered = np.logical_or(np.isnan(left), np.isnan(right))
    ufunc, if_unordered = FLOAT_PREDICATES[predicate]
    return (
        np.logical_or(ufunc(left, right), unordered)
        if if_unordered
        else np.logical_and(ufunc(left, right), np.logical_not(unordered))
    )


def _select(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    condition, chosen, otherwise = operands
    return np.where(condition, chosen, otherwise)


def _extend_signed(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    return _as_signed(operands[0]).astype(_result_dtype(op))


def _extend_unsigned(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    return _as_unsigned(operands[0]).astype(_result_dtype(op))


def _truncate(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    dtype = _result_dtype(op)
    value = operands[0]
    if dtype.kind == "b":
        return np.bitwise_and(value, np.ones(1, value.dtype)).astype(np.bool_)
    return value.astype(dtype)


def _index_cast(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    return _truncate(op, [_as_signed(operands[0])], active)


def _index_cast_unsigned(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    return _truncate(op, [_as_unsigned(operands[0])], active)


def _convert(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    return converted(_as_signed(operands[0]), op.results[0].type)


def _convert_unsigned(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    return converted(_as_unsigned(operands[0]), op.results[0].type)


def _to_integer(op: Operation, operands: Sequence[Array], active: Mask | None) -> Array:
    value, dtype = np.trunc(operands[0].astype(np.float64)), _result_dtype(op)
    bits = 1 if dtype.kind == "b" else 8 * dtype.itemsize
    least = 0.0 if op.name == "arith.fptoui" else -(2.0 ** (bits - 1))
    fits = np.logical_and(value >= least, value < least + 2.0**bits)
    refuse_where(
        np.logical_not(fits),
        active,
        operands[0],
        op,
        lambda found: f"'{op.name}' of {found}: the result is undefined unless it fits {op.results[0].type}",
    )
    inside = np.where(fits, value, 0.0)
    return (inside.astype(np.uint64) if least == 0.0 else inside).astype(dtype)


_COMPUTE: Mapping[str, Compute] = {
    **dict.fromkeys(INTEGER_UFUNCS, _integer),
    **dict.fromkeys(UNSIGNED_UFUNCS, _unsigned_integer),
    **dict.fromkeys(FLOAT_UFUNCS, _float),
    **dict.fromkeys(("arith.maximumf", "arith.minimumf"), _extremum),
    "arith.shrsi": _shift,
    "arith.shrui": _shift,
    "arith.shli": _shift,
    "arith.cmpi": _compare,
    "arith.select": _select,
    "arith.extsi": _extend_signed,
    "arith.extui": _extend_unsigned,
    "arith.trunci": _truncate,
    "arith.index_cast": _index_cast,
    "arith.index_castui": _index_cast_unsigned,
    "arith.sitofp": _convert,
    "arith.uitofp": _convert_unsigned,
    "arith.extf": _convert,
    "arith.truncf": _convert,
    "arith.fptosi": _to_integer,
    "arith.fptoui": _to_integer,
    "arith.cmpf": _compare_floats,
    **FUNCTIONS,
}

SUPPORTED: tuple[str, ...] = ("arith.constant", *_COMPUTE)
"""Names of the scalar operations that can be executed."""
