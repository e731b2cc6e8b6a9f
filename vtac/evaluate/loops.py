"""linalg.reduce and loops over tensors, executed by numpy."""

from __future__ import annotations

import numpy as np
from xdsl.dialects import scf
from xdsl.dialects.linalg.ops import ReduceOp

from vtac.analysis.expressions.trips import bounds_of
from vtac.evaluate.arith import evaluate_body
from vtac.evaluate.numbers import Array
from vtac.evaluate.refusals import refused


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


def iterations(op: scf.ForOp) -> range:
    """The indices of a loop. Raises `EvaluationError` for bounds that are no constants."""
    bounds = bounds_of(op)
    if bounds is None:
        raise refused("'scf.for' needs constant bounds and a positive step", op)
    return bounds
