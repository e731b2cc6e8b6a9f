"""The vta dialect: one op per hardware instruction or host-runtime call.

Before placement, operands name on-chip buffers (memrefs in a `vta.*` memory space) and
addresses are relative to them; after `vta-place-buffers`, addresses are SRAM elements.
Host loops around the ops are `schedule.for`, then `scf.for`. Deliberately not modelled:
what instructions compute (that is the stream's and its interpreter's business).
"""

from xdsl.ir import Dialect

from vtac.dialects.vta.attributes import UopLoopAttr
from vtac.dialects.vta.kernels import AluOp, GemmOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.dialects.vta.synchronisation import DepPopOp, DepPushOp, StageOp, SyncOp

VTA = Dialect("vta", [Load2DOp, Store2DOp, GemmOp, AluOp, StageOp, DepPushOp, DepPopOp, SyncOp], [UopLoopAttr])

__all__ = [
    "VTA",
    "AluOp",
    "DepPopOp",
    "DepPushOp",
    "GemmOp",
    "Load2DOp",
    "StageOp",
    "Store2DOp",
    "SyncOp",
    "UopLoopAttr",
]
