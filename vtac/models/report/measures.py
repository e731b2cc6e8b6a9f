"""Differences between a float model and its integers, batch by batch, in memory that stays flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vtac.errors import ModelError
from vtac.models.layer import Array
from vtac.models.quantiser.scales import Scale


@dataclass
class Noise:
    """Sums of squares of a signal and of what differs from it."""

    signal: float = 0.0
    noise: float = 0.0

    def add(self, expected: Array, found: Array) -> None:
        wanted = expected.astype(np.float64)
        self.signal += float((wanted**2).sum())
        self.noise += float(((wanted - found) ** 2).sum())

    @property
    def decibels(self) -> float:
        """Signal over noise; infinite where nothing differs."""
        if not self.noise:
            return inf
        return 10 * log10(self.signal / self.noise) if self.signal else -inf


@dataclass
class StepMeasure:
    """What became of the value of a step: `alone` with its inputs as the float model has them, `whole` with all before.

    `low` and `high` are what the float model has there, `beyond` how many of `count` elements lie outside of eight
    bits, `reaches` the largest magnitude of each channel.
    """

    alone: Noise = field(default_factory=Noise)
    whole: Noise = field(default_factory=Noise)
    low: float = inf
    high: float = -inf
    beyond: int = 0
    count: int = 0
    reaches: Array = field(default_factory=lambda: np.zeros(0, np.float32))

    def see(self, value: Array, scale: Scale | None) -> None:
        """The float model's value."""
        self.low, self.high = min(self.low, float(value.min())), max(self.high, float(value.max()))
        self.count += value.size
        if scale is not None:
            least, most = (-128.5 - scale.zero) * scale.size, (127.5 - scale.zero) * scale.size
            self.beyond += int(((value < least) | (value > most)).sum())
        axes = tuple(axis for axis in range(value.ndim) if axis != 1)
        reaches: Array = np.abs(value).max(axis=axes)
        self.reaches = np.maximum(self.reaches, reaches) if self.reaches.size else reaches

    @property
    def clipped(self) -> float:
        return self.beyond / max(1, self.count)

    @property
    def bits_lost(self) -> float:
        """How many bits the median channel would gain by a scale of its own."""
        alive = self.reaches[self.reaches > 0]
        return float(np.median(np.log2(alive.max() / alive))) if alive.size else 0.0


@dataclass
class Agreement:
    """How often first choices are the same, and right."""

    same: int = 0
    count: int = 0
    right_float: int = 0
    right_int8: int = 0

    def add(self, expected: Array, found: Array, labels: NDArray[Any] | None) -> None:
        """The scores of some samples; choices are along the second dimension."""
        first, second = expected.argmax(1), found.argmax(1)
        self.same += int((first == second).sum())
        self.count += first.size
        if labels is not None:
            self.right_float += int((first == labels).sum())
            self.right_int8 += int((second == labels).sum())


def checked_labels(labels: NDArray[Any] | Sequence[int], scores: Sequence[int], count: int) -> NDArray[Any]:
    """Labels as an array: one for each choice that is made of `count` samples.

    Raises `ModelError` for another shape, and for numbers that are no integers.
    """
    found = np.asarray(labels)
    wanted = (count, *scores[2:])
    if found.shape != wanted or found.dtype.kind not in "iu":
        raise ModelError(f"labels are {found.shape} of {found.dtype}; integers of shape {wanted} are required")
    return found
