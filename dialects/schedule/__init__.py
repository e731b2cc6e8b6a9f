"""The schedule dialect: loop nests over blocks, and the directives that transform them.

Payload: `schedule.for` loops and `schedule.block` statements inside a `func.func` on
memrefs, whose memory space names the buffer's scope. Directives: the ops of a
`schedule.script`, over handles to the payload's blocks, loops and buffers.
"""

from xdsl.ir import Dialect

from vtac.dialects.schedule.attributes import (
    AccessAttr,
    BlockHandleType,
    BufferHandleType,
    IterationAttr,
    LoopHandleType,
    LoopKindAttr,
    TailAttr,
)
from vtac.dialects.schedule.directives import DIRECTIVES, ScriptOp
from vtac.dialects.schedule.gpu_directives import GPU_DIRECTIVES
from vtac.dialects.schedule.payload import BlockOp, ForOp, YieldOp

Schedule = Dialect(
    "schedule",
    [ForOp, BlockOp, YieldOp, ScriptOp, *DIRECTIVES, *GPU_DIRECTIVES],
    [
        AccessAttr,
        BlockHandleType,
        BufferHandleType,
        IterationAttr,
        LoopHandleType,
        LoopKindAttr,
        TailAttr,
    ],
)

DIRECTIVE_NAMES = frozenset(op.name.removeprefix("schedule.") for op in (*DIRECTIVES, *GPU_DIRECTIVES))

__all__ = [
    "DIRECTIVE_NAMES",
    "AccessAttr",
    "BlockOp",
    "ForOp",
    "IterationAttr",
    "LoopKindAttr",
    "Schedule",
    "ScriptOp",
    "YieldOp",
]
