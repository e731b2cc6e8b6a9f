"""linalg.reduce, executed by numpy."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.linalg.ops import ReduceOp

from vtac.evaluate.arith import evaluate_body
from vtac.evaluate.numbers import Array


def reduced(op: ReduceOp, source: Array, start: Array) -> Array:
    """The result of linalg.reduce: one point of the reduced dimensions after the other, in order."""
    dims = tuple(op.dimensions.get_values())
    total = np.atleast_1d(start)
    for point in np.ndindex(*(source.shape[dim] for dim in dims)):
        at: list[int | slice] = [slice(None)] * source.ndim
        for dim, index in zip(dims, point, strict=True):
            at[dim] = index
        (total,) = evaluate_body(op.region.block, [np.atleast_1d(source[tuple(at)]), total], {}, None)
    return np.array(np.broadcast_to(total, np.atleast_1d(start).shape).reshape(start.shape))
