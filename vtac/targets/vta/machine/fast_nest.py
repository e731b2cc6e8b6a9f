"""The affine structure of a GEMM or ALU instruction: loops over the two hardware loops and the micro-ops.

A kernel's micro-ops are a list of (dst, src, wgt), but nearly always one that loops wrote:

    (0,0,0) (1,1,0) (2,2,0)  (0,1,1) (1,2,1) (2,3,1)   =   for 2 (0,1,1): for 3 (1,1,0)

The loops are recovered from the list itself and hold for every entry, or a list stays a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.isa import Alu, Gemm

Indices = NDArray[np.int64]


class Loop(NamedTuple):
    """One loop: how often it runs, and what an iteration adds to each index."""

    extent: int
    dst: int
    src: int
    wgt: int


@dataclass(frozen=True, eq=False)
class Nest:
    """All tile operations of one instruction, in order: `hardware` loops, then `starts`, then `inner` loops.

    `starts` has shape (n, 3), columns dst, src, wgt; n is 1 when the micro-ops are affine throughout.
    Loops stand outermost first; none has extent 1.
    """

    hardware: tuple[Loop, ...]
    starts: Indices
    inner: tuple[Loop, ...]

    @property
    def loops(self) -> tuple[Loop, ...]:
        return self.hardware + self.inner

    @property
    def operations(self) -> int:
        """How many tile operations there are."""
        return len(self.starts) * prod(loop.extent for loop in self.loops)

    def indices(self, operand: int) -> Indices:
        """The index of every tile operation in order; `operand` is 0 for dst, 1 for src, 2 for wgt."""
        total = np.zeros(1, np.int64)
        for loop in self.hardware:
            total = np.add.outer(total, np.arange(loop.extent) * loop[1 + operand])
        total = np.add.outer(total, self.starts[:, operand])
        for loop in self.inner:
            total = np.add.outer(total, np.arange(loop.extent) * loop[1 + operand])
        return total.reshape(-1)

    @cached_property
    def touched_dst(self) -> Indices:
        """The distinct indices of dst, ascending; cheap however many operations there are."""
        return self._touched(0)

    @cached_property
    def dst_tiles(self) -> slice | Indices:
        """The same for indexing an array: a slice where they follow each other."""
        tiles = self.touched_dst
        first, last = int(tiles[0]), int(tiles[-1])
        return slice(first, last + 1) if last - first == len(tiles) - 1 else tiles

    @cached_property
    def touched_src(self) -> Indices:
        return self._touched(1)

    @cached_property
    def touched_wgt(self) -> Indices:
        return self._touched(2)

    def _touched(self, operand: int) -> Indices:
        starts = self.starts[:, operand]
        total: Indices = starts if len(starts) == 1 else np.unique(starts)
        for step, extent in sorted((loop[1 + operand], loop.extent) for loop in self.loops if loop[1 + operand]):
            first, last = int(total[0]), int(total[-1])
            if last - first == len(total) - 1 and 0 < step <= len(total):
                total = np.arange(first, last + step * (extent - 1) + 1, dtype=np.int64)
            elif step > last - first:
                total = np.add.outer(np.arange(extent) * step, total).reshape(-1)
            else:
                total = np.unique(np.add.outer(total, np.arange(extent) * step))
        return total


def _run_length(micro_ops: Indices) -> int:
    """The largest r > 1 so that all consecutive groups of r entries step like the first two entries, else 1."""
    count = len(micro_ops)
    steps = np.diff(micro_ops, axis=0)
    regular = (steps == steps[0]).all(axis=1)
    longest = count if regular.all() else int(np.argmin(regular)) + 1
    for length in range(longest, 1, -1):
        inside_a_group = np.arange(1, count) % length != 0
        if count % length == 0 and regular[inside_a_group].all():
            return length
    return 1


def recover_loops(micro_ops: Indices) -> tuple[Indices, tuple[Loop, ...]]:
    """Micro-ops of shape (n, 3) as starts x loops, innermost loop last, in the same order."""
    starts = micro_ops
    loops: list[Loop] = []
    while len(starts) > 1:
        length = _run_length(starts)
        if length == 1:
            break
        dst, src, wgt = (starts[1] - starts[0]).tolist()
        loops.insert(0, Loop(length, dst, src, wgt))
        starts = starts[::length]
    return starts, tuple(loops)


@lru_cache(maxsize=1024)
def _cached_nest(hardware: tuple[Loop, ...], micro_ops: bytes) -> Nest:
    starts, inner = recover_loops(np.frombuffer(micro_ops, np.int64).reshape(-1, 3))
    return Nest(tuple(loop for loop in hardware if loop.extent != 1), starts, inner)


def nest_of(instruction: Gemm | Alu, micro_ops: Indices) -> Nest:
    """The nest of an instruction with these micro-ops, shape (n, 3), n > 0. Cached by kernel and loop shape."""
    wgt_out, wgt_in = 0, 0
    if isinstance(instruction, Gemm):
        wgt_out, wgt_in = instruction.wgt_factor_out, instruction.wgt_factor_in
    outer = Loop(instruction.iter_out, instruction.dst_factor_out, instruction.src_factor_out, wgt_out)
    inner = Loop(instruction.iter_in, instruction.dst_factor_in, instruction.src_factor_in, wgt_in)
    return _cached_nest((outer, inner), micro_ops.tobytes())


def merge_loops(loops: tuple[Loop, ...]) -> tuple[Loop, ...]:
    """The same iterations in the same order with neighbouring loops joined where one continues the other."""
    merged: list[Loop] = []
    for loop in loops:
        if merged and merged[-1][1:] == tuple(step * loop.extent for step in loop[1:]):
            loop = Loop(merged.pop().extent * loop.extent, *loop[1:])  # noqa: PLW2901
        merged.append(loop)
    return tuple(merged)
