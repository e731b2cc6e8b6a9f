"""How often loops of constant bounds run."""

from __future__ import annotations

from xdsl.dialects import scf

from vtac.analysis.expressions.numbers import number_of
from vtac.dialects.frontend_scf import UNSIGNED


def constant_trips(loop: scf.ForOp) -> int:
    """Iterations of a loop of constant bounds; 1 for any other."""
    bounds = bounds_of(loop)
    return 1 if bounds is None else trips_of(bounds)


def trips_of(bounds: range) -> int:
    """Iterations of a loop of a positive step, of which there may be more than `len` counts."""
    return max(0, -((bounds.start - bounds.stop) // bounds.step))


def bounds_of(loop: scf.ForOp) -> range | None:
    """The indices of a loop of constant bounds; of one that compares unsigned numbers, where none is negative."""
    first, end, step = (number_of(value) for value in (loop.lb, loop.ub, loop.step))
    if first is None or end is None or step is None or step < 1:
        return None
    if UNSIGNED in loop.properties and min(first, end) < 0:
        return None
    return range(first, end, step)
