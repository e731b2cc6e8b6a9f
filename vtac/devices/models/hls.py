"""The HLS design: four windows, `fetch`, `load`, `compute` and `store`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vtac.devices.models.core import Core
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import AluOpcode, Memory, Opcode, decode_table, instruction_layout

NAMES = ("fetch", "load", "compute", "store")
_BASES = {
    ("load", 0x10): "inp",
    ("load", 0x18): "wgt",
    ("compute", 0x20): "uop",
    ("compute", 0x28): "acc",
    ("store", 0x10): "out",
}
_CONTROL, _COUNT, _INSTRUCTIONS, _DONE = 0x00, 0x10, 0x18, 0x18
_START, _AP_DONE, _IDLE, _RESTART = 0x01, 0x02, 0x04, 0x80
_PAD_BITS = np.uint64(0xFFFF << 48)


@dataclass
class HlsModel:
    """The registers; `stale_reads` is how often `done` still says what the run before left, `busy_reads` how often 0.

    `bus_error_after` is how many accesses succeed before the bus fails, None where it never does.
    """

    core: Core
    stale_reads: int = 3
    busy_reads: int = 2
    bus_error_after: int | None = None
    done: int = 0
    _registers: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    _waits: bool = False
    _fetch_state: int = _IDLE
    _upcoming: list[int] = field(default_factory=list[int])
    """What the next reads of `done` say."""

    def __post_init__(self) -> None:
        self._registers = dict.fromkeys(_BASES, 3735879680)

    def reset(self) -> None:
        """A new bitstream."""
        self.core.reset()
        self.done, self._waits, self._fetch_state = 0, False, _IDLE
        self._upcoming.clear()
        self.__post_init__()

    def read(self, window: str, offset: int) -> int:
        self._access()
        if (window, offset) == ("fetch", _CONTROL):
            found, self._fetch_state = self._fetch_state, self._fetch_state & ~_AP_DONE
            return found
        if (window, offset) == ("compute", _DONE):
            if self._upcoming:
                self.done = self._upcoming.pop(0)
            return self.done
        return self._registers.get((window, offset), 0)

    def write(self, window: str, offset: int, value: int) -> None:
        self._access()
        self._registers[window, offset] = value
        if offset != _CONTROL:
            return
        if window == "fetch" and value & _START:
            self._waits, self._fetch_state = True, 0
        units_run = all(self._registers.get((name, _CONTROL), 0) & _RESTART for name in NAMES[1:])
        if self._waits and units_run:
            self._waits = False
            self._run()

    def _run(self) -> None:
        bases = {memory: self._registers[place] for place, memory in _BASES.items()}
        was_stuck = self.core.is_stuck
        count, address = self._registers.get(("fetch", _COUNT), 0), self._registers.get(("fetch", _INSTRUCTIONS), 0)
        is_finished = self.core.run(address, count, bases)
        if was_stuck:
            return
        self._fetch_state = _IDLE | _AP_DONE
        self._upcoming = [self.done] * self.stale_reads + [0] * self.busy_reads + [1] * is_finished

    def _access(self) -> None:
        if self.bus_error_after is not None:
            if self.bus_error_after == 0:
                raise OSError("the slave answers with an error")
            self.bus_error_after -= 1


@dataclass(frozen=True)
class HlsWindow:
    """One window of a model."""

    model: HlsModel
    name: str

    def read(self, offset: int) -> int:
        return self.model.read(self.name, offset)

    def write(self, offset: int, value: int) -> None:
        self.model.write(self.name, offset, value)


def as_hls_executes(instructions: bytes, config: VTAConfig) -> bytes:
    """A stream whose general meaning is what the HLS design makes of the one given.

    Immediate shifts take the low 5 bits as a signed number, so 16 to 31 shift left; pads of weights are not read.
    """
    table = decode_table(instructions, config)
    words = np.frombuffer(instructions, "<u8").reshape(-1, 2).copy()
    alu, load = table.columns[Opcode.ALU], table.columns[Opcode.LOAD]
    weights = table.rows[Opcode.LOAD][load["memory"] == Memory.WGT]
    words[weights, 1] &= ~_PAD_BITS
    shifts = (alu["alu_opcode"] == AluOpcode.SHR) & (alu["use_imm"] == 1)
    amounts = ((alu["imm"][shifts] & 31) ^ 16) - 16
    low = instruction_layout(config, Opcode.ALU)["imm"].low - 64
    rows = table.rows[Opcode.ALU][shifts]
    kept = words[rows, 1] & ~np.uint64(0xFFFF << low)
    words[rows, 1] = kept | (amounts & 0xFFFF).astype(np.uint64) << np.uint64(low)
    return words.tobytes()
