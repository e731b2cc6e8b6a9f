"""The packing dialect: between plain tensors and the VTA's tiles, and what stays on the host.

`pack` and `unpack` change a layout and nothing else; zeros that fill incomplete tiles are
theirs. `host` holds operations that the VTA cannot execute, with the reason. Deliberately
not modelled: where the data lies, and when it moves.
"""

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
