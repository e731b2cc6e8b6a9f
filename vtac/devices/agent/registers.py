"""Control registers: windows of 32-bit words."""

from __future__ import annotations

import mmap
import os
import time
from typing import Callable, Protocol

from vtac.devices.agent.faults import DeviceLost, Refusal

_SPINS = 1000
_NAP_SECONDS = 50e-6


class Registers(Protocol):
    """A window of registers; offsets are bytes. Methods raise `OSError` for an error of the bus."""

    def read(self, offset: int) -> int: ...
    def write(self, offset: int, value: int) -> None: ...


class MappedRegisters:
    """A window of physical addresses, by /dev/mem. Raises `Refusal` where it cannot be mapped."""

    def __init__(self, base: int, nbytes: int, path: str = "/dev/mem") -> None:
        self._words = map_physical(path, base, nbytes).cast("I")

    def read(self, offset: int) -> int:
        return self._words[offset >> 2]

    def write(self, offset: int, value: int) -> None:
        self._words[offset >> 2] = value


def map_physical(path: str, base: int, nbytes: int) -> memoryview:
    """Physical addresses as bytes, not cached. Raises `Refusal`."""
    try:
        file = os.open(path, os.O_RDWR | os.O_SYNC)
        try:
            return memoryview(mmap.mmap(file, nbytes, mmap.MAP_SHARED, offset=base))
        finally:
            os.close(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Refusal(
            "memory", f"cannot map 0x{base:x} of {path}: {reason}", "run the agent as root, on the board"
        ) from None


class Deadline:
    """The end of a run's time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Poll until a condition holds. Raises `DeviceLost` when it does not in time."""
        spins = 0
        while not condition():
            if time.monotonic() > self._end:
                raise DeviceLost(
                    "timeout",
                    f"{what} after {self._seconds:g} s; the units still hold instructions and tokens",
                    "reset the device, or program it again",
                )
            spins += 1
            if spins > _SPINS:
                time.sleep(_NAP_SECONDS)


def bus_error(error: OSError) -> DeviceLost:
    """What an error of the bus means for a run."""
    return DeviceLost("bus", f"the registers cannot be reached: {error}", "program the device again")
