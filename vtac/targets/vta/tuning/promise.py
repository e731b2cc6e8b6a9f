"""What rehearsals say of the tilings of a space that promise most."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.outline import outline_of
from vtac.targets.vta.schedules.rehearsal import rehearse
from vtac.targets.vta.tuning.space import Space

MOST = 400
"""Tilings that are rehearsed for their estimates, and as many for their bounds: some two seconds for a layer."""
_FOR_ONE = 4
"""How many of each are rehearsed for one that may be tried."""


def with_rehearsals(layer: Layer, space: Space, config: VTAConfig, tried: int | None = None) -> Space:
    """A space in which the best by estimates, and by bounds, have the cycles and bytes of a rehearsal.

    `tried` is how many tilings a search will try at most; fewer are rehearsed where it is small.
    """
    count = MOST if tried is None else min(MOST, _FOR_ONE * tried)
    chosen = {int(place) for column in (space.cycles, space.least_cycles) for place in _first(column, count)}
    cycles, nbytes = space.cycles.copy(), space.nbytes.copy()
    for place in sorted(chosen):
        outline = outline_of(layer, space.member(place).tiling, config)
        cycles[place] = max(rehearse(outline, config), int(space.least_cycles[place]))
        nbytes[place] = max(outline.nbytes(config), int(space.least_bytes[place]))
    return replace(space, cycles=cycles, nbytes=nbytes)


def _first(column: np.ndarray[tuple[int], np.dtype[np.int64]], count: int) -> list[int]:
    return np.argsort(column, kind="stable")[:count].tolist()
