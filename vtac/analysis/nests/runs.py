"""Collapse loops that walk contiguously over every operand into longer runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vtac.analysis.expressions.linear import Linear
from vtac.dialects.schedule.payload import ForOp


@dataclass(frozen=True, slots=True)
class Run:
    """A loop, detached from the nest, with its stride in each operand's index (tiles)."""

    loop: ForOp
    strides: tuple[int, ...]

    @staticmethod
    def of(loop: ForOp, indices: Sequence[Linear]) -> Run:
        fresh = ForOp.get(loop.trip_count, loop.loop_name)
        return Run(fresh, tuple(index.coefficient(loop.induction_variable) for index in indices))

    def continues(self, inner: Run) -> bool:
        """This loop steps exactly over what the inner one covers, in every operand."""
        return all(
            outer == step * inner.loop.trip_count for outer, step in zip(self.strides, inner.strides, strict=True)
        )


def collapse(runs: Sequence[Run]) -> list[Run]:
    """Merge neighbouring loops, outermost first, wherever all strides continue."""
    merged: list[Run] = []
    for run in reversed(runs):
        if merged and run.continues(merged[0]):
            inner = merged.pop(0)
            extent = run.loop.trip_count * inner.loop.trip_count
            merged.insert(0, Run(ForOp.get(extent, run.loop.loop_name), inner.strides))
        else:
            merged.insert(0, run)
    return merged
