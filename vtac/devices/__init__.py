"""Devices: simulators, register-level models, and accelerators behind an agent, all used in the same way.

    device = vtac.devices.open("sim")
    loaded = program.to(device)
    outputs = loaded(*arrays)

The way of a run through the files:

    opening        `open`: from a URL to a device
    device         `Device`: memory, launch, counters, as requests
    channels       requests to an agent: called in this process, or sent as messages
    loading        a program in a device's memory: what is uploaded once, what with every run
    relocation     a stream at another address; what of its memory a run leaves changed
    simulator      the interpreter as an accelerator
    models/        the control registers of both hardware designs, in front of the interpreter
    rtl/           Verilog of the Chisel design, built with Verilator, with memory around it
    agent/         what runs beside an accelerator, on a board or in this process
    bundle         the agent in one file
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from vtac.lazily import submodules_of

if TYPE_CHECKING:
    from vtac.devices.device import Device
    from vtac.devices.loading import LoadedHostProgram, LoadedStream
    from vtac.devices.opening import open
    from vtac.errors import DeviceError

_HOMES = {
    "Device": "vtac.devices.device",
    "DeviceError": "vtac.errors",
    "LoadedHostProgram": "vtac.devices.loading",
    "LoadedStream": "vtac.devices.loading",
    "open": "vtac.devices.opening",
}

__all__ = ["Device", "DeviceError", "LoadedHostProgram", "LoadedStream", "open"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        return submodules_of("vtac.devices")(name)
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
