"""What the operations of warps have in common, whether on fragments of WMMA or on tiles in registers."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from vtac.dialects import mma
from vtac.dialects.mma.ops import tiles_of
from vtac.dialects.wgmma import DescriptorOp, MmaAsyncOp
from vtac.dialects.wmma import (
    FillFragmentOp,
    FragmentsOp,
    LoadMatrixSyncOp,
    MapFragmentOp,
    MmaSyncOp,
    MultiplyFragmentOp,
    StoreMatrixSyncOp,
)
from vtac.dialects.wmma.ops import fragment_of

ARRAYS = (FragmentsOp, mma.TilesOp)
"""Declarations of what lies in the registers of a warp."""
PRODUCTS = (MmaSyncOp, mma.SyncOp)
LOADS = (LoadMatrixSyncOp, mma.LdmatrixOp)
WARP_OPERATIONS = (
    FillFragmentOp,
    LoadMatrixSyncOp,
    MapFragmentOp,
    MmaSyncOp,
    MultiplyFragmentOp,
    StoreMatrixSyncOp,
    mma.FillOp,
    mma.LdmatrixOp,
    mma.SyncOp,
    mma.ShuffleXorOp,
    mma.StmatrixOp,
    DescriptorOp,
    MmaAsyncOp,
)
"""What all lanes of a warp do together."""


def named_tiles(op: Operation) -> list[tuple[SSAValue, SSAValue]]:
    """The arrays of fragments or tiles that an operation names one of, and the number of that one."""
    if isinstance(op, MmaSyncOp | mma.SyncOp):
        return [(op.accumulator, op.accumulator_index), (op.a, op.a_index), (op.b, op.b_index)]
    if isinstance(op, MmaAsyncOp):
        return [(op.accumulator, op.index)]
    if isinstance(op, MultiplyFragmentOp):
        return [(op.fragments, op.index), (op.factors, op.factors_index)]
    if isinstance(op, FillFragmentOp | LoadMatrixSyncOp | StoreMatrixSyncOp | MapFragmentOp):
        return [(op.fragments, op.index)]
    if isinstance(op, mma.PackOp):
        return [(op.sums, op.first), (op.sums, op.second), (op.tiles, op.index)]
    if isinstance(op, mma.FillOp | mma.LdmatrixOp | mma.ExtractOp | mma.InsertOp):
        return [(op.tiles, op.index)]
    return []


def array_size(array: SSAValue) -> int:
    """Fragments or tiles of an array."""
    return tiles_of(array).count if isinstance(array.type, mma.TilesType) else fragment_of(array).count


def array_role(array: SSAValue) -> str:
    """The role of an array's fragments or tiles in a product."""
    return tiles_of(array).role if isinstance(array.type, mma.TilesType) else fragment_of(array).role
