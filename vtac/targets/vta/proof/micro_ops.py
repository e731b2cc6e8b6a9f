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
        self._loader = np.full(config.capacity("uop"), _UNWRITTEN, np.int64)
        self._unknown: dict[int, str] = {}

    def load(self, index: int, load: Load, unknown: str | None) -> None:
        """Execute a LOAD UOP, whose SRAM range is legal; `unknown` says why the DRAM contents are not."""
        start, end = sram_span(load)
        self._loader[start:end] = index
        words = self._fetch(load) if unknown is None else None
        if words is None:
            self._unknown[index] = unknown or "they lie outside the memory image"
        else:
            self._words[start:end] = words

    def _fetch(self, load: Load) -> NDArray[np.uint32] | None:
        block = block_of(load, self._config)
        if self._image is None or block is None or block.end > len(self._image):
            return None
        pads = ((load.y_pad_0, load.y_pad_1), (load.x_pad_0, load.x_pad_1))
        if block.rows == 1 and not any(map(any, pads)):
            return self._image[block.start : block.end].view("<u4")
        size = self._config.uop_element_bytes
        rows = (load.dram_base + load.x_stride * np.arange(load.y_size, dtype=np.int64)) * size
        addresses = rows[:, None] + np.arange(load.x_size * size, dtype=np.int64)
        return np.pad(self._image[addresses].view("<u4"), pads).ravel()

    def unwritten(self, kernel: Gemm | Alu) -> tuple[int, int] | None:
        """The half-open range of micro-ops that a kernel uses and no LOAD wrote."""
        is_missing = self._loader[kernel.uop_bgn : kernel.uop_end] == _UNWRITTEN
        if not is_missing.any():
            return None
        missing = np.flatnonzero(is_missing)
        return kernel.uop_bgn + int(missing[0]), kernel.uop_bgn + int(missing[-1]) + 1

    def unknown(self, kernel: Gemm | Alu) -> tuple[int, str] | None:
        """The LOAD whose micro-ops a kernel uses though their contents are unknown, and why they are."""
        if not self._unknown:
            return None
        for index in np.unique(self._loader[kernel.uop_bgn : kernel.uop_end]).tolist():
            if index in self._unknown:
                return index, self._unknown[index]
        return None

    def words(self, kernel: Gemm | Alu) -> NDArray[np.uint32]:
        """The micro-op words that a kernel executes, none of them unwritten or unknown."""
        return self._words[kernel.uop_bgn : kernel.uop_end]
