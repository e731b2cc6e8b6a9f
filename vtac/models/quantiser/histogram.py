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
        self.low = np.inf
        self.high = -np.inf

    @property
    def is_never_negative(self) -> bool:
        return self.low >= 0

    @property
    def centres(self) -> NDArray[np.float64]:
        """The middle of each bin."""
        places = np.arange(_BINS).astype(np.float64) + 0.5
        return places * (2 * self.reach / _BINS) - self.reach

    def add(self, value: Array) -> None:
        """Count the elements of a value, which are finite."""
        low, high = float(value.min()), float(value.max())
        self.low, self.high = min(self.low, low), max(self.high, high)
        largest = max(-low, high)
        if largest and not self.reach:
            self.counts[_BINS // 2] = self.counts.sum()
            self.reach = 2.0 ** ceil(log2(largest))
        while largest > self.reach:
            self._widen()
        if not self.reach:
            self.counts[_BINS // 2] += value.size
            return
        places = np.floor(value.ravel() * np.float32(_BINS / (2 * self.reach))).astype(np.int32) + _BINS // 2
        self.counts += np.bincount(np.minimum(places, _BINS - 1), minlength=_BINS)

    @property
    def energy(self) -> float:
        """The sum of squares."""
        return float((self.counts * self.centres**2).sum())

    def extent(self, share: float = 0.0) -> float:
        """The largest magnitude but for a share of the elements, to a bin."""
        if not share or not self.reach:
            return max(-self.low, self.high) if self.reach else 0.0
        half = _BINS // 2
        magnitudes: NDArray[np.int64] = self.counts[half:] + self.counts[:half][::-1]
        within = int((np.cumsum(magnitudes) < (1 - share) * float(magnitudes.sum())).sum())
        return min(max(-self.low, self.high), (within + 1) * self.reach / half)

    def clipped(self, scale: float, zero: int = 0) -> float:
        """The share of elements, to a bin, that lie beyond eight bits."""
        low, high = (-128.5 - zero) * scale, (127.5 - zero) * scale
        beyond = (self.centres < low) | (self.centres > high)
        return float(self.counts[beyond].sum() / max(1, self.counts.sum()))

    def error(self, scale: float, zero: int = 0) -> float:
        """The sum of squares by which elements differ from their nearest multiple of `scale` in eight bits."""
        nearest = np.clip(np.floor(self.centres / scale + 0.5), -128 - zero, 127 - zero) * scale
        return float((self.counts * (self.centres - nearest) ** 2).sum())

    def _widen(self) -> None:
        """Twice the reach: two bins become one, in the middle half."""
        wide = np.zeros(_BINS, np.int64)
        wide[_BINS // 4 : 3 * _BINS // 4] = self.counts.reshape(-1, 2).sum(1)
        self.counts, self.reach = wide, 2 * self.reach
