"""The tma dialect: bulk copies of boxes of arrays to shared memory and back, and the mbarriers that tell of arrivals.

PTX's own terms: `mbarrier`, `expect_tx`, phases and their parity, multicast to blocks of a cluster. Kernels, buffers
and loops are the wmma level's.
"""

from xdsl.ir import Dialect

from vtac.dialects.tma.attributes import Boxes, BoxesAttr
from vtac.dialects.tma.clusters import ClusterArriveOp, ClusterWaitOp
from vtac.dialects.tma.copies import ArriveExpectOp, CopyOp, LoadOp
from vtac.dialects.tma.mbarriers import ArriveOp, FenceInitOp, InitOp, WaitOp
from vtac.dialects.tma.roles import ElectOp, SetmaxnregOp
from vtac.dialects.tma.stores import CommitStoresOp, PublishOp, StoreOp, WaitStoresOp

TMA = Dialect(
    "tma",
    [
        ArriveExpectOp,
        ArriveOp,
        ClusterArriveOp,
        ClusterWaitOp,
        CommitStoresOp,
        CopyOp,
        ElectOp,
        FenceInitOp,
        InitOp,
        LoadOp,
        PublishOp,
        SetmaxnregOp,
        StoreOp,
        WaitOp,
        WaitStoresOp,
    ],
    [BoxesAttr],
)

__all__ = [
    "TMA",
    "ArriveExpectOp",
    "ArriveOp",
    "Boxes",
    "BoxesAttr",
    "ClusterArriveOp",
    "ClusterWaitOp",
    "CommitStoresOp",
    "CopyOp",
    "ElectOp",
    "FenceInitOp",
    "InitOp",
    "LoadOp",
    "PublishOp",
    "SetmaxnregOp",
    "StoreOp",
    "WaitOp",
    "WaitStoresOp",
]
