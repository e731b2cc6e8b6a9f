"""Products with the unit matrix: each channel as it is, by a machine that moves channels only when it multiplies."""

from __future__ import annotations

import numpy as np
from xdsl.dialects import arith
from xdsl.dialects.builtin import i8
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.analysis.types.tensor_types import shape_of
from vtac.partition.alu_building import elementwise, put
from vtac.partition.alu_operations import projection
from vtac.partition.device_bodies import multiply_accumulate
from vtac.partition.tile_operations import Made, contraction, zeros
from vtac.rewriting.integer_tensors import dense

_RANKS = (2, 4)
"""Of the tensors that products read: rows and channels, or images."""


def unit_product(data: SSAValue, dim: int) -> Made | None:
    """A tensor of bytes as its product, along dimension `dim`, with the unit matrix; None for ranks without products.

    Exact: each sum is one element of the data.
    """
    shape = shape_of(data)
    if len(shape) not in _RANKS:
        return None
    rank, made = len(shape), Made()
    unit = made.put(dense(np.eye(shape[dim], dtype=np.int8), i8), "unit")
    read = tuple(AffineDimExpr(rank if one == dim else one) for one in range(rank))
    maps = [AffineMap(rank + 1, 0, read), projection((dim, rank), rank + 1), projection(range(rank), rank + 1)]
    sums = made.put(contraction([data, unit], zeros(made, shape), multiply_accumulate(), maps))
    made += elementwise(
        [sums], [tuple(range(rank))], shape, i8, lambda body: put(arith.TruncIOp(body.args[0], i8), body)
    )
    return made
