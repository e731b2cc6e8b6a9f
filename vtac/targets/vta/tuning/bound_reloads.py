"""How often inputs and weights are loaded at least, as copies of their buffers are used in turn.

    copies 2, 4 passes    step   0  1  2  3 | 0  1  2  3 |      every chunk is loaded for every tile
                          place  0  1  0  1 | 0  1  0  1 |
    copies 4              place  0  1  2  3 | 0  1  2  3 |      what the tile before has left is not loaded again

A place holds what was used as many steps before as there are copies. What is used is there only if that is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from vtac.targets.vta.schedules.tiling import tile_loops
from vtac.targets.vta.schedules.tilings import Column, Mask, counts_of, product_of
from vtac.targets.vta.tuning.bound_cut import Cut


class Reloads:
    """Columns of numbers of chunks; a chunk is what one pass over channels of one tile reads."""

    def __init__(self, cut: Cut) -> None:
        self.cut, self.tilings, self.contraction = cut, cut.tilings, cut.contraction
        self._counts = counts_of(cut.layer, cut.tilings.tile)
        self._runs: dict[tuple[bool, ...], Column] = {}

    @property
    def weights(self) -> Column:
        return self._loads(self.contraction.by_weight, self.tilings.wgt, self._counts)

    @property
    def inputs(self) -> Column:
        found = self._loads(self.contraction.selecting, self.tilings.inp, self._groups)
        is_shared = np.logical_or.reduce([few < count for few, count in zip(self._groups, self._counts, strict=True)])
        once = self.cut.passes * _product(self._groups, self.contraction.selecting)
        return np.where(is_shared, once, found)

    @cached_property
    def _groups(self) -> list[Column]:
        """Along each dimension, how many inputs tiles select: single results that share theirs count once."""
        sides = zip(self._counts, self.tilings.tile, self.contraction.shares, strict=True)
        return [np.where(size == 1, -(-count // share), count) for count, size, share in sides]

    def _loads(self, selects: Sequence[bool], copies: Column, counts: Sequence[Column]) -> Column:
        """Loads of chunks that tiles select along some dimensions, in so many copies.

        Tiles of one run, one after the other, select the same. Of fewer copies than passes only a rotation makes use:
        each tile but the first of a run finds as many chunks. With more, each of the first few tiles of a run fills
        copies of its own.
        """
        cut, passes = self.cut, self.cut.passes
        threads = self.tilings.threads
        tiles, run = cut.tiles // threads, self._run(selects)
        runs = tiles // run
        once = passes * _product(counts, selects)
        few = tiles * passes - np.where(self._rotates(copies), (tiles - runs) * copies, 0)
        rounds, rest = copies // passes, copies % passes
        many = np.where(rest == 0, runs * passes * np.minimum(rounds, run), tiles * passes)
        is_known = (copies < passes) | ((rounds <= run) & (~self._is_rotated | (copies == passes)))
        found = threads * np.where(copies < passes, few, many)
        return np.where(is_known & self.even & ~self.tilings.streamed, np.maximum(found, once), once)

    @cached_property
    def even(self) -> Mask:
        """Whether all chunks are of one size: no tile, and no pass over channels, is smaller at the end."""
        return ~self.cut.ragged & (self.contraction.channels % self.tilings.channels == 0)

    def _rotates(self, copies: Column) -> Mask:
        """Whether tiles begin with what these copies hold from the one before."""
        return self._is_rotated & (self._kept == copies)

    @cached_property
    def _kept(self) -> Column:
        return np.where(self._inner_selects, self.tilings.inp, self.tilings.wgt)

    @cached_property
    def _is_rotated(self) -> Mask:
        return (self.tilings.threads == 1) & (self._kept > 1) & (self._kept < self.cut.passes)

    @cached_property
    def _inner_selects(self) -> Mask:
        """Whether the innermost loop over several tiles selects weights."""
        found, is_open = np.zeros(len(self.tilings), np.bool_), np.ones(len(self.tilings), np.bool_)
        for rows, order in self._orders:
            for number in reversed(order):
                here = rows & is_open & (self._counts[number] > 1)
                found |= here & np.bool_(self.contraction.by_weight[number])
                is_open &= ~here
        return found

    def _run(self, selects: Sequence[bool]) -> Column:
        """Tiles of one virtual thread, one after the other, that select the same."""
        found, is_open = np.ones(len(self.tilings), np.int64), np.ones(len(self.tilings), np.bool_)
        inner = np.ones(len(self.tilings), np.bool_)
        for rows, order in self._orders:
            for number in reversed(order):
                several = rows & (self._counts[number] > 1)
                count = np.where(several & inner, self._counts[number] // self.tilings.threads, self._counts[number])
                inner &= ~several
                if selects[number]:
                    is_open &= ~(rows & (count > 1))
                else:
                    found = np.where(rows & is_open, found * count, found)
        return found

    @cached_property
    def _orders(self) -> list[tuple[Mask, list[int]]]:
        """The orders of the loops over tiles, and which tilings have each."""
        tilings = self.tilings
        found: list[tuple[Mask, list[int]]] = []
        kinds = np.unique(np.stack([tilings.weights_inside, tilings.outside]), axis=1).T
        for inside, outside in kinds.tolist():
            rows = (tilings.weights_inside == inside) & (tilings.outside == outside)
            first = int(np.flatnonzero(rows)[0])
            (tiling,) = tilings.rows(np.array([first])).listed()
            found.append((rows, tile_loops(self.cut.layer, tiling)))
        return found


def _product(counts: Sequence[Column], chosen: Sequence[bool]) -> Column | int:
    return product_of(count for count, is_chosen in zip(counts, chosen, strict=True) if is_chosen)
