"""Copies of a loop, each with buffers of its own.

What only the loop uses lives within its iterations, so copies need not share it; and apart,
each copy's buffers can be as small as its own iterations need.
"""

from __future__ import annotations

from xdsl.dialects.memref import AllocOp
from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.walks import operations_under
from vtac.analysis.nests.nest import blocks_under, enclosing_loops
from vtac.dialects.schedule.payload import ForOp
from vtac.errors import CompileError
from vtac.limits import OPERATIONS, shown
from vtac.rewriting.copies import copy_of
from vtac.rewriting.edits import insert_ops


def multiply(loop: ForOp, count: int, rewriter: PatternRewriter | None = None) -> list[ForOp]:
    """A loop and copies of it behind it, `count` in all, each with buffers of its own."""
    owned = _owned_allocations(loop) if count > 1 else []
    copies = [_copy(loop, owned, rewriter) for _ in range(count - 1)]
    insert_ops(copies, InsertPoint.after(loop), rewriter)
    return [loop, *copies]


def refuse_many_copies(loop: ForOp, count: int) -> None:
    """Raises `CompileError` where as many copies of a loop are more operations than one rewrite may write out."""
    found = OPERATIONS.refusal(count * len(operations_under(loop)))
    if found:
        raise CompileError(
            f"writing out {shown(count)} iterations of loop '{loop.loop_name}' makes {found}: split the loop first, "
            "and write out the inner one",
            location_of(loop),
        )


def copy_apart(loop: ForOp) -> ForOp:
    """A detached copy of a loop with buffers of its own."""
    return _copy(loop, _owned_allocations(loop), None)


def _copy(loop: ForOp, renewed: list[AllocOp], rewriter: PatternRewriter | None) -> ForOp:
    """A detached copy of a loop that has fresh buffers instead of the given ones."""
    mapping: dict[SSAValue, SSAValue] = {}
    for allocation in renewed:
        fresh = allocation.clone(mapping)
        fresh.memref.name_hint = allocation.memref.name_hint
        insert_ops(fresh, InsertPoint.after(allocation), rewriter)
    copy = copy_of(loop, mapping)
    copy.rename(loop.loop_name)
    return copy


def _owned_allocations(loop: ForOp) -> list[AllocOp]:
    """Allocations outside the loop that only blocks inside it use, in a fixed order."""
    buffers = dict.fromkeys(value for block in blocks_under(loop) for value in block.buffers)
    return [
        buffer.owner
        for buffer in buffers
        if isinstance(buffer.owner, AllocOp)
        and loop not in enclosing_loops(buffer.owner)
        and all(loop in enclosing_loops(use.operation) for use in buffer.uses)
    ]
