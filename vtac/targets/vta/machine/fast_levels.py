"""Which tile operations of an ALU instruction run side by side.

They run one after the other, so an array operation may stand for many of them only if none reads
what an earlier one writes. Those that do are put off to a later level:

    acc[9] = max(acc[9], acc[0])      level 0
    acc[9] = max(acc[9], acc[1])      level 1: reads 9, written at level 0
    acc[8] = max(acc[8], acc[1])      level 0
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vtac.targets.vta.machine.fast_nest import Indices, Nest

MAX_LISTED_REPETITIONS = 1 << 12
"""How many operations of a loop that repeats them are listed."""
MIN_LEVEL_SIZE = 4
"""Operations that a level has on average where levels are faster than one operation after the other."""
_MAX_CACHED = 1 << 14


def _is_parallel(dst: Indices, src: Indices) -> bool:
    """Whether no operation reads or writes a tile that an earlier one writes."""
    if len(np.unique(dst)) < len(dst):
        return False
    written_at = np.full(int(max(dst.max(), src.max())) + 1, len(dst))
    written_at[dst] = np.arange(len(dst))
    return bool((written_at[src] >= np.arange(len(src))).all())


def _occurrences(dst: Indices) -> Indices:
    """For each entry, how many equal entries stand before it."""
    order = np.argsort(dst, kind="stable")
    ordered = dst[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    places = np.arange(len(dst))
    counts = np.empty_like(dst)
    counts[order] = places - np.maximum.accumulate(np.where(first, places, 0))
    return counts


def _levels(dst: Indices, src: Indices) -> Indices:
    """The level of each operation: above those that wrote what it reads, not below those that read what it writes."""
    size = int(max(dst.max(), src.max())) + 1
    after_write: list[int] = [0] * size
    last_read: list[int] = [0] * size
    levels: list[int] = []
    pairs: list[list[int]] = np.stack([dst, src], axis=1).tolist()
    for target, source in pairs:
        level = max(after_write[target], after_write[source], last_read[target])
        after_write[target] = level + 1
        last_read[source] = max(last_read[source], level)
        levels.append(level)
    return np.array(levels)


Levels = list[tuple[Indices, Indices]]


def parallel_levels(nest: Nest) -> Levels | None:
    """The operations as (dst, src) of each level; one level when they are parallel.

    None when so few operations are in a level that one after the other is as fast. Short lists are cached.
    """
    return _cached_levels(nest) if nest.operations <= _MAX_CACHED else _found_levels(nest)


def _found_levels(nest: Nest) -> Levels | None:
    dst, src = nest.indices(0), nest.indices(1)
    if _is_parallel(dst, src):
        return [(dst, src)]
    levels = _levels(dst, src) if np.isin(src, dst).any() else _occurrences(dst)
    if len(dst) > MAX_LISTED_REPETITIONS and len(dst) < MIN_LEVEL_SIZE * (int(levels.max()) + 1):
        return None
    order = np.argsort(levels, kind="stable")
    bounds = np.flatnonzero(np.diff(levels[order])) + 1
    return [(dst[chosen], src[chosen]) for chosen in np.split(order, bounds)]


_cached_levels = lru_cache(maxsize=512)(_found_levels)
