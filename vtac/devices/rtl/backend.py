"""A verilated design as an accelerator: the Chisel design's driver on registers that are simulated wires."""

from __future__ import annotations

import ctypes
import mmap
from dataclasses import dataclass
from pathlib import Path

from vtac.devices.agent.backend import Counters, Launch
from vtac.devices.agent.drivers import ChiselDriver
from vtac.devices.agent.faults import DeviceLost, Refusal
from vtac.devices.agent.region import PlainRegion, Region
from vtac.devices.rtl.build import built
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError

MEMORY_BYTES = 1 << 28
BASE = 0x10000000
CONFIG_FILE = "vta_config.json"
_IDLE_CYCLES = 256
"""Cycles that pass while the host waits between two looks at a register."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a design's memory does: cycles to the first beat, and how often each channel is not ready, by chance."""

    latency: int = 16
    stall_percent: int = 0
    seed: int = 0

    @staticmethod
    def parse(text: str) -> Surroundings:
        """`latency=200&stall_percent=30&seed=1`. Raises `Refusal`."""
        limits = {"latency": 1 << 16, "stall_percent": 95, "seed": 1 << 62}
        given: dict[str, int] = {}
        for part in filter(None, text.split("&")):
            name, _, value = part.partition("=")
            if name not in limits or not value.isdigit() or int(value) > limits[name]:
                bounds = ", ".join(f"{key} up to {most}" for key, most in limits.items())
                raise Refusal("rtl", f"'{part}' says nothing of a design's memory", f"give {bounds}")
            given[name] = int(value)
        return Surroundings(**given)


class Rtl:
    """The design of a folder, and memory around it. Cycles are those that the design counts."""

    kind = "rtl"
    design = "chisel"
    clock_hz = 0
    exact_time = True

    def __init__(self, folder: Path, surroundings: Surroundings) -> None:
        self.fields: dict[str, object] = dict(_config(folder).to_fields())
        self._memory = mmap.mmap(-1, MEMORY_BYTES)
        self.region: Region = PlainRegion(BASE, memoryview(self._memory))
        self._bench = Bench(built(folder), self._memory, surroundings)
        self._driver = ChiselDriver(self._bench)
        self.counter_names = self._driver.counter_names

    def launch(self, launch: Launch) -> Counters:
        try:
            counted = self._driver.launch(launch)
        except DeviceLost as error:
            raise DeviceLost(error.kind, f"{error.message}{self._bench.fault()}", "reset it") from None
        return lambda: counted

    def reset(self) -> None:
        """By the design's own reset line."""
        self._bench.reset()

    def bitstreams(self) -> list[dict[str, object]]:
        return []

    def program(self, sha256: str) -> None:
        del sha256
        raise Refusal("bitstream", "Verilog has no bitstream", "open rtl:DIR with the folder of another design")

    def close(self) -> None:
        self._bench.close()


class Bench:
    """The library's functions, as registers. An address where no memory is reads zeros, and is remembered."""

    def __init__(self, library: Path, memory: mmap.mmap, surroundings: Surroundings) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.bench_open.restype = ctypes.c_void_p
        shared = (ctypes.c_uint8 * len(memory)).from_buffer(memory)
        numbers = (BASE, len(memory), surroundings.seed, surroundings.latency, surroundings.stall_percent)
        self._handle = ctypes.c_void_p(self._library.bench_open(shared, *map(ctypes.c_uint64, numbers)))

    def read(self, offset: int) -> int:
        """A register, after a host's time. Raises `OSError` where the design does not answer."""
        self._library.bench_step(self._handle, ctypes.c_uint64(_IDLE_CYCLES))
        value = ctypes.c_uint32()
        if not self._library.bench_read(self._handle, ctypes.c_uint32(offset), ctypes.byref(value)):
            raise OSError(f"the design does not answer a read of register 0x{offset:x}")
        return value.value

    def write(self, offset: int, value: int) -> None:
        if not self._library.bench_write(self._handle, ctypes.c_uint32(offset), ctypes.c_uint32(value)):
            raise OSError(f"the design does not answer a write of register 0x{offset:x}")

    def reset(self) -> None:
        self._library.bench_reset(self._handle)

    def fault(self) -> str:
        """The first address that was asked for and is not there, for a message."""
        address = ctypes.c_uint64()
        has = self._library.bench_fault(self._handle, ctypes.byref(address))
        return f"; it asked for address 0x{address.value:x}, where no memory is" if has else ""

    def close(self) -> None:
        self._library.bench_close(self._handle)


def _config(folder: Path) -> VTAConfig:
    """The design's configuration: that of its folder, else the default with the decoder's own fields."""
    path = folder / CONFIG_FILE
    try:
        return VTAConfig.from_json(path) if path.is_file() else VTAConfig(encoding="chisel")
    except ConfigError as error:
        raise Refusal("configuration", str(error)) from None
