"""The mma dialect: products on the registers of a warp's lanes, with what lies where written down.

PTX's own terms: `ldmatrix`, `mma.sync`. Kernels, asynchronous copies and barriers are those of the wmma level; gpu,
scf, arith, affine, memref and vector ops do the rest. Not modelled: `wgmma`, TMA.
"""

from typing import TYPE_CHECKING

from vtac.lazily import members_of

if TYPE_CHECKING:
    from vtac.dialects.mma.dialect import *  # noqa: F403 - what is in the dialect is in its package

__getattr__ = members_of(f"{__name__}.dialect")
