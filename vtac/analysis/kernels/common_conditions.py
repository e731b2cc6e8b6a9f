"""Conditions in a loop's body that all threads of a block agree on."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import scf
from xdsl.ir import Operation, SSAValue
from xdsl.traits import is_side_effect_free

from vtac.dialects.schedule.payload import ForOp


def condition_of_uses(loop: ForOp, uses: Sequence[Operation]) -> SSAValue | None:
    """The condition under which all that some statements of a loop do is done; None where there is no such one.

    Threads of a block agree on it: it follows from loops over blocks, and from loops that are not bound.
    """
    doing = [op for op in uses if op.regions or not is_side_effect_free(op)]
    if len(doing) != 1 or not isinstance(doing[0], scf.IfOp):
        return None
    choice = doing[0]
    has_other = any(not isinstance(op, scf.YieldOp) for block in choice.false_region.blocks for op in block.ops)
    return None if has_other or choice.results or not _is_common(choice.cond, loop) else choice.cond


def _is_common(value: SSAValue, loop: ForOp) -> bool:
    """Whether a value is computed from constants, and from loops around that no threads are bound to."""
    waiting, seen = [value], {value}
    while waiting:
        owner = waiting.pop().owner
        if not isinstance(owner, Operation):
            around = owner.parent_op()
            if not isinstance(around, ForOp) or around.loop_kind.is_thread:
                return False
            continue
        if owner.regions or not is_side_effect_free(owner):
            return False
        waiting += [one for one in owner.operands if one not in seen]
        seen.update(owner.operands)
    return True
