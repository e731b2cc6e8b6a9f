"""Where the elements of a value lie, in memory that does not grow with their number."""

from __future__ import annotations

from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from vtac.models.layer import Array

_BINS = 4096


class Histogram:
    """Counts of elements between -reach and reach, a power of two that doubles when an element lies beyond."""

    def __init__(self) -> None:
        self.counts: NDArray[np.int64] = np.zeros(_BINS, np.int64)
        self.reach = 0.0

    @property
    def centres(self) -> NDArray[np.float64]:
        """The middle of each bin."""
        places = np.arange(_BINS).astype(np.float64) + 0.5
        return places * (2 * self.reach / _BINS) - self.reach

    def add(self, value: Array) -> None:
        """Count the elements of a value, which are finite."""
        largest = float(np.abs(value).max())
        if largest and not self.reach:
            self.counts[_BINS // 2] = self.counts.sum()
            self.reach = 2.0 ** ceil(log2(largest))
        while largest > self.reach:
            self._widen()
        if not self.reach:
            self.counts[_BINS // 2] += value.size
            return
        places = ((value.ravel().astype(np.float64) + self.reach) * (_BINS / (2 * self.reach))).astype(np.int64)
        self.counts += np.bincount(np.minimum(places, _BINS - 1), minlength=_BINS)

    def error(self, scale: float, zero: int = 0) -> float:
        """The sum of squares by which elements differ from their nearest multiple of `scale` in eight bits."""
        nearest = np.clip(np.floor(self.centres / scale + 0.5), -128 - zero, 127 - zero) * scale
        return float((self.counts * (self.centres - nearest) ** 2).sum())

    def _widen(self) -> None:
        """Twice the reach: two bins become one, in the middle half."""
        wide = np.zeros(_BINS, np.int64)
        wide[_BINS // 4 : 3 * _BINS // 4] = self.counts.reshape(-1, 2).sum(1)
        self.counts, self.reach = wide, 2 * self.reach
