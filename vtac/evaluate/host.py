"""Layout changes and host segments, executed by numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from xdsl.dialects import tensor
from xdsl.dialects.linalg.ops import BroadcastOp
from xdsl.ir import Operation

from vtac.dialects.packing import (
    BlockDiagonalOp,
    FoldOp,
    InterleaveOp,
    JoinOp,
    PackOp,
    ReshapeOp,
    TransposeTilesOp,
    UnpackOp,
    UnspecifiedOp,
)
from vtac.evaluate.buffers import shape_of_type
from vtac.evaluate.moves import folded, packed, unpacked
from vtac.evaluate.numbers import Array, dtype_of

LAYOUT_OPS = (
    PackOp,
    UnpackOp,
    ReshapeOp,
    TransposeTilesOp,
    FoldOp,
    InterleaveOp,
    JoinOp,
    BlockDiagonalOp,
    UnspecifiedOp,
    BroadcastOp,
    tensor.CollapseShapeOp,
    tensor.ExpandShapeOp,
    tensor.ConcatOp,
)
"""Operations that move elements and compute nothing."""


def change_layout(op: Operation, operands: Sequence[Array]) -> Array:
    """The result of one of `LAYOUT_OPS`, as a new array."""
    if isinstance(op, PackOp):
        return packed(operands[0], *op.layout())
    if isinstance(op, UnpackOp):
        return unpacked(operands[0], tuple(op.result_type.get_shape()), *op.layout())
    if isinstance(op, TransposeTilesOp):
        return np.ascontiguousarray(operands[0].transpose(op.order))
    if isinstance(op, FoldOp):
        return folded(operands[0], op.values()[0], shape_of_type(op.result.type)[1:3], op.folding)
    if isinstance(op, InterleaveOp):
        planes = np.stack([np.ascontiguousarray(plane).view(np.uint8) for plane in operands], axis=-1)
        return cast(Array, planes.view("<i4")[..., 0].copy())
    if isinstance(op, JoinOp | tensor.ConcatOp):
        return np.concatenate(operands, axis=op.dim.value.data if isinstance(op, tensor.ConcatOp) else 0)
    if isinstance(op, BlockDiagonalOp):
        return block_diagonal(operands[0], shape_of_type(op.result.type)[1])
    if isinstance(op, UnspecifiedOp):
        # No zeros, so that what depends on them is seen.
        return np.full(
            shape_of_type(op.result.type),
            85,
            dtype_of(op.result.type.get_element_type()),
        )
    if isinstance(op, BroadcastOp):
        shape = shape_of_type(op.init.type)
        source = np.expand_dims(operands[0], tuple(op.dimensions.get_values()))
        return np.array(np.broadcast_to(source, shape), order="C")
    return operands[0].reshape(shape_of_type(op.results[0].type)).copy()


def block_diagonal(kernels: Array, width: int) -> Array:
    """(G, F, C, H, W) -> (G * F, width, H, W): of `width / C` groups at once, zero where feature and channel differ."""
    groups, features, channels, *taps = kernels.shape
    merged = width // channels
    whole = np.zeros((groups // merged, merged, features, merged, channels, *taps), kernels.dtype)
    parts = kernels.reshape(groups // merged, merged, features, channels, *taps)
    for group in range(merged):
        whole[:, group, :, group] = parts[:, group]
    return whole.reshape(groups * features, width, *taps)
