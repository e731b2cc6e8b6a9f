"""Tensor-tensor SHR: the amounts are accumulators, so they must be traced to numbers that are known.

The hardware takes the low 5 bits of an amount and the direction from the top bit of the otherwise
unused immediate, the simulator the number as it is: they agree on 0 to 31 (on -31 to 0 when that
bit is set). An amount is known when LOAD ACC fetched it from bytes of the memory image that the
program does not change, or when it is a pad or a reset accumulator, that is zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta import rules
from vtac.targets.vta.isa import Alu, AluOpcode, Gemm, Instruction, Load, Memory, is_nop
from vtac.targets.vta.proof.accesses import UNKNOWN
from vtac.targets.vta.proof.dram import DramMap
from vtac.targets.vta.proof.finding import Report
from vtac.targets.vta.proof.kernels import Footprint
from vtac.targets.vta.proof.micro_ops import Image
from vtac.targets.vta.proof.store_log import StoreLog
from vtac.targets.vta.proof.stream import COMPUTE, Stream
from vtac.targets.vta.proof.tiles import select, spell

_ZERO, _DATA = -1, -2


def is_tensor_shift(instruction: Instruction) -> bool:
    """Whether an instruction takes its shift amounts from accumulators."""
    return isinstance(instruction, Alu) and instruction.opcode is AluOpcode.SHR and not instruction.use_imm


class ShiftCheck:
    """Follows where each accumulator tile's numbers come from, in the compute unit's order."""

    def __init__(
        self, stream: Stream, image: Image | None, memory: DramMap, stores: StoreLog, footprints: Sequence[Footprint]
    ) -> None:
        self._stream = stream
        self._image = image
        self._memory = memory
        self._stores = stores
        self._footprints = footprints
        # The byte address that a tile was loaded from, else _ZERO or _DATA.
        self._origin = np.full(stream.config.capacity("acc"), _DATA, np.int64)

    def run(self, report: Report) -> None:
        """Report every tensor-tensor shift whose amounts are not proven legal."""
        for position, index in enumerate(self._stream.programs[COMPUTE]):
            instruction = self._stream.instructions[index]
            footprint = self._footprints[index]
            if isinstance(instruction, Alu) and is_tensor_shift(instruction) and footprint.writes:
                self._check(index, instruction, footprint, report)
            if footprint is UNKNOWN:
                self._origin[:] = _DATA
            for _, tiles in footprint.writes:
                self._origin[tiles] = self._origins(position, index)

    def _origins(self, position: int, index: int) -> NDArray[np.int64] | int:
        instruction = self._stream.instructions[index]
        if isinstance(instruction, Gemm) and instruction.reset:
            return _ZERO
        if isinstance(instruction, Load) and instruction.memory is Memory.ACC and not is_nop(instruction):
            return self._load_origins(position, index, instruction)
        return _DATA

    def _load_origins(self, position: int, index: int, load: Load) -> NDArray[np.int64] | int:
        size = self._stream.config.acc_element_bytes
        if self._image is None or self._stores.possibly_before(position, index) is not None:
            return _DATA
        rows = load.dram_base + load.x_stride * np.arange(load.y_size, dtype=np.int64)
        addresses = (rows[:, None] + np.arange(load.x_size, dtype=np.int64)) * size
        known = addresses + size <= len(self._image)
        pads = ((load.y_pad_0, load.y_pad_1), (load.x_pad_0, load.x_pad_1))
        return np.pad(np.where(known, addresses, _DATA), pads, constant_values=_ZERO).ravel()

    def _check(self, index: int, alu: Alu, footprint: Footprint, report: Report) -> None:
        tiles = footprint.reads[1][1]
        written = np.zeros(len(self._origin), np.bool_)
        written[footprint.writes[0][1]] = True
        origins = np.where(written, _DATA, self._origin)[tiles]
        low, high = rules.shift_range(alu.imm < 0, hls=self._stream.config.is_hls)
        bad = np.array([not self._proven(origin, low, high) for origin in origins.tolist()], np.bool_)
        if not bad.any():
            return
        span = select(tiles, bad)
        report.add(
            "shift",
            f"{self._stream.name(index)} shifts by the numbers in {spell('acc', span)}, of which nothing is "
            f"proven; {rules.amounts(low, high)}: load them from constants in that range",
            index,
            buffer="acc",
            span=span,
        )

    def _proven(self, origin: int, low: int, high: int) -> bool:
        if origin == _ZERO:
            return True
        if origin == _DATA or self._image is None:
            return False
        home = self._memory.buffer_at(origin)
        if home is not None and home.role != "constant":
            return False
        amounts = self._image[origin : origin + self._stream.config.acc_element_bytes].view("<i4")
        return low <= int(amounts.min()) and int(amounts.max()) <= high
