"""Attention on whole tensors, executed by numpy: sums and softmax in float32, weights in the type of the values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import BFloat16Type
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineMap

from vtac.analysis.types.tensor_types import element_of
from vtac.dialects.wmma.attention import AttentionOp
from vtac.evaluate.affine import evaluate_map
from vtac.evaluate.bfloat16 import from_bfloat16, to_bfloat16
from vtac.evaluate.buffers import shape_of_type
from vtac.evaluate.numbers import Array, dtype_of

Floats = NDArray[np.float32]


def attention(op: AttentionOp, operands: Sequence[Array]) -> Array:
    """The result, as the operands' elements give it at the places that the operation's maps name."""
    *given, (result, access, extents) = op.accesses()
    read = [_gathered(a, map_, sizes) for a, (_, map_, sizes) in zip(operands, given, strict=True)]
    query, key, value, *masks = read
    scores = np.einsum("...id,...jd->...ij", query, key) * np.float32(op.scale.value.data)
    for mask in masks:
        scores = scores + mask
    if op.diagonal is not None:
        rows, keys, _, _ = op.extents
        later = np.arange(keys)[None, :] > np.arange(rows)[:, None] + op.diagonal.value.data
        scores = np.where(later, np.float32(-np.inf), scores)
    with np.errstate(invalid="ignore"):
        parts = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = _rounded(parts / parts.sum(axis=-1, keepdims=True), op.value)
    found = np.einsum("...ij,...je->...ie", weights, value)
    stored = np.zeros(shape_of_type(result.type), np.float32)
    stored[_places(access, extents)] = found
    kind = element_of(result)
    return _rounded(stored, result) if isinstance(kind, BFloat16Type) else stored.astype(dtype_of(kind))


def _gathered(array: Array, access: AffineMap, extents: Sequence[int]) -> Floats:
    """Elements at all coordinates, in float32."""
    found = array[_places(access, extents)]
    return np.broadcast_to(found, extents).astype(np.float32)


def _places(access: AffineMap, extents: Sequence[int]) -> tuple[NDArray[np.int64], ...]:
    coordinates = [one.reshape(-1) for one in np.indices(extents)]
    found = evaluate_map(access, coordinates)
    return tuple(np.broadcast_to(one, coordinates[0].shape).reshape(extents) for one in found)


def _rounded(values: Floats, like: SSAValue) -> Floats:
    """Numbers of f32 as the element type of a tensor has them."""
    kind = element_of(like)
    if isinstance(kind, BFloat16Type):
        return from_bfloat16(to_bfloat16(values))
    return values.astype(dtype_of(kind)).astype(np.float32)
