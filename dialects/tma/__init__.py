"""The tma dialect: bulk copies of boxes of arrays to shared memory and back, and the mbarriers that tell of arrivals.

PTX's own terms: `mbarrier`, `expect_tx`, phases and their parity, multicast to blocks of a cluster. Kernels, buffers
and loops are the wmma level's.
"""

from typing import TYPE_CHECKING

from vtac.lazily import members_of

if TYPE_CHECKING:
    from vtac.dialects.tma.dialect import *  # noqa: F403 - what is in the dialect is in its package

__getattr__ = members_of(f"{__name__}.dialect")
