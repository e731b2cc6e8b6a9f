"""Scalar types and constants of the IR as numpy's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import (
    AnyFloat,
    BFloat16Type,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    Signedness,
)
from xdsl.ir import Attribute
from xdsl.utils.type import get_element_type_or_self

from vtac.evaluate.bfloat16 import from_bfloat16, to_bfloat16
from vtac.evaluate.refusals import refused

Array: TypeAlias = NDArray[np.generic]
Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
DType: TypeAlias = np.dtype[np.generic]

_INTEGERS: dict[int, str] = {1: "bool", 8: "int8", 16: "int16", 32: "int32", 64: "int64"}
_FLOATS: dict[type[Attribute], str] = {Float16Type: "float16", Float32Type: "float32", Float64Type: "float64"}


def dtype_of(kind: Attribute) -> DType:
    """numpy's dtype of an element type: i1 (as bool), i8 to i64, f16 to f64, index (as int64).

    Raises `EvaluationError` for others.
    """
    name = _FLOATS.get(type(kind))
    if isinstance(kind, IndexType):
        name = "int64"
    elif isinstance(kind, IntegerType):
        integer = cast("IntegerType[int, Signedness]", kind)
        name = _INTEGERS.get(integer.width.data) if integer.signedness.data is Signedness.SIGNLESS else None
    if name is None:
        way_out = _way_out(cast("Attribute", kind))
        raise refused(
            f"cannot compute with {kind}: the types that can be executed are signless integers of 1, 8, 16, 32 and "
            f"64 bits, f16, f32, f64 and index{way_out}"
        )
    return np.dtype(name)


def _way_out(kind: Attribute) -> str:
    if not isinstance(kind, IntegerType):
        return ""
    integer = cast("IntegerType[int, Signedness]", kind)
    if integer.signedness.data is Signedness.SIGNLESS:
        return ""
    extension = "arith.extui" if integer.signedness.data is Signedness.UNSIGNED else "arith.extsi"
    width = integer.width.data
    return f"; write i{width}, extended by {extension} where it is read, as MLIR's lowering of tosa and torch does"


def computed_dtype(kind: Attribute) -> DType:
    """The dtype in which elements of a type are executed: float32 for bfloat16, rounded after each operation."""
    kind = get_element_type_or_self(kind)
    return np.dtype("float32") if isinstance(kind, BFloat16Type) else dtype_of(kind)


def rounded(values: Array, kind: Attribute) -> Array:
    """Values as their type can hold them."""
    kind = get_element_type_or_self(kind)
    return from_bfloat16(to_bfloat16(values)) if isinstance(kind, BFloat16Type) else values


def converted(values: Array, kind: Attribute) -> Array:
    """Values of any type as floats of another, rounded once, in the dtype that those are executed in."""
    return rounded(values, kind) if isinstance(kind, BFloat16Type) else values.astype(computed_dtype(kind))


def number(value: Attribute) -> Array:
    """A number as an array of shape (1,); integers wrap to their width.

    Raises `EvaluationError` for an attribute that is none.
    """
    if isinstance(value, FloatAttr):
        real = cast("FloatAttr[AnyFloat]", value)
        return rounded(np.array([real.value.data], computed_dtype(real.type)), real.type)
    if isinstance(value, IntegerAttr):
        integer = cast("IntegerAttr[IntegerType | IndexType]", value)
        dtype = dtype_of(integer.type)
        bits = 1 if dtype.kind == "b" else 8 * dtype.itemsize
        pattern = np.array([integer.value.data & ((1 << bits) - 1)], np.uint64)
        return pattern.astype(dtype)
    raise refused(f"{value} is not a number")


def dense(contents: DenseIntOrFPElementsAttr, shape: Sequence[int]) -> Array:
    """The elements of a dense constant as an array of a shape."""
    kind = contents.get_element_type()
    dtype = computed_dtype(kind)
    if dtype.kind == "b":
        values = np.array(contents.get_values(), np.bool_)
    elif isinstance(kind, BFloat16Type):
        values = from_bfloat16(np.frombuffer(contents.data.data, "<u2").astype(np.uint16))
    else:
        values = np.frombuffer(contents.data.data, dtype.newbyteorder("<"))
    whole = np.broadcast_to(values.reshape(()), shape) if values.size == 1 else values.reshape(tuple(shape))
    return np.array(whole, dtype)
