"""The packing dialect: between plain tensors and the VTA's tiles, and what stays on the host.

`pack` and `unpack` change a layout and nothing else; zeros that fill incomplete tiles are
theirs. `host` holds operations that the VTA cannot execute, with the reason. Deliberately
not modelled: where the data lies, and when it moves.
"""

from typing import TYPE_CHECKING

from vtac.lazily import members_of

if TYPE_CHECKING:
    from vtac.dialects.packing.dialect import *  # noqa: F403 - what is in the dialect is in its package

__getattr__ = members_of(f"{__name__}.dialect")
