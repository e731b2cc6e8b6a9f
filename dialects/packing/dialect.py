"""The packing dialect with all that is in it."""

from __future__ import annotations

from xdsl.ir import Dialect

from vtac.dialects.packing.folding import FoldOp
from vtac.dialects.packing.layout import PackOp, ReshapeOp, TransposeTilesOp, UnpackOp, packed_shape
from vtac.dialects.packing.ops import BlockDiagonalOp, HostOp, InterleaveOp, JoinOp, UnspecifiedOp, YieldOp

Packing = Dialect(
    "packing",
    [
        PackOp,
        UnpackOp,
        ReshapeOp,
        TransposeTilesOp,
        FoldOp,
        BlockDiagonalOp,
        UnspecifiedOp,
        InterleaveOp,
        JoinOp,
        HostOp,
        YieldOp,
    ],
    [],
)

__all__ = [
    "BlockDiagonalOp",
    "FoldOp",
    "HostOp",
    "InterleaveOp",
    "JoinOp",
    "PackOp",
    "Packing",
    "ReshapeOp",
    "TransposeTilesOp",
    "UnpackOp",
    "UnspecifiedOp",
    "YieldOp",
    "packed_shape",
]
