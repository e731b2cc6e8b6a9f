"""The wgmma dialect: products of four warps on matrices in shared memory, which run beside everything else.

PTX's own terms. Accumulators are tiles of the mma dialect; kernels, copies and barriers are those of the wmma level.
Not modelled: A in registers, sparse products, FP8.
"""

from typing import TYPE_CHECKING

from vtac.lazily import members_of

if TYPE_CHECKING:
    from vtac.dialects.wgmma.dialect import *  # noqa: F403 - what is in the dialect is in its package

__getattr__ = members_of(f"{__name__}.dialect")
