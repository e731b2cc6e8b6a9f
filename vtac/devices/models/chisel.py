"""The Chisel design, built for 32-bit addresses: one window."""

from __future__ import annotations

from dataclasses import dataclass, field

from vtac.devices.models.core import Core

_STATUS, _CYCLES, _COUNT, _INSTRUCTIONS, _ACC_WRITES = 0x00, 0x04, 0x08, 0x0C, 0x24
_BASES = {0x10: "uop", 0x14: "inp", 0x18: "wgt", 0x1C: "acc", 0x20: "out"}
_WRITABLE = {_STATUS, _CYCLES, _COUNT, _INSTRUCTIONS, *_BASES}
_LAUNCHED, _FINISHED = 1, 2


@dataclass
class ChiselModel:
    """The registers; `busy_reads` is how often the status says that a run goes on.

    `bus_error_after` is how many accesses succeed before the bus fails, None where it never does.
    """

    core: Core
    busy_reads: int = 2
    bus_error_after: int | None = None
    _registers: dict[int, int] = field(default_factory=dict[int, int])
    _left: int = 0
    _finishes: bool = False

    def __post_init__(self) -> None:
        self._registers = dict.fromkeys(_BASES, 3735879680)

    def reset(self) -> None:
        """A new bitstream."""
        self.core.reset()
        self._finishes = False
        self.__post_init__()

    def read(self, offset: int) -> int:
        self._access()
        if offset == _STATUS and self._finishes:
            if self._left == 0:
                self._finish()
            self._left -= 1
        return self._registers.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        self._access()
        if offset not in _WRITABLE:
            return
        self._registers[offset] = value
        if offset == _STATUS and value & _LAUNCHED:
            bases = {memory: self._registers[place] for place, memory in _BASES.items()}
            count, address = self._registers.get(_COUNT, 0), self._registers.get(_INSTRUCTIONS, 0)
            self._finishes, self._left = self.core.run(address, count, bases), self.busy_reads

    def _finish(self) -> None:
        self._finishes = False
        self._registers[_STATUS] = _FINISHED
        self._registers[_CYCLES] = self.core.cycles
        self._registers[_ACC_WRITES] = self.core.acc_writes

    def _access(self) -> None:
        if self.bus_error_after is not None:
            if self.bus_error_after == 0:
                raise OSError("the slave answers with an error")
            self.bus_error_after -= 1
