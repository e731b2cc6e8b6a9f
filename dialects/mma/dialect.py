"""The mma dialect with all that is in it."""

from __future__ import annotations

from xdsl.ir import Dialect

from vtac.dialects.mma.attributes import Tiles, TilesType
from vtac.dialects.mma.layout_attribute import SharedLayoutAttr
from vtac.dialects.mma.ops import ExtractOp, FillOp, LdmatrixOp, LoadPairOp, StorePairOp, SyncOp, TilesOp
from vtac.dialects.mma.register_ops import InsertOp, PackOp, ShuffleXorOp
from vtac.dialects.mma.stores import StmatrixOp

MMA = Dialect(
    "mma",
    [
        ExtractOp,
        FillOp,
        InsertOp,
        LdmatrixOp,
        LoadPairOp,
        PackOp,
        ShuffleXorOp,
        StmatrixOp,
        StorePairOp,
        SyncOp,
        TilesOp,
    ],
    [SharedLayoutAttr, TilesType],
)

__all__ = [
    "MMA",
    "ExtractOp",
    "FillOp",
    "InsertOp",
    "LdmatrixOp",
    "LoadPairOp",
    "PackOp",
    "SharedLayoutAttr",
    "ShuffleXorOp",
    "StmatrixOp",
    "StorePairOp",
    "SyncOp",
    "Tiles",
    "TilesOp",
    "TilesType",
]
