"""A program as steps, and who writes them down: which chunk stands where, and which micro-ops are known."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

from vtac.analysis.vta.kernel_shapes import micro_op_limit
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BUS_BYTES
from vtac.targets.vta.schedules.transfers import NOTHING, Chunk

KERNEL_START = 7
INPUTS, WEIGHTS, OPERANDS = range(3)
"""Buffers of the load unit: what one of them waits for, loads of another pass."""


class LoadStep(NamedTuple):
    """A chunk: the kernel that it stands before, the last one that reads what it overwrites (-1 for none), the buffer
    that it fills, and what it takes."""

    before: int
    after: int
    buffer: int
    chunk: Chunk


class KernelStep(NamedTuple):
    """Kernels one after the other: their cycles and number; micro-ops that each loads first, 0 where these are known;
    int32 tiles that are loaded first; the chunks that are read, the store that must be over, and what is stored behind:
    its cycles, and by how many instructions."""

    cycles: int
    number: int = 1
    micro_ops: int = 1
    wide: Chunk = NOTHING
    chunks: tuple[int, ...] = ()
    store: int = -1
    stored: tuple[int, int] = (0, 0)


class TileEnd(NamedTuple):
    """The first kernel and the first load behind a tile, and how many tiles this one stands for."""

    kernel: int
    load: int
    weight: float


@dataclass
class Outline:
    """The steps of one program in their order, and the ends of its tiles among them; `stored` bytes of results."""

    loads: list[LoadStep] = field(default_factory=list[LoadStep])
    kernels: list[KernelStep] = field(default_factory=list[KernelStep])
    tiles: list[TileEnd] = field(default_factory=list[TileEnd])
    stored: int = 0

    def nbytes(self, config: VTAConfig) -> int:
        """DRAM bytes of all tiles; micro-ops count once."""
        beats, kernel, load = 0.0, 0, 0
        for end in self.tiles:
            tile = sum([step.chunk.beats for step in self.loads[load : end.load]])
            tile += sum([step.wide.beats for step in self.kernels[kernel : end.kernel]])
            beats, kernel, load = beats + end.weight * tile, end.kernel, end.load
        micro_ops = sum([step.micro_ops * step.number for step in self.kernels])
        return round(beats * BUS_BYTES) + micro_ops * config.uop_element_bytes + self.stored


class StepWriter:
    """Writes an outline: leaves out loads of what is on chip, and micro-ops that are known.

    Where chunks may stand, are places, which go by numbers.
    """

    def __init__(self, config: VTAConfig) -> None:
        self.outline = Outline()
        self.stores = 0
        """Steps so far behind which something is stored."""
        self._places: dict[Hashable, int] = {}
        self._held: list[tuple[Hashable, int]] = []
        """By place, the chunk that is there and the load that brought it."""
        self._read: list[int] = []
        """By place, the last kernel that reads what is there."""
        self._known: set[Hashable] = set()
        self._room = self._limit = micro_op_limit(config)

    def place(self, name: Hashable, count: int = 1) -> int:
        """The number of the place of that name, or of the first of so many that follow one another."""
        found = self._places.get(name)
        if found is None:
            found = self._places[name] = len(self._held)
            self._held += [(None, -1)] * count
            self._read += [-1] * count
        return found

    def load(self, place: int, buffer: int, what: Hashable, chunk: Chunk) -> int:
        """The load that brings a chunk to its place; an earlier one where it is there already."""
        there, number = self._held[place]
        if there == what:
            return number
        loads = self.outline.loads
        number = len(loads)
        loads.append(LoadStep(len(self.outline.kernels), self._read[place], buffer, chunk))
        self._held[place] = what, number
        return number

    def hold(self, place: int, what: Hashable) -> None:
        """A chunk comes to its place in a tile that is not followed: as one that is there since the last load."""
        self._held[place] = what, self._held[place][1]

    def held(self, place: int, what: Hashable) -> int:
        """The load that brought a chunk to its place, where it is there; else -1."""
        there, number = self._held[place]
        return number if there == what else -1

    def kernel(self, operands: Hashable, step: KernelStep, reads: tuple[int, ...] = ()) -> None:
        """Kernels whose operands have these places, reading chunks at some.

        Their micro-ops are known from then on, until there is no room for others: all are forgotten then.
        """
        if operands in self._known:
            step = KernelStep(step.cycles, step.number, 0, step.wide, step.chunks, step.store, step.stored)
        else:
            needed = step.micro_ops * step.number
            if needed > self._room:
                self._known.clear()
                self._room = self._limit
            self._room -= needed
            self._known.add(operands)
        number = len(self.outline.kernels)
        self.outline.kernels.append(step)
        self.stores += step.stored[0] > 0
        for place in reads:
            self._read[place] = number

    def end_tile(self, weight: float) -> None:
        """The steps of a tile are complete; it stands for so many."""
        self.outline.tiles.append(TileEnd(len(self.outline.kernels), len(self.outline.loads), weight))
