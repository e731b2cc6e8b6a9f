"""How often loops of constant bounds run."""

from __future__ import annotations

from xdsl.dialects import scf
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import SSAValue


def constant_trips(loop: scf.ForOp) -> int:
    """Iterations of a loop of constant bounds; 1 for any other."""
    bounds = bounds_of(loop)
    return 1 if bounds is None else len(bounds)


def bounds_of(loop: scf.ForOp) -> range | None:
    """The indices of a loop of constant bounds."""
    first, end, step = (_constant(value) for value in (loop.lb, loop.ub, loop.step))
    if first is None or end is None or step is None or step < 1:
        return None
    return range(first, end, step)


def _constant(value: SSAValue) -> int | None:
    owner = value.owner
    return owner.value.value.data if isinstance(owner, ConstantOp) and isinstance(owner.value, IntegerAttr) else None
