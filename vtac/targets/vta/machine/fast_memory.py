"""Loads and stores: one array copy for a block, one gather or scatter for a run of small blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName
from vtac.targets.vta.isa import Memory
from vtac.targets.vta.machine.fast_workspace import Step, Workspace
from vtac.targets.vta.machine.stream import SRAM_OF, dram_element_bytes

Column = NDArray[np.int64]

_MEMORIES = tuple(Memory)
_FILLED = tuple(SRAM_OF[memory] for memory in Memory)
_MIN_RUN = 4
_SMALL_BLOCK = 8


class LoadFields(NamedTuple):
    """A LOAD without its tokens."""

    memory: Memory
    sram_base: int
    dram_base: int
    y_size: int
    x_size: int
    x_stride: int
    y_pad_0: int
    y_pad_1: int
    x_pad_0: int
    x_pad_1: int
    sram: MemoryName
    """The memory that it fills."""

    @property
    def elements(self) -> int:
        """How many elements it fills, pads included."""
        return (self.y_pad_0 + self.y_size + self.y_pad_1) * (self.x_pad_0 + self.x_size + self.x_pad_1)


def load_fields(columns: Mapping[str, Column]) -> list[LoadFields]:
    """All LOADs of a stream, in order."""
    memories: list[int] = columns["memory"].tolist()
    rest: list[list[int]] = [columns[name].tolist() for name in LoadFields._fields[1:-1]]
    names = [_MEMORIES[memory] for memory in memories]
    filled = [_FILLED[memory] for memory in memories]
    return list(map(LoadFields._make, zip(names, *rest, filled, strict=True)))


@dataclass(frozen=True, eq=False)
class Blocks:
    """The unpadded blocks of a run of LOADs or STOREs of one memory, a column entry each, in order."""

    sram_base: Column
    dram_base: Column
    y_size: Column
    x_size: Column
    x_stride: Column

    @cached_property
    def tiles(self) -> tuple[Column, Column, Column]:
        """For each element moved, in order: its block's place in the run, its SRAM and its DRAM element."""
        sizes = self.y_size * self.x_size
        first = np.cumsum(sizes) - sizes
        block = np.repeat(np.arange(len(sizes)), sizes)
        elements = np.arange(len(block))
        sram, dram = (self.sram_base - first)[block] + elements, (self.dram_base - first)[block] + elements
        between = self.x_stride - self.x_size
        if ((self.y_size > 1) & (between != 0)).any():
            dram += (elements - first[block]) // self.x_size[block] * between[block]
        return block, sram, dram


def _last_of_each(targets: Column) -> Column | None:
    """The places of the last write to each target, ascending; None when no target repeats."""
    if (targets[1:] > targets[:-1]).all():
        return None
    _, first_from_end = np.unique(targets[::-1], return_index=True)
    if len(first_from_end) == len(targets):
        return None
    return np.sort(len(targets) - 1 - first_from_end)


def _as_slice(indices: Column) -> slice | Column:
    """Consecutive ascending indices as a slice."""
    if not len(indices) or indices[-1] - indices[0] != len(indices) - 1 or not (np.diff(indices) == 1).all():
        return indices
    return slice(int(indices[0]), int(indices[-1]) + 1)


def bind_load(workspace: Workspace, load: LoadFields) -> Step:
    """The step of a LOAD with `x_size` above 0 that lies inside both memories."""
    name = load.sram
    element, unit = workspace.config.element_bytes(name), dram_element_bytes(load.memory, workspace.config)
    width = load.x_pad_0 + load.x_size + load.x_pad_1
    height = load.y_pad_0 + load.y_size + load.y_pad_1
    block = workspace.sram_bytes(name)[load.sram_base * element : (load.sram_base + width * height) * element]
    start, row_bytes, stride = load.dram_base * unit, load.x_size * unit, load.x_stride * unit
    padded = width * height > load.x_size * load.y_size
    if load.y_size == 0:
        return lambda _: block.fill(0)
    if not padded and load.memory is not Memory.ACC_8BIT and (load.y_size == 1 or stride == row_bytes):
        end = start + load.y_size * row_bytes

        def copy_block(dram: NDArray[np.uint8]) -> None:
            block[:] = dram[start:end]

        return copy_block
    rows = block.reshape(height, width * element)[load.y_pad_0 : load.y_pad_0 + load.y_size]
    inside = rows[:, load.x_pad_0 * element : (load.x_pad_0 + load.x_size) * element]
    if load.memory is Memory.ACC_8BIT:
        return _bind_widening(block, inside.view(np.int32), start, stride)
    shape, strides = (load.y_size, row_bytes), (stride, 1)

    def copy_rows(dram: NDArray[np.uint8]) -> None:
        if padded:
            block.fill(0)
        inside[:] = np.ndarray(shape, np.uint8, dram.data, start, strides)

    return copy_rows


def _bind_widening(block: NDArray[np.uint8], inside: NDArray[np.int32], start: int, stride: int) -> Step:
    def step(dram: NDArray[np.uint8]) -> None:
        block.fill(0)
        inside[:] = np.ndarray(inside.shape, np.int8, dram.data, start, (stride, 1))

    return step


def bind_small_loads(workspace: Workspace, loads: Sequence[LoadFields]) -> Step:
    """One gather for loads for which `is_run_of_small_blocks` holds."""
    name = loads[0].sram
    blocks = Blocks(*np.array([load[1:6] for load in loads]).T)
    element = np.dtype((np.void, workspace.config.element_bytes(name)))
    sram = workspace.sram_bytes(name).view(element)
    _, targets, sources = blocks.tiles
    kept = _last_of_each(targets)
    if kept is not None:
        targets, sources = targets[kept], sources[kept]
    target, source = _as_slice(targets), _as_slice(sources)

    def step(dram: NDArray[np.uint8]) -> None:
        sram[target] = dram[: len(dram) // element.itemsize * element.itemsize].view(element)[source]

    return step


def bind_stores(workspace: Workspace, sources: Column, targets: Column) -> Step:
    """One scatter for a run of stores of ACC tiles into DRAM tiles: the low byte of every accumulator."""
    acc = workspace.machine.acc
    element = np.dtype((np.void, dram_element_bytes(Memory.OUT, workspace.config)))
    kept = _last_of_each(targets)
    if kept is not None:
        targets, sources = targets[kept], sources[kept]
    source, target = _as_slice(sources), _as_slice(targets)

    def step(dram: NDArray[np.uint8]) -> None:
        tiles = acc[source].astype(np.int8).reshape(-1).view(element)
        dram[: len(dram) // element.itemsize * element.itemsize].view(element)[target] = tiles

    return step


def is_run_of_small_blocks(loads: Sequence[LoadFields]) -> bool:
    """Whether loads into one SRAM are better gathered element by element than copied block by block."""
    if len(loads) < _MIN_RUN or sum([load.y_size * load.x_size for load in loads]) > _SMALL_BLOCK * len(loads):
        return False
    pads = [load.y_pad_0 or load.y_pad_1 or load.x_pad_0 or load.x_pad_1 for load in loads]
    return not any(pads) and all(load.memory is not Memory.ACC_8BIT for load in loads)
