"""Launches on the two hardware designs, by their control registers.

The HLS design is four blocks, each with a window. `load`, `compute` and `store` take one instruction per start and
restart by themselves; `fetch` runs once per launch, and is done when it has handed over all instructions. `compute`
writes 0 to its register `done` with every instruction and 1 with FINISH, so that the register still says 1 of the run
before until the next one's first compute instruction is taken. A run that begins while it says 1 is therefore
preceded by one of a single instruction of the compute unit that does nothing: when it reads 0, a later 1 is the run's.

The Chisel design is one block with one window. Launching sets its status to 1, FINISH to 2. Nothing resets it.
"""

from __future__ import annotations

from typing import Protocol

from vtac.devices.agent.backend import Launch
from vtac.devices.agent.faults import DeviceLost
from vtac.devices.agent.region import Region
from vtac.devices.agent.registers import Deadline, Registers, bus_error

SPARE_BYTES = 4096
"""Memory that a driver has for itself."""


class Driver(Protocol):
    """One design's way to run instructions."""

    counter_names: list[str]

    def launch(self, launch: Launch) -> dict[str, int]:
        """Run to FINISH; the counters. Raises `DeviceLost`."""
        ...


class Spare:
    """The last bytes of a region, which no client gets."""

    def __init__(self, region: Region) -> None:
        offset = region.view.nbytes - SPARE_BYTES
        self.address = region.base + offset
        region.view[offset:] = bytes(SPARE_BYTES)
        region.to_device(offset, SPARE_BYTES)


_CONTROL = 0x00
_START, _DONE, _IDLE = 0x01, 0x02, 0x04
_START_AND_RESTART = 0x81


class HlsDriver:
    """The HLS design. `spare` holds zeros, which are an instruction of the compute unit that does nothing."""

    def __init__(self, fetch: Registers, load: Registers, compute: Registers, store: Registers, spare: Spare) -> None:
        self.counter_names: list[str] = []
        self._fetch = fetch
        self._load = load
        self._compute = compute
        self._store = store
        self._spare = spare

    def launch(self, launch: Launch) -> dict[str, int]:
        deadline = Deadline(launch.timeout)
        try:
            if self._is_done():
                self._start(self._spare.address, 1)
                self._wait_for_fetch(deadline)
                deadline.wait(lambda: not self._is_done(), "the compute unit takes no instruction")
            self._start(launch.address, launch.count)
            self._wait_for_fetch(deadline)
            deadline.wait(self._is_done, "no FINISH")
        except OSError as error:
            raise bus_error(error) from None
        return {}

    def _is_done(self) -> bool:
        return self._compute.read(0x18) == 1

    def _start(self, address: int, count: int) -> None:
        if not self._fetch.read(_CONTROL) & _IDLE:  # it clears what fetch said of the run before, too
            raise DeviceLost("stuck", "the fetch block still works on an earlier run", "program the device again")
        self._fetch.write(0x10, count)
        self._fetch.write(0x18, address)
        for block, offset in ((self._load, 0x10), (self._load, 0x18), (self._compute, 0x20), (self._compute, 0x28)):
            block.write(offset, 0)
        self._store.write(0x10, 0)
        self._fetch.write(_CONTROL, _START)
        for block in (self._load, self._compute, self._store):
            block.write(_CONTROL, _START_AND_RESTART)

    def _wait_for_fetch(self, deadline: Deadline) -> None:
        deadline.wait(lambda: bool(self._fetch.read(_CONTROL) & _DONE), "not all instructions are fetched")


_STATUS, _CYCLES, _COUNT, _INSTRUCTIONS = 0x00, 0x04, 0x08, 0x0C
_BASES = (0x10, 0x14, 0x18, 0x1C, 0x20)
_ACC_WRITES = 0x24
_LAUNCHED, _FINISHED = 1, 2


class ChiselDriver:
    """The Chisel design, built for 32-bit addresses."""

    def __init__(self, control: Registers) -> None:
        self.counter_names = ["cycles", "acc_writes"]
        self._control = control

    def launch(self, launch: Launch) -> dict[str, int]:
        deadline = Deadline(launch.timeout)
        control = self._control
        try:
            if control.read(_STATUS) & _LAUNCHED:
                raise DeviceLost("stuck", "the core still works on an earlier run", "program the device again")
            control.write(_CYCLES, 0)
            control.write(_COUNT, launch.count)
            control.write(_INSTRUCTIONS, launch.address)
            for base in _BASES:
                control.write(base, 0)
            control.write(_STATUS, _LAUNCHED)
            deadline.wait(lambda: bool(control.read(_STATUS) & _FINISHED), "no FINISH")
            return {"cycles": control.read(_CYCLES), "acc_writes": control.read(_ACC_WRITES)}
        except OSError as error:
            raise bus_error(error) from None
