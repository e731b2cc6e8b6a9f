"""Cycles for which the compute unit must wait for stores: behind its last kernel, and before it may reset a tile."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from vtac.targets.vta.schedules.tilings import Column, Mask, piece_tiles, product_of, tiles_in
from vtac.targets.vta.tuning.bound_cut import Cut
from vtac.targets.vta.tuning.bound_kernels import KERNEL_START, KernelBounds
from vtac.targets.vta.tuning.bound_loads import last_piece, store_cycles
from vtac.targets.vta.tuning.bound_starts import BUS


class EndBounds:
    """Columns of cycles that stores take beyond what the compute unit does beside them.

    Of tiles that are finished together, those of all virtual threads, the first piece is stored when the ALU has done
    it, and all others one after the other; meanwhile the ALU does the others. Where these take longer to store, the
    store unit is behind when the ALU is done.
    """

    def __init__(self, cut: Cut, kernels: KernelBounds) -> None:
        self.cut, self.kernels, self.tilings = cut, kernels, cut.tilings

    @property
    def last(self) -> Column:
        """What is stored behind the last kernel."""
        behind = self._store + self._lag
        single = self._groups <= self.cut.turns
        micro_ops = np.where(single, self.kernels.alu_micro_ops, 0)
        return np.where(self._is_known, np.maximum(self._last, behind - micro_ops), self._last)

    @property
    def between(self) -> Column:
        """With one copy of the accumulators, a tile is reset when the last piece of the one before is stored.

        Of virtual threads the first one's is stored before the last piece of all.
        """
        layer = self.cut.layer
        spaces = [space for space in layer.accumulators if space.stored and space.stage is not None]
        is_stored = any(layer.stages[space.stage or 0].kind == "contraction" for space in spaces)
        single = (self.tilings.acc == 1) & self._is_known & np.bool_(is_stored)
        times = self._groups - 1
        alone = np.where(self.tilings.threads == 1, times * (1 + self._last), 0)
        behind = np.maximum(0, times * self._lag - self.kernels.alu_micro_ops)
        return np.where(single, alone + behind, 0)

    @cached_property
    def _lag(self) -> Column:
        """How much longer all pieces but one are stored than the ALU takes for as many."""
        return np.maximum(0, (self.tilings.pieces * self.tilings.threads - 1) * (self._store - self._work))

    @property
    def _is_known(self) -> Mask:
        return ~self.cut.ragged & np.bool_(self.cut.plain)

    @property
    def _groups(self) -> Column:
        return self.cut.tiles // self.tilings.threads

    @cached_property
    def _last(self) -> Column:
        return store_cycles(last_piece(self.cut.layer, self.tilings), self.cut.config)

    @cached_property
    def _store(self) -> Column:
        """Cycles in which one piece is stored."""
        return store_cycles(product_of(piece_tiles(self.cut.layer, self.tilings)), self.cut.config)

    @cached_property
    def _work(self) -> Column:
        """Cycles of the ALU for one piece, and of the loads of what it reads, as far as bounds count them."""
        layer, piece = self.cut.layer, piece_tiles(self.cut.layer, self.tilings)
        cycles = np.zeros(len(self.tilings), np.int64)
        loaded = sum(tiles_in(operand.region, piece) for operand in layer.operands)
        for stage in layer.stages:
            size = tiles_in(stage.region, piece)
            loaded = loaded + (size if stage.kind == "load" else 0)
            cycles = cycles + stage.least_alu * size + KERNEL_START * stage.least_kernels
        return cycles - (-loaded * self.cut.config.acc_element_bytes // BUS)
