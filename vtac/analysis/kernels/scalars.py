"""Scalars of one body: what the statements in it are computed from."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, Operation

from vtac.analysis.kernels.warp_operations import ARRAYS


def scalars_behind(statements: Iterable[Operation], body: Block) -> list[Operation]:
    """The operations of `body` whose results the statements need, in order; declarations stay apart."""
    kept = list(statements)
    needed: set[Operation] = set()
    waiting = [operand for statement in kept for op in statement.walk() for operand in op.operands]
    while waiting:
        owner = waiting.pop().owner
        if not isinstance(owner, Operation) or owner.parent is not body or owner in needed:
            continue
        if owner not in kept and not isinstance(owner, (AllocOp, *ARRAYS)):
            needed.add(owner)
            waiting += owner.operands
    return [op for op in body.ops if op in needed]
