"""Closed forms of operations that a loop repeats: how often, and powers of 32 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.machine.fast_nest import Indices, Nest

_UNIT_ORDER = 1 << 30
"""Odd numbers to this power are 1 modulo 2**32."""


def visits_of(nest: Nest) -> Indices:
    """How often each accumulator tile is the dst, up to the highest one."""
    size = int(nest.touched_dst[-1]) + 1
    # A falling loop is counted upwards from where it ends.
    falling = sum((loop.extent - 1) * loop.dst for loop in nest.loops if loop.dst < 0)
    visits = np.bincount(nest.starts[:, 0] + falling, minlength=size)
    for loop in nest.loops:
        visits = _repeated(visits, loop.extent, abs(loop.dst))
    return visits


def _repeated(visits: Indices, extent: int, step: int) -> Indices:
    """The sum of `visits` moved by 0, step, ..., (extent - 1) * step; by doubling."""
    if not step:
        return visits * extent
    total, moved, doubled = np.zeros_like(visits), 0, visits
    for bit in range(extent.bit_length()):
        if extent >> bit & 1:
            total += _moved(doubled, moved * step)
            moved += 1 << bit
        doubled = doubled + _moved(doubled, step << bit)
    return total


def _moved(visits: Indices, by: int) -> Indices:
    return np.concatenate([np.zeros(min(by, len(visits)), np.int64), visits[: max(len(visits) - by, 0)]])


def power(base: NDArray[np.uint32], exponent: Indices) -> NDArray[np.uint32]:
    """base ** exponent mod 2**32: odd numbers return to 1 after 2**30, even ones are 0 from 32 on."""
    reduced = np.where(exponent < 32, exponent, 32 + (exponent - 32) % _UNIT_ORDER)
    return np.power(base, reduced.astype(np.uint32))
