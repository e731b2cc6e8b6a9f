"""How far what was found may be from the best of a space: fronts of cycles and bytes, and shares as they are said."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True)
class FrontGap:
    """What is proven of fronts of cycles and bytes, as shares: 0.0 where nothing is better.

    `both`: each tiling of a layer takes as many cycles, and as many bytes, as one of its front, but for that share of
    these. `cycles` and `bytes`: how much more the ends of the fronts take, layers together, than the bounds leave.
    """

    both: float
    cycles: float
    bytes: float

    def statement(self, spent: str) -> str:
        """In a sentence; `spent` is after how much work."""
        if self.both == 0.0:
            return "front of this space in cycles and bytes"
        cycles, nbytes = (
            "the least" if gap == 0.0 else f"within {percent_up(gap):.1f} %" for gap in (self.cycles, self.bytes)
        )
        return (
            f"front within {percent_up(self.both):.1f} % of any tiling in this space in cycles and bytes at once, "
            f"its ends {cycles} in cycles and {nbytes} in bytes, after {spent}"
        )


def percent_up(gap: float) -> float:
    """A share in percent, to the next tenth: what is said of any tiling must hold."""
    return ceil(round(1000 * gap, 9)) / 10
