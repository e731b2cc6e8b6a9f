"""Contents of constant tensors as what is known of them."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr

from vtac.analysis.values.scaled_integers import INT8, INT32, Channels, Fact, Known, Scaled

_DTYPES = {"i8": "i1", "i16": "<i2", "i32": "<i4", "i64": "<i8", "f16": "<f2", "f32": "<f4", "f64": "<f8"}
_LEAST, _MOST = -1074, 1023
_ROW = 256


def numbers_of(contents: DenseIntOrFPElementsAttr) -> NDArray[np.generic] | None:
    """The numbers of a constant tensor, in its shape; None for other types than numpy's."""
    kind = contents.get_element_type()
    shape = tuple(contents.get_shape())
    if str(kind) == "i1":
        return np.broadcast_to(np.array(contents.get_values(), dtype=np.int8).reshape(-1), (prod(shape),)).reshape(
            shape
        )
    if str(kind) not in _DTYPES:
        return None
    values = np.frombuffer(contents.data.data, np.dtype(_DTYPES[str(kind)]))
    return np.broadcast_to(values.reshape(()), shape) if values.size == 1 else values.reshape(shape)


def fact_of(contents: DenseIntOrFPElementsAttr) -> Fact:
    """What is known of a constant tensor: one number, one per channel, or integers times powers of two."""
    values = numbers_of(contents)
    if values is None:
        return f"it reads a constant of {contents.get_element_type()}"
    if not values.size:
        return "it reads an empty constant"
    one = values.reshape(-1)[0]
    if values.strides == (0,) * values.ndim or _are_all(values, one):
        return Known(one.item())
    wide = [dim for dim, extent in enumerate(values.shape) if extent > 1]
    if len(wide) == 1:
        return Known(Channels(wide[0], tuple(values.reshape(-1).tolist())))
    if values.dtype.kind == "i":
        return Scaled(int(values.min()), int(values.max()))
    return _scaled_floats(values.astype(np.float64))


def _are_all(values: NDArray[np.generic], one: np.generic) -> bool:
    """Whether all numbers are one; weights differ within their first row already."""
    flat = values.reshape(-1)
    return bool((flat[:_ROW] == one).all()) and bool((flat == one).all())


def _scaled_floats(values: NDArray[np.float64]) -> Fact:
    """The integers of floats: of one scale, or of one per index of a dimension where only that makes them narrow."""
    if not np.isfinite(values).all():
        return "it reads constants that are not finite"
    last = _last_bits(values)
    whole = _integers(values, last.min())
    largest = float(np.abs(whole).max())
    if largest > INT8[1]:
        for axis in (0, values.ndim - 1, *range(1, values.ndim - 1)):
            others = tuple(dim for dim in range(values.ndim) if dim != axis)
            exponents = last.min(axis=others, keepdims=True)
            exponents = np.where(exponents == _MOST, 0, exponents)
            narrow = _integers(values, exponents)
            if float(np.abs(narrow).max()) <= INT8[1]:
                found = Channels(axis, tuple(int(e) for e in exponents.reshape(-1)))
                return Scaled(int(narrow.min()), int(narrow.max()), found)
    if largest > INT32[1]:
        return "it reads constants that are no integers times a power of two"
    return Scaled(int(whole.min()), int(whole.max()), int(last.min()))


def _last_bits(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The exponent of each number's last bit that is not 0; a large one for 0."""
    mantissa, exponent = np.frexp(values)
    whole = np.abs(mantissa * 2.0**53).astype(np.int64)
    lowest = np.log2(np.maximum(whole & -whole, 1)).astype(np.int64)
    return np.where(whole == 0, _MOST, exponent.astype(np.int64) - 53 + lowest)


def _integers(values: NDArray[np.float64], exponents: NDArray[np.int64] | np.int64) -> NDArray[np.float64]:
    return np.ldexp(values, -np.asarray(exponents))


def integers_at(contents: DenseIntOrFPElementsAttr, fact: Scaled) -> NDArray[np.int64]:
    """The integers of a constant tensor of floats, of which `fact` is known.

    Raises `ValueError` for elements of another type.
    """
    values = numbers_of(contents)
    if values is None:
        raise ValueError(f"numbers of {contents.get_element_type()}")
    exponents: NDArray[np.int64] = np.asarray(fact.exponent if isinstance(fact.exponent, int) else 0, dtype=np.int64)
    if isinstance(fact.exponent, Channels):
        shape = [1] * values.ndim
        shape[fact.exponent.axis] = -1
        exponents = np.array(fact.exponent.values, dtype=np.int64).reshape(shape)
    return np.rint(np.ldexp(values.astype(np.float64), -exponents)).astype(np.int64)
