"""The wmma dialect with all that is in it."""

from __future__ import annotations

from xdsl.ir import Dialect

from vtac.dialects.wmma.attention import AttentionOp
from vtac.dialects.wmma.attributes import FragmentType
from vtac.dialects.wmma.copies import AsyncCommitOp, AsyncCopyOp, AsyncWaitOp
from vtac.dialects.wmma.elements import MapFragmentOp, MultiplyFragmentOp, YieldOp
from vtac.dialects.wmma.named import VariableOp
from vtac.dialects.wmma.ops import FillFragmentOp, FragmentsOp, LoadMatrixSyncOp, MmaSyncOp, StoreMatrixSyncOp
from vtac.dialects.wmma.routines import CallOp, RoutineOp

WMMA = Dialect(
    "wmma",
    [
        AsyncCommitOp,
        AsyncCopyOp,
        AsyncWaitOp,
        AttentionOp,
        CallOp,
        FillFragmentOp,
        FragmentsOp,
        LoadMatrixSyncOp,
        MapFragmentOp,
        MmaSyncOp,
        MultiplyFragmentOp,
        RoutineOp,
        StoreMatrixSyncOp,
        VariableOp,
        YieldOp,
    ],
    [FragmentType],
)

__all__ = [
    "WMMA",
    "AsyncCommitOp",
    "AsyncCopyOp",
    "AsyncWaitOp",
    "AttentionOp",
    "CallOp",
    "FillFragmentOp",
    "FragmentType",
    "FragmentsOp",
    "LoadMatrixSyncOp",
    "MapFragmentOp",
    "MmaSyncOp",
    "MultiplyFragmentOp",
    "RoutineOp",
    "StoreMatrixSyncOp",
    "VariableOp",
    "YieldOp",
]
