"""The schedule dialect: loop nests over blocks, and the directives that transform them.

Payload: `schedule.for` loops and `schedule.block` statements inside a `func.func` on
memrefs, whose memory space names the buffer's scope. Directives: the ops of a
`schedule.script`, over handles to the payload's blocks, loops and buffers.
"""

from xdsl.ir import Dialect

from vtac.dialects.schedule import block_directives, gpu_directives, lookups, loop_directives
from vtac.dialects.schedule.attributes import (
    AccessAttr,
    BlockHandleType,
    BufferHandleType,
    IterationAttr,
    LoopHandleType,
    LoopKindAttr,
    TailAttr,
)
from vtac.dialects.schedule.payload import BlockOp, ForOp, YieldOp
from vtac.dialects.schedule.script import DirectiveOp, ScriptOp

DIRECTIVES: tuple[type[DirectiveOp], ...] = tuple(
    op
    for module in (lookups, loop_directives, block_directives, gpu_directives)
    for op in vars(module).values()
    if isinstance(op, type)
    and issubclass(op, DirectiveOp)
    and op.__module__ == module.__name__
    and op is not DirectiveOp
)
"""Every directive that these files declare, in their order."""

DIRECTIVE_NAMES = frozenset(op.name.removeprefix("schedule.") for op in DIRECTIVES)

Schedule = Dialect(
    "schedule",
    [ForOp, BlockOp, YieldOp, ScriptOp, *DIRECTIVES],
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

__all__ = [
    "DIRECTIVES",
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
