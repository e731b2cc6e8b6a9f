"""The edits that xDSL's rewriters lack: moving operations, dissolving and wrapping what holds them.

Every edit takes the `PatternRewriter` of the pattern that makes it, and tells it what changed;
a pass that applies a plan of its own has none to tell. What xDSL has is used as it is:
`rewriter.insert`, `rewriter.replace`, `rewriter.erase`, `Rewriter.insert_op`, `InsertPoint`.
A place that is nowhere (an op outside of any block) is a `ValueError` of `InsertPoint`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from xdsl.dialects.builtin import UNKNOWN_LOC
from xdsl.ir import Block, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.traits import IsTerminator

from vtac.dialects.schedule.payload import ForOp


def before_end(block: Block) -> InsertPoint:
    """The end of a block: before its terminator, if it has one."""
    last = block.last_op
    if last is not None and last.has_trait(IsTerminator, value_if_unregistered=False):
        return InsertPoint.before(last)
    return InsertPoint.at_end(block)


def insert_ops(
    ops: Operation | Sequence[Operation], point: InsertPoint, rewriter: PatternRewriter | None = None
) -> None:
    """Insert new ops at a point, in their order."""
    if rewriter is None:
        _put([ops] if isinstance(ops, Operation) else ops, point.block, point.insert_before)
    else:
        rewriter.insert(ops, point)


def _put(ops: Sequence[Operation], block: Block, following: Operation | None) -> None:
    """Put ops that stand nowhere into a block, before an op of it, or at its end."""
    if following is None:
        block.add_ops(ops)
    else:
        block.insert_ops_before(ops, following)


def before(op: Operation, rewriter: PatternRewriter) -> Callable[[Sequence[Operation]], None]:
    """What inserts new ops before one, in their order; those that come from nowhere else come from it."""
    point = InsertPoint.before(op)

    def insert(ops: Sequence[Operation]) -> None:
        for new in ops:
            if new.location == UNKNOWN_LOC:
                new.location = op.location
        rewriter.insert(ops, point)

    return insert


def replace_by(op: Operation, made: Sequence[Operation], rewriter: PatternRewriter) -> None:
    """Put new ops in place of one: the last has its results, their names, and all have its location."""
    for new in made:
        new.location = op.location
    for old, new in zip(op.results, made[-1].results, strict=True):
        new.name_hint = old.name_hint
    rewriter.insert(made[:-1], InsertPoint.before(op))
    rewriter.replace(op, made[-1])


def append(ops: Operation | Sequence[Operation], block: Block) -> None:
    """Put new ops at the end of a block, in their order; one that is being made has no terminator yet."""
    _put([ops] if isinstance(ops, Operation) else ops, block, None)


def move_ops(ops: Sequence[Operation], point: InsertPoint, rewriter: PatternRewriter | None = None) -> None:
    """Move ops from where they stand to a point, in their order; one that stands nowhere yet is put there.

    A point before one of the ops themselves is the point before the next op that stays.
    """
    following = point.insert_before
    while following is not None and following in ops:
        following = following.next_op
    for op in ops:
        if op.parent is not None:
            op.detach()
    _put(ops, point.block, following)
    if rewriter is not None:
        for op in ops:
            rewriter.notify_op_modified(op)


def move_op(op: Operation, point: InsertPoint, rewriter: PatternRewriter | None = None) -> None:
    """Move one op from where it stands to a point; one that stands nowhere yet is put there."""
    move_ops([op], point, rewriter)


def move_body(source: Block, point: InsertPoint, rewriter: PatternRewriter | None = None) -> None:
    """Move all ops of a block to a point outside of it; the block stays, empty."""
    move_ops(list(source.ops), point, rewriter)


def dissolve(op: Operation, values: Sequence[SSAValue] = (), rewriter: PatternRewriter | None = None) -> None:
    """Put what the one block of an op holds where the op stands, and drop the op.

    `values`, one per argument of the block, take the place of the arguments; without values
    the arguments must have no uses left. A terminator of the block goes with the op.
    """
    block, point = op.regions[0].block, InsertPoint.before(op)
    if values:
        for argument, value in zip(block.args, values, strict=True):
            replace_uses(argument, value, rewriter)
    last = block.last_op
    if last is not None and last.has_trait(IsTerminator, value_if_unregistered=False):
        erase(last, rewriter)
    move_body(block, point, rewriter)
    erase(op, rewriter)


def wrap(ops: Sequence[Operation], outer: Operation, rewriter: PatternRewriter | None = None) -> None:
    """Put a new op with one block where the first of some ops stands, and these at the end of its block."""
    insert_ops(outer, InsertPoint.before(ops[0]), rewriter)
    move_ops(ops, before_end(outer.regions[0].block), rewriter)


def nest_ops(ops: Sequence[Operation]) -> Operation:
    """Put each op, loops first, at the end of the body of the one before it; returns the outermost."""
    for outer, inner in reversed(list(pairwise(ops))):
        body = outer.regions[0].block
        if inner.parent is None and body.is_empty:
            body.add_op(inner)
        else:
            move_op(inner, before_end(body))
    return ops[0]


def replace_nest(old: Sequence[ForOp], new: Sequence[ForOp], rewriter: PatternRewriter | None = None) -> None:
    """Put one perfect nest of loops, outermost first, where another stands, with what its innermost loop held.

    A loop may be in both, at another depth. The uses of induction variables are the caller's
    to replace, before or after: a loop that is left out keeps its variable, and stands nowhere.
    """
    block, following = InsertPoint.before(old[0]).block, old[0].next_op
    held = list(old[-1].body.block.ops)
    for loop in old:
        if rewriter is not None and loop not in new:
            rewriter.handle_operation_removal(loop)
        loop.detach()
    move_ops(held, InsertPoint.at_end(new[-1].body.block), rewriter)
    nest_ops(new)
    insert_ops(new[0], InsertPoint(block, following), rewriter)


def replace_uses(old: SSAValue, new: SSAValue, rewriter: PatternRewriter | None = None) -> None:
    """Let every use of one value be a use of another."""
    if rewriter is None:
        old.replace_all_uses_with(new)
    else:
        rewriter.replace_all_uses_with(old, new)


def erase(op: Operation, rewriter: PatternRewriter | None = None) -> None:
    """Erase an op that nothing uses any more, with all it holds."""
    if rewriter is None:
        Rewriter.erase_op(op)
    else:
        rewriter.erase(op)


def discard(op: Operation, rewriter: PatternRewriter | None = None) -> None:
    """Erase an op with all it holds, users or not; it no longer counts as a user of anything."""
    if rewriter is None:
        Rewriter.erase_op(op, safe_erase=False)
    else:
        rewriter.erase(op, safe_erase=False)


def replace_block(old: Block, new: Block) -> None:
    """Put a new block where the one block of a region is, and discard that with all it holds.

    Raises `ValueError` for a block in no region.
    """
    region = old.parent_region()
    if region is None:
        raise ValueError("the block is in no region")
    region.detach_block(old)
    old.erase(safe_erase=False)
    region.add_block(new)


def take_from_nest(op: Operation, rewriter: PatternRewriter | None = None) -> None:
    """Take an op out of its place, if it has one, and discard the loops that held nothing else."""
    parent, emptied = op.parent_op(), None
    if op.parent is not None:
        op.detach()
    while isinstance(parent, ForOp) and _holds_only(parent.body.block, emptied):
        parent, emptied = parent.parent_op(), parent
    if emptied is not None:
        discard(emptied, rewriter)
    if rewriter is not None and parent is not None:
        rewriter.notify_op_modified(parent)


def _holds_only(block: Block, op: Operation | None) -> bool:
    """Whether a block holds one op, or none, and nothing else."""
    return block.first_op is op and block.last_op is op


def stand_for(new: Operation, old: Operation) -> None:
    """Give a new op what `replace` does not carry over: the location and the attributes of the old one."""
    new.location = old.location
    new.attributes = dict(old.attributes)
