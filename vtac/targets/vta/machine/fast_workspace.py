"""SRAM, scratch arrays and tile views that the fast path's steps are bound to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.targets.vta.machine.machine import SRAM_NAMES, Machine

Step = Callable[[NDArray[np.uint8]], None]
"""One piece of work on the workspace and the memory image given."""

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(eq=False)
class Workspace:
    """The SRAM of one plan, and arrays that its steps share."""

    config: VTAConfig
    machine: Machine = field(init=False)
    _scratch: dict[tuple[str, int], NDArray[np.uint8]] = field(init=False)

    def __post_init__(self) -> None:
        self.machine = Machine.of(self.config, np.zeros(0, np.uint8))
        self._scratch = {}
        sram = {"uop": self.machine.uop, "inp": self.machine.inp, "wgt": self.machine.wgt, "acc": self.machine.acc}
        self._sram = {name: array.reshape(-1).view(np.uint8) for name, array in sram.items()}

    def sram_bytes(self, name: MemoryName) -> NDArray[np.uint8]:
        """A memory as its bytes, shape (bytes,)."""
        return self._sram[name]

    def clear(self) -> None:
        """SRAM as it is when a run starts."""
        for name in SRAM_NAMES:
            self.sram_bytes(name).fill(0)

    def scratch(self, purpose: str, shape: tuple[int, ...], dtype: type[Scalar]) -> NDArray[Scalar]:
        """An array for `purpose`, zeros at first, shared with others of that purpose and about that size."""
        nbytes = prod(shape) * np.dtype(dtype).itemsize
        key = (purpose, nbytes.bit_length())
        if key not in self._scratch:
            self._scratch[key] = np.zeros(1 << nbytes.bit_length(), np.uint8)
        return self._scratch[key][:nbytes].view(dtype).reshape(shape)


def strided(array: NDArray[Scalar], offset: int, axes: Sequence[tuple[int, int]]) -> NDArray[Scalar]:
    """A view of `array` from byte `offset`; `axes` are (extent, stride in bytes), outermost first."""
    shape = tuple(extent for extent, _ in axes)
    strides = tuple(stride for _, stride in axes)
    return np.ndarray(shape, array.dtype, array.data, offset, strides)


def whole_runs(array: NDArray[np.int8], run: int) -> NDArray[np.void]:
    """A contiguous array as untyped runs of `run` bytes, shape (bytes / run,)."""
    return array.reshape(-1).view(np.dtype((np.void, run)))
