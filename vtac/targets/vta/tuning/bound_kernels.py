"""Cycles of the compute unit for a contraction that no program of a tiling goes below."""

from __future__ import annotations

from functools import cached_property
from math import prod

import numpy as np

from vtac.targets.vta.schedules.contraction_cost import covered_outputs
from vtac.targets.vta.schedules.roof import Needed
from vtac.targets.vta.schedules.room import micro_op_counts
from vtac.targets.vta.schedules.tilings import Column
from vtac.targets.vta.tuning.bound_cut import Cut
from vtac.targets.vta.tuning.bound_starts import BUS, Starts

KERNEL_START = 7


class KernelBounds:
    """Columns of cycles of products, resets and micro-ops."""

    def __init__(self, cut: Cut) -> None:
        self.cut, self.tilings, self.contraction = cut, cut.tilings, cut.contraction
        self._starts = Starts(cut.config)

    @cached_property
    def outputs(self) -> Column:
        """Sums that are computed: all, but for those between the windows of two tiles that no window needs."""
        covered = covered_outputs(self.cut.layer, self.contraction, self.tilings)
        return np.minimum(prod(self.contraction.extents), covered) + np.zeros(len(self.tilings), np.int64)

    @cached_property
    def products(self) -> Column:
        """Products, and the starts of their kernels."""
        cut, contraction = self.cut, self.contraction
        dense = self.outputs * contraction.channels * cut.windows
        products = np.where(self.tilings.skip, Needed(contraction, cut.layer.extents).products, dense)
        return products + KERNEL_START * cut.tiles * cut.passes * cut.kernels

    @property
    def before_last_pass(self) -> Column:
        """What of the products may be over when the first tile of each thread has all that it reads.

        That is when its last kernel begins; of a pass with several kernels all may be over, and where padding is
        skipped it is not known how much there is.
        """
        cut, threads = self.cut, self.tilings.threads
        whole = cut.size * self.contraction.channels * cut.windows
        one_by_one = ~self.tilings.splits_window
        last = np.where(one_by_one, whole // cut.passes, 0)
        return threads * whole - last + KERNEL_START * cut.kernels * (threads * cut.passes - one_by_one)

    @property
    def later_resets(self) -> Column:
        """Resets of all tiles but the first of each thread, which may be over when the first loads are."""
        resets = np.maximum(0, self.outputs - self.tilings.threads * self.cut.size)
        return resets + KERNEL_START * np.maximum(0, self.cut.tiles - self.tilings.threads)

    @property
    def before_first(self) -> Column:
        """Micro-ops of the first reset of each thread, the resets, and the micro-ops of the first kernel."""
        start = self._starts.micro_ops
        resets = self.tilings.threads * (start + 1 + self.cut.size + KERNEL_START)
        return self._starts.first_micro_ops + resets + start + self._words

    @property
    def micro_ops(self) -> Column:
        """Loads of micro-ops of all kernels but the first."""
        return (self.kernel_loads - 1) * (self._starts.micro_ops + self._words)

    @property
    def kernel_loads(self) -> Column:
        """LOADs of micro-ops of products: one for each place of what kernels read and write.

        Inputs and weights go on by a place in each pass, accumulators in each tile. Each virtual thread has kernels and
        places of its own.
        """
        cut, tilings = self.cut, self.tilings
        uses = np.maximum(1, cut.full * cut.passes // tilings.threads)
        read = np.lcm(tilings.inp, tilings.wgt)
        places = np.maximum(np.minimum(read, uses), np.minimum(read, cut.passes) * cut.turns)
        places = np.where(tilings.streamed | np.bool_(not cut.plain), 1, places)
        return np.where(tilings.streamed, 1, cut.kernels) * places * tilings.threads

    @property
    def alu_micro_ops(self) -> Column:
        """Loads of micro-ops of the ALU's kernels, and of resets but each thread's first."""
        return (self.alu_loads - self.tilings.threads) * (self._starts.micro_ops + 1)

    @property
    def alu_loads(self) -> Column:
        """LOADs of micro-ops of the ALU's kernels and of resets: each place of accumulators has its own."""
        pieces, places = np.where(self.cut.ragged, 1, self.tilings.pieces), self.cut.turns * self.tilings.threads
        return (sum(stage.least_kernels for stage in self.cut.layer.stages) * pieces + 1) * places

    @cached_property
    def _words(self) -> Column:
        """Beats on the bus of the micro-ops of a kernel, of which one brings two."""
        counts = np.where(self.tilings.skip, 1, np.maximum(1, micro_op_counts(self.contraction, self.tilings)))
        return -(-counts * self.cut.config.uop_element_bytes // BUS)
