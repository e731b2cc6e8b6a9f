"""What every compiled VTA program is to its users, whether it is one stream or a host function around several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.machine import Progress
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.device_call import DeviceCall
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.summary import Summary
from vtac.targets.vta.stream.layout import Buffer

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.devices.device import Device
    from vtac.devices.loading import Loaded


class VtaProgram(Protocol):
    """A `Program` (one stream) or a `HostProgram` (a host function and the streams it calls)."""

    @property
    def config(self) -> VTAConfig:
        """The hardware that it is compiled for."""
        ...

    @property
    def arguments(self) -> tuple[Buffer, ...]:
        """The arrays that a caller passes, in order."""
        ...

    @property
    def results(self) -> tuple[Buffer, ...]:
        """The arrays that a call returns, in order."""
        ...

    @property
    def choices(self) -> tuple[str, ...]:
        """What the compiler chose, and why, in program order."""
        ...

    @property
    def summary(self) -> Summary:
        """How many contractions and multiplications there are and the VTA computes; streams; host operations."""
        ...

    @property
    def work_line(self) -> str:
        """The summary in a line."""
        ...

    @property
    def devices(self) -> Mapping[str, Program]:
        """The streams, by name; one entry for a single stream."""
        ...

    @property
    def calls(self) -> tuple[DeviceCall, ...]:
        """The calls of streams, in order."""
        ...

    @property
    def stream(self) -> Program:
        """The stream of a program that has one. Raises `ProgramError` for one of several."""
        ...

    @property
    def source(self) -> ModuleOp | None:
        """What it was compiled from; None for a saved program."""
        ...

    def __call__(self, *arrays: Array, progress: Progress | None = None) -> Array | tuple[Array, ...]: ...

    @property
    def stats(self) -> dict[str, int]:
        """Counters and cycles of the last run, of all streams. Raises `ProgramError` before the first run."""
        ...

    @property
    def cycles(self) -> int:
        """Cycles of all calls of streams, one after the other."""
        ...

    def disassemble(self) -> str: ...
    def to(self, device: Device, timeout: float | None = None) -> Loaded:
        """The program in the memory of a device. Raises `DeviceError` where the device cannot run it."""
        ...

    def report(self, path: str | Path | None = None) -> str:
        """Its report, one HTML page, also written to `path` if one is given; see `vtac.report`."""
        ...

    def save(self, directory: str | Path, inputs: Sequence[Array] | None = None) -> None: ...
