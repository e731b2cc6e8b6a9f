"""The wmma dialect: warp-level matrix fragments and what moves data to them.

CUDA's own terms. A kernel is a `func.func` with `wmma.grid` and `wmma.block`; gpu, scf,
arith, affine, memref and vector ops do the rest. Deliberately not modelled: how a
fragment's elements are spread over the lanes of a warp.
"""

from typing import TYPE_CHECKING

from vtac.lazily import members_of

if TYPE_CHECKING:
    from vtac.dialects.wmma.dialect import *  # noqa: F403 - what is in the dialect is in its package

__getattr__ = members_of(f"{__name__}.dialect")
