"""Padding of a transfer: how much lies before, in and after the buffer, for each outer iteration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vtac.analysis.expressions.linear import Extents, Linear
from vtac.analysis.vta.transfers import Dimension, Padding
from vtac.dialects.vta.memory import Amount
from vtac.rewriting.index_values import HostValues

MAX_PAD = 15
"""The pad fields of a LOAD have 4 bits."""


@dataclass(frozen=True, slots=True)
class PaddedRange:
    """One dimension: `before` pads, `size` that exist, `after` pads, together `extent`."""

    extent: int
    padding: Padding | None
    before: Amount
    size: Amount
    after: Amount
    before_expression: Linear | None

    def always_loadable(self, extents: Extents) -> bool:
        """At least one index exists and the pads fit their fields, in every iteration."""
        if self.padding is None:
            return True
        low, high = self.padding.start.bounds(extents)
        return (
            min(_overlap(start, self.extent, self.padding.limit) for start in (low, high)) >= 1
            and -low <= MAX_PAD
            and high + self.extent - self.padding.limit <= MAX_PAD
        )


def _overlap(start: int, extent: int, limit: int) -> int:
    return min(start + extent, limit) - max(start, 0)


def padded_range(values: HostValues, dimension: Dimension) -> PaddedRange:
    """Pads and size of a dimension as host values."""
    extent, padding = dimension.extent, dimension.padding
    if padding is None:
        return PaddedRange(extent, None, 0, extent, 0, Linear(0))
    before, before_expression = values.clamp_below(padding.start * -1)
    after, after_expression = values.clamp_below(padding.start + (extent - padding.limit))
    if before_expression is not None and after_expression is not None:
        size = values.value(Linear(extent) - before_expression - after_expression)
    else:
        size = values.subtract(values.subtract(extent, before), after)
    return PaddedRange(extent, padding, before, size, after, before_expression)


@dataclass(frozen=True, slots=True)
class Padded:
    """Both dimensions of a transfer, and single indices around it that may not exist."""

    x: PaddedRange
    y: PaddedRange
    around: Sequence[Padding]

    def always_loadable(self, extents: Extents) -> bool:
        """One LOAD does it in every iteration of the outer loops."""
        for padding in self.around:
            low, high = padding.start.bounds(extents)
            if low < 0 or high >= padding.limit:
                return False
        return self.x.always_loadable(extents) and self.y.always_loadable(extents)
