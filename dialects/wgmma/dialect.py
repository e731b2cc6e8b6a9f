"""The wgmma dialect: products of four warps on matrices in shared memory, which run beside everything else.

PTX's own terms. Accumulators are tiles of the mma dialect; kernels, copies and barriers are those of the wmma level.
Not modelled: A in registers, sparse products, FP8.
"""

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
