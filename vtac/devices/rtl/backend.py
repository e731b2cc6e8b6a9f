"""A verilated design as an accelerator: the Chisel design's driver on registers that are simulated wires."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from vtac.devices.agent.backend import Counters, Launch
from vtac.devices.agent.drivers import ChiselDriver
from vtac.devices.agent.faults import DeviceLost, Refusal
from vtac.devices.agent.region import PlainRegion, Region
from vtac.devices.rtl.build import built
from vtac.devices.rtl.surroundings import Surroundings
from vtac.devices.rtl.waveform import Span, span_of
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError
from vtac.files.whole import scratch_beside
from vtac.targets.vta.isa import WORD_BYTES

MEMORY_BYTES = 1 << 28
BASE = 0x10000000
CONFIG_FILE = "vta_config.json"
_IDLE_CYCLES = 256
"""Cycles that pass while the host waits between two looks at a register."""


class Rtl:
    """The design of a folder, and memory around it. Cycles are those that the design counts."""

    design = "chisel"
    clock_hz = 0
    exact_time = True

    def __init__(self, folder: Path, surroundings: Surroundings) -> None:
        self._config, self._surroundings = _config(folder), surroundings
        self._window = surroundings.window
        self.fields: dict[str, object] = dict(self._config.to_fields())
        self._memory = mmap.mmap(-1, MEMORY_BYTES)
        self.region: Region = PlainRegion(BASE, memoryview(self._memory))
        library = built(folder, traces=self._window is not None)
        self.kind = f"rtl {library.stem[:8]}, {surroundings}"
        self._bench = Bench(library, self._memory, surroundings)
        self._driver = ChiselDriver(self._bench)
        self.counter_names = self._driver.counter_names

    def launch(self, launch: Launch) -> Counters:
        """Run; the first time, write the waveform that was asked for."""
        window, self._window = self._window, None
        if window is None:
            return self._launched(launch)
        offset = launch.address - BASE
        instructions = self._memory[offset : offset + launch.count * WORD_BYTES]
        span = span_of(window, instructions, self._config, self._surroundings)
        with self._bench.traced(window.file, span, launch.address):
            return self._launched(launch)

    def _launched(self, launch: Launch) -> Counters:
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
        numbers = (BASE, len(memory), surroundings.seed, surroundings.latency)
        stalls = (ctypes.c_uint64 * len(surroundings.stalls))(*surroundings.stalls)
        self._handle = ctypes.c_void_p(self._library.bench_open(shared, *map(ctypes.c_uint64, numbers), stalls))

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

    @contextmanager
    def traced(self, file: Path, span: Span, address: int) -> Generator[None, None, None]:
        """Write the cycles of a span as a waveform, of instructions at an address. Raises `Refusal` where it cannot.

        A run that does not end leaves what there is of it.
        """
        target = Path(os.path.realpath(file))
        scratch = scratch_beside(target)
        places = (address + span.first * WORD_BYTES, address + span.behind * WORD_BYTES, span.begin, span.end)
        self._library.bench_end_window.restype = ctypes.c_uint64
        path = ctypes.c_char_p(os.fsencode(scratch))
        if not self._library.bench_begin_window(self._handle, path, *map(ctypes.c_uint64, places)):
            raise Refusal("rtl", f"cannot write the waveform '{file}'", "name a file in a folder that is there")
        cycles = 0
        try:
            yield
        finally:
            cycles = int(self._library.bench_end_window(self._handle))
            if cycles:
                scratch.replace(target)
            scratch.unlink(missing_ok=True)
        if not cycles:
            raise Refusal(
                "rtl",
                f"the run ended before cycle {span.begin:,}, in which the cycle model begins instruction {span.first}",
                "choose an earlier one: the design is faster than the model",
            )

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
