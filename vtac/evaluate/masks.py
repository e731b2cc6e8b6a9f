"""Which points of a box take part, as numpy broadcasts it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtac.evaluate.numbers import Mask


def as_mask(verdict: bool | Mask) -> Mask | None:
    """A guard's verdict; None when it holds everywhere."""
    return None if np.all(verdict) else np.asarray(verdict)


def any_along(mask: Mask | None, axes: Sequence[int]) -> Mask | None:
    """Where some point along axes takes part; None where that is so everywhere."""
    if mask is None or not axes or mask.ndim == 0:
        return mask
    found: Mask = np.any(mask, axis=tuple(axes), keepdims=True)
    return None if found.all() else found


def spread_mask(verdict: bool | Mask, rank: int) -> Mask:
    """A guard's verdict with as many dimensions as a box."""
    mask = np.asarray(verdict)
    return mask.reshape(mask.shape or (1,) * rank)
