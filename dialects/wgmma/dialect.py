"""The wgmma dialect with all that is in it."""

from __future__ import annotations

from xdsl.ir import Dialect

from vtac.dialects.wgmma.attributes import DescriptorType
from vtac.dialects.wgmma.layouts import WarpgroupLayout, WgmmaInstruction
from vtac.dialects.wgmma.matrices import SharedMatrix
from vtac.dialects.wgmma.ops import CommitGroupOp, DescriptorOp, FenceOp, FenceProxyAsyncOp, MmaAsyncOp, WaitGroupOp

WGMMA = Dialect(
    "wgmma",
    [CommitGroupOp, DescriptorOp, FenceOp, FenceProxyAsyncOp, MmaAsyncOp, WaitGroupOp],
    [DescriptorType],
)

__all__ = [
    "WGMMA",
    "CommitGroupOp",
    "DescriptorOp",
    "DescriptorType",
    "FenceOp",
    "FenceProxyAsyncOp",
    "MmaAsyncOp",
    "SharedMatrix",
    "WaitGroupOp",
    "WarpgroupLayout",
    "WgmmaInstruction",
]
