"""Whether what a scalar body yields never falls where one of its arguments rises.

Sums of what does not fall do not fall where they do not wrap; so do not maxima, minima and shifts.
"""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects import arith
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from vtac.analysis.values.integer_ranges import Range, type_range, unwrapped_range, width_of

_RISING = (arith.AddiOp, arith.MaxSIOp, arith.MinSIOp, arith.ExtSIOp, arith.TruncIOp)
_SHIFTS = (arith.ShRSIOp, arith.ShLIOp)


def is_rising(body: Block, argument: BlockArgument, ranges: Mapping[SSAValue, Range]) -> bool:
    """Whether a body rises with an argument, or stays, whatever the others are; `ranges` are those of its scalars.

    It must depend on the argument.
    """
    moved: set[SSAValue] = {argument}
    for op in body.ops:
        if not any(value in moved for value in op.operands):
            continue
        if isinstance(op, YieldOp):
            return True
        if not _keeps_order(op, moved, ranges):
            return False
        moved.update(op.results)
    return False


def _keeps_order(op: Operation, moved: set[SSAValue], ranges: Mapping[SSAValue, Range]) -> bool:
    if isinstance(op, _SHIFTS):
        if op.rhs in moved or not (ranges[op.rhs][0] >= 0 and ranges[op.rhs][1] < (width_of(op.result.type) or 0)):
            return False
    elif not isinstance(op, _RISING):
        return False
    low, high = unwrapped_range(op, [ranges[value] for value in op.operands])
    whole = type_range(width_of(op.results[0].type) or 0)
    return whole[0] <= low and high <= whole[1]
