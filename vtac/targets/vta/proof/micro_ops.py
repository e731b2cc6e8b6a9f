"""The micro-op SRAM over the run: which words each kernel executes.

Loads of micro-ops and their uses are all the compute unit's, so its program order decides; the
words themselves lie in DRAM and are known only when the memory image is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import Alu, Gemm, Load
from vtac.targets.vta.proof.dram import block_of
from vtac.targets.vta.proof.fields import sram_span

_UNWRITTEN = -1

Image = NDArray[np.uint8]


class MicroOpMemory:
    """Contents of the micro-op SRAM after a prefix of the compute unit's program."""

    def __init__(self, config: VTAConfig, image: Image | None) -> None:
        self._config = config
        self._image = image
        self._words = np.zeros(config.capacity("uop"), np.uint32)
        self._loader = [_UNWRITTEN] * config.capacity("uop")
        self._unknown: dict[int, str] = {}
        self._whole: dict[int, int] = {}
        """Where the words end of each load of which all that are known are still there."""

    def load(self, index: int, load: Load, start: int, unknown: str | None) -> None:
        """Execute a LOAD UOP from DRAM byte `start`; its SRAM range is legal, `unknown` says why the contents are not.

        Of the record the address counts for nothing.
        """
        begin, end = sram_span(load)
        for loader in set(self._loader[begin:end]):
            self._whole.pop(loader, None)
        self._loader[begin:end] = [index] * (end - begin)
        words = self._fetch(load, start) if unknown is None else None
        if words is None:
            self._unknown[index] = unknown or "they lie outside the memory image"
        else:
            self._words[begin:end] = words
            self._whole[index] = end

    def only_loader(self, begin: int, end: int) -> int | None:
        """The LOAD that wrote all of a range, the words of which are known; None where none is known to have."""
        loader = self._loader[begin]
        return loader if end <= self._whole.get(loader, 0) else None

    def _fetch(self, load: Load, start: int) -> NDArray[np.uint32] | None:
        block = block_of(load, self._config)
        if self._image is None or block is None or start + block.end - block.start > len(self._image):
            return None
        pads = ((load.y_pad_0, load.y_pad_1), (load.x_pad_0, load.x_pad_1))
        if block.rows == 1 and not any(map(any, pads)):
            return self._image[start : start + block.row_bytes].view("<u4")
        size = self._config.uop_element_bytes
        rows = start + load.x_stride * size * np.arange(load.y_size, dtype=np.int64)
        addresses = rows[:, None] + np.arange(load.x_size * size, dtype=np.int64)
        return np.pad(self._image[addresses].view("<u4"), pads).ravel()

    def unwritten(self, kernel: Gemm | Alu) -> tuple[int, int] | None:
        """The half-open range of micro-ops that a kernel uses and no LOAD wrote."""
        used = range(kernel.uop_bgn, kernel.uop_end)
        missing = [place for place in used if self._loader[place] == _UNWRITTEN]
        return (missing[0], missing[-1] + 1) if missing else None

    def unknown(self, kernel: Gemm | Alu) -> tuple[int, str] | None:
        """The LOAD whose micro-ops a kernel uses though their contents are unknown, and why they are."""
        if not self._unknown:
            return None
        for index in sorted(set(self._loader[kernel.uop_bgn : kernel.uop_end])):
            if index in self._unknown:
                return index, self._unknown[index]
        return None

    def words(self, kernel: Gemm | Alu) -> NDArray[np.uint32]:
        """The micro-op words that a kernel executes, none of them unwritten or unknown."""
        return self._words[kernel.uop_bgn : kernel.uop_end]
