"""The mma dialect: products on the registers of a warp's lanes, with what lies where written down.

PTX's own terms: `ldmatrix`, `mma.sync`. Kernels, asynchronous copies and barriers are those of the wmma level; gpu,
scf, arith, affine, memref and vector ops do the rest. Not modelled: `wgmma`, TMA.
"""

from xdsl.ir import Dialect

from vtac.dialects.mma.attributes import SharedLayoutAttr, Tiles, TilesType
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
