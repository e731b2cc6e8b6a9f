"""Schedules of rows: a block of threads reduces a row together, and computes what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from vtac.analysis.nests.nest import shape_of, strides_of
from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.schedule.payload import BlockOp
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.cuda.schedules.product_matrices import payload_block
from vtac.targets.cuda.schedules.threads import THREADS, fuse_loops, in_memory_order, tail_of

_MOST_THREADS = 1024
_PARTS = 16
"""Sums that one thread adds up at the end; those of all threads are first added up to so many."""


def threads_of_a_row(last: BlockOp, columns: Sequence[int], reductions: Sequence[BlockOp]) -> int:
    """Threads of a block that share a row; 0 where each thread better takes a row of its own.

    Rows must be long, reduced from a constant, and lie in memory so that neighbours within a row are neighbours there.
    """
    lengths = {
        prod(one.extent for one in block.variables if one.reduction) for block in reductions if block.has_reduction
    }
    if columns:
        lengths.add(prod(last.variables[variable].extent for variable in columns))
    fit = all(block.has_reduction and block.init is not None and _walks_rows(block) for block in reductions)
    if not fit or len(lengths) != 1 or not any(not one.reduction for one in reductions[0].variables):
        return 0
    (length,) = lengths
    return next((found for most in (THREADS, _MOST_THREADS) if (found := _divisor(length, most)) >= WARP_SIZE), 0)


def _walks_rows(block: BlockOp) -> bool:
    """Whether neighbours in the largest operand of a reduction are added up."""
    sizes = [prod(shape_of(buffer)) for buffer in block.inputs]
    if not sizes:
        return False
    position = sizes.index(max(sizes))
    indices, strides = block.accesses.data[position].indices, strides_of(block.inputs[position])
    count = len(block.variables)
    origin = indices.eval([0] * count, [])

    def step(variable: int) -> int:
        moved = indices.eval([int(v == variable) for v in range(count)], [])
        return sum((new - old) * stride for new, old, stride in zip(moved, origin, strides, strict=True))

    return any(one.reduction and one.extent > 1 and step(v) == 1 for v, one in enumerate(block.variables))


def _divisor(size: int, most: int) -> int:
    """The largest divisor of a size that is at most `most`."""
    return next(part for part in range(min(size, most), 0, -1) if size % part == 0)


class RowScheduler:
    """Schedules a row per block: each thread reduces every `threads`-th element, and parts of parts are reduced last.

    `last` writes the result, `columns` are its variables within a row, `reductions` in program order lead to it.
    """

    def __init__(
        self, script: Schedule, last: BlockRef, columns: Sequence[int], reductions: Sequence[BlockRef], threads: int
    ) -> None:
        self.script = script
        self.last = last
        self.columns = columns
        self.reductions = reductions
        self.threads = threads

    def schedule(self) -> None:
        """Record the directives."""
        stages = [self._take_apart(block) for block in self.reductions]
        row = self._bind_last()
        for block, parts in reversed(list(zip(self.reductions, stages, strict=True))):
            self.script.set_scope(block, 0, "local")  # all threads add up the last few parts, each for itself
            self.script.compute_at(block, row)
            for copy, sums in reversed(parts):
                self.script.compute_at(sums, self._share(copy, row))

    def _take_apart(self, block: BlockRef) -> list[tuple[BlockRef, BlockRef]]:
        """Reduce by threads, then what they have by fewer.

        Of each stage the block that writes shared memory, and the one before that sums up in registers.
        """
        script = self.script
        whole = fuse_loops(script, self._reducing_loops(block))
        _, thread = script.split(whole, factor=self.threads)
        blocks = [script.rfactor(block, thread)]
        fewer = _divisor(self.threads, _PARTS)
        if 1 < fewer < self.threads:
            _, part = script.split(self._reducing_loops(block)[0], factor=fewer)
            blocks.append(script.rfactor(block, part))
        return [(script.cache_write(one, 0, "local"), one) for one in blocks]

    def _reducing_loops(self, block: BlockRef) -> list[LoopRef]:
        variables = payload_block(self.script, block).variables
        return [loop for loop, one in zip(self.script.get_loops(block), variables, strict=True) if one.reduction]

    def _bind_last(self) -> LoopRef:
        """Rows to blocks, elements of a row to threads; the loop over rows."""
        script, loops = self.script, self.script.get_loops(self.last)
        order = in_memory_order(payload_block(script, self.last))
        rows = [loops[variable] for variable in order if variable not in self.columns]
        columns = [loops[variable] for variable in order if variable in self.columns]
        if list(loops) != [*rows, *columns]:
            script.reorder(*rows, *columns)
        inner = fuse_loops(script, columns) if columns else None
        row = fuse_loops(script, rows)
        if inner is None:
            row, inner = script.split(row, factor=1)
        script.bind(row, "blockIdx.x")
        self._bind_thread(inner)
        return row

    def _bind_thread(self, loop: LoopRef) -> LoopRef:
        """Give a loop's iterations to the threads of a block; those beyond do nothing."""
        _, thread = self.script.split(loop, factor=self.threads, tail=tail_of(loop.extent, self.threads))
        self.script.bind(thread, "threadIdx.x")
        return thread

    def _share(self, copy: BlockRef, row: LoopRef) -> LoopRef:
        """Compute what a stage leaves within a row, in shared memory, its elements by threads; that loop."""
        self.script.set_scope(copy, 0, "shared")
        self.script.compute_at(copy, row)
        return self._bind_thread(self.script.get_loops(copy)[-1])
