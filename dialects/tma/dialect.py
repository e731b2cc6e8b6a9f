"""The tma dialect with all that is in it."""

from __future__ import annotations

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
