"""Programs in a device's memory.

A program has one block there. Its stream is moved to where the block lies, so that the accelerator's base registers
stay 0: one design adds them to addresses, the other takes the bits of either. Constants and micro-ops are sent once;
with every run go the arguments, and what the run before stored over and this one loads first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from vtac.devices.device import Device
from vtac.devices.relocation import overwritten_reads, relocate
from vtac.errors import DeviceError
from vtac.targets.vta.programs.arrays import Array, Image, fitted, items_of
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.proof import check
from vtac.targets.vta.stream.layout import Buffer

_HLS_TARGET = "pynq"
"""A TARGET of the HLS design: all have the same rules."""


@dataclass(frozen=True, slots=True)
class Times:
    """Times of runs on a device, in seconds: for each repetition the mean of its runs.

    `exact_cycles` are the accelerator's, which are the same in every run, where the device has them.
    """

    means: tuple[float, ...]
    number: int
    exact_cycles: int | None

    @property
    def best(self) -> float:
        return min(self.means)

    @property
    def mean(self) -> float:
        return sum(self.means) / len(self.means)

    def __str__(self) -> str:
        cycles = "" if self.exact_cycles is None else f", {self.exact_cycles:,} cycles"
        runs = f"{len(self.means)} times {self.number}"
        return f"{self.mean * 1e3:.3f} ms, at best {self.best * 1e3:.3f} ms ({runs}){cycles}"


class LoadedStream:
    """A program of one stream on a device. Raises `DeviceError` where the device cannot run it."""

    def __init__(self, program: Program, device: Device, timeout: float | None = None) -> None:
        _check_proven(program, device)
        self.program = program
        self.device = device
        self.timeout = timeout
        self.seconds = 0.0
        """What the last run took the device."""
        self._counters: dict[str, int] | None = None
        alignment = program.config.dram_alignment
        self._origin = program.buffers[0].address // alignment * alignment
        nbytes = program.buffers[-1].address + program.buffers[-1].nbytes - self._origin
        self._block, address = device.allocate(max(nbytes, 1), alignment)
        try:
            moved = relocate(program.instructions, program.config, address - self._origin)
            self._stream = device.prepare(self._block, program, moved)
            self._fill()
        except BaseException:
            if not device.closed:
                device.free(self._block)
            raise

    def __repr__(self) -> str:
        return f"<LoadedStream {self.program.name} on {self.device.url}>"

    def __call__(self, *arrays: Array) -> Array | tuple[Array, ...]:
        """Run on numpy arrays as `Program` does, which stay untouched. Raises `ProgramError` and `DeviceError`."""
        given = fitted(self.program.arguments, arrays)
        self._upload(given)
        self._run()
        outputs = tuple(self._download(buffer) for buffer in self.program.results)
        return outputs[0] if len(outputs) == 1 else outputs

    def time(self, *arrays: Array, number: int = 10, repeat: int = 3) -> Times:
        """Times of `repeat` times `number` runs, without uploads and downloads. Raises as a call does."""
        given = fitted(self.program.arguments, arrays)
        _check_counts(number, repeat)
        self._upload(given)

        def once() -> float:
            self._restore(given)
            return self._run()

        return _timed(once, number, repeat, self)

    @property
    def counters(self) -> dict[str, int]:
        """What the device counted in the last run. Raises `DeviceError` before the first."""
        if self._counters is None:
            self._counters = self.device.counters(self._stream)
        return dict(self._counters)

    def counting(self) -> Callable[[], dict[str, int]]:
        """Gives the counters of the last run later, when others may have followed.

        Hardware says them now. A simulator's are the same in every run and take it longer than a run, so they wait
        until somebody wants to know.
        """
        if self.device.is_simulator:
            return lambda: self.counters
        found = self.counters
        return lambda: found

    def close(self) -> None:
        """Give back its memory on the device."""
        self.device.free(self._block)

    def _run(self) -> float:
        self._counters = None
        self.seconds = self.device.run(self._stream, self.timeout)
        return self.seconds

    def _offset(self, address: int) -> int:
        return address - self._origin

    def _fill(self) -> None:
        """Constants and micro-ops, once. What holds zeros at first is as the block came."""
        program = self.program
        for buffer in program.buffers:
            data = program.micro_ops if buffer.role == "uop" else program.constants.get(buffer.name, b"")
            if data:
                self.device.place(self._block, self._offset(buffer.address), np.frombuffer(data, np.uint8))

    @cached_property
    def _changed(self) -> list[tuple[int, int]]:
        """What a run has to find as at first, and the run before stored over."""
        last = self.program.buffers[-1]
        return overwritten_reads(self.program.instructions, self.program.config, last.address + last.nbytes)

    @cached_property
    def _first_image(self) -> Image:
        return self.program.memory_image()

    def _upload(self, given: Sequence[Array]) -> None:
        for begin, nbytes in self._changed:
            self.device.write(self._block, self._offset(begin), self._first_image[begin : begin + nbytes])
        for buffer, array in zip(self.program.arguments, given, strict=True):
            self.device.write(self._block, self._offset(buffer.address), _bytes_of(buffer, array))

    def _restore(self, given: Sequence[Array]) -> None:
        if self._changed:
            self._upload(given)

    def _download(self, buffer: Buffer) -> Array:
        data = self.device.read(self._block, self._offset(buffer.address), buffer.nbytes)
        return items_of(data, _at_zero(buffer)).copy()


class LoadedHostProgram:
    """A host function here, its streams on a device."""

    def __init__(self, program: HostProgram, device: Device, timeout: float | None = None) -> None:
        self.program = program
        self.device = device
        self.seconds = 0.0
        """What the streams took the device in the last run."""
        self._runs: list[Callable[[], dict[str, int]]] | None = None
        self.streams: dict[str, LoadedStream] = {}
        try:
            for name, stream in program.devices.items():
                self.streams[name] = LoadedStream(stream, device, timeout)
        except BaseException:
            if not device.closed:
                self.close()
            raise

    def __repr__(self) -> str:
        return f"<LoadedHostProgram {self.program.host_function.sym_name.data} on {self.device.url}>"

    def __call__(self, *arrays: Array) -> Array | tuple[Array, ...]:
        """Run the host function; each call of a device function runs its stream on the device."""
        outputs = self._run_all(arrays)
        return outputs[0] if len(outputs) == 1 else outputs

    def time(self, *arrays: Array, number: int = 10, repeat: int = 3) -> Times:
        """Times of what the device does, all streams of a run together; the host's own time is not counted."""
        _check_counts(number, repeat)

        def once() -> float:
            self._run_all(arrays)
            return self.seconds

        return _timed(once, number, repeat, self)

    @property
    def counters(self) -> dict[str, int]:
        """What the device counted in the last run, all streams together. Raises `DeviceError` before the first run."""
        if self._runs is None:
            raise DeviceError("counters are those of a run: call the program first", "counters")
        counted: dict[str, int] = {}
        for found in self._runs:
            for counter, value in found().items():
                counted[counter] = counted.get(counter, 0) + value
        return counted

    def close(self) -> None:
        """Give back the memory on the device."""
        for stream in self.streams.values():
            stream.close()
        self.streams.clear()

    def _run_all(self, arrays: Sequence[Array]) -> tuple[Array, ...]:
        seconds = 0.0
        runs: list[Callable[[], dict[str, int]]] = []

        def run(name: str, inputs: Sequence[Array]) -> Sequence[Array]:
            nonlocal seconds
            stream = self.streams[name]
            found = stream(*inputs)
            seconds += stream.seconds
            runs.append(stream.counting())
            return found if isinstance(found, tuple) else (found,)

        outputs = self.program.run_host(arrays, run)
        self.seconds, self._runs = seconds, runs
        return outputs


class Loaded(Protocol):
    """A program on a device, of one stream or of several."""

    device: Device
    seconds: float

    def __call__(self, *arrays: Array) -> Array | tuple[Array, ...]: ...
    def time(self, *arrays: Array, number: int = 10, repeat: int = 3) -> Times: ...
    @property
    def counters(self) -> dict[str, int]: ...
    def close(self) -> None: ...


def load(program: Program | HostProgram, device: Device, timeout: float | None = None) -> Loaded:
    """Put a program on a device; `timeout` is in seconds, for each run of a stream. Raises `DeviceError`."""
    if isinstance(program, HostProgram):
        return LoadedHostProgram(program, device, timeout)
    return LoadedStream(program, device, timeout)


def _check_proven(program: Program, device: Device) -> None:
    """Raises `DeviceError` for a stream that hardware may not survive. A simulator finds out by itself."""
    if device.is_simulator:
        return
    is_hls = device.info.get("design") == "hls"
    judged = program
    if is_hls and not program.config.is_hls:
        judged = replace(program, config=replace(program.config, target=_HLS_TARGET))
    findings = check(judged)
    if findings and program.simulator_only:
        raise DeviceError(
            f"the program is for simulators, and was not launched: {findings[0].message}: compile it without what asks "
            "for that, such as acc_8bit",
            "relaxed",
        )
    if findings:
        hint = f": compile it with TARGET {_HLS_TARGET}" if judged is not program else ""
        raise DeviceError(
            f"the program is not proven safe, and was not launched: {findings[0].message}{hint}", findings[0].kind
        )


def _check_counts(number: int, repeat: int) -> None:
    if number < 1 or repeat < 1:
        raise DeviceError(f"cannot time {repeat} times {number} runs; at least one is required", "request")


def _timed(once: Callable[[], float], number: int, repeat: int, loaded: Loaded) -> Times:
    means = tuple(sum(once() for _ in range(number)) / number for _ in range(repeat))
    is_exact = loaded.device.info.get("exact_time") is True
    return Times(means, number, loaded.counters.get("cycles") if is_exact else None)


def _at_zero(buffer: Buffer) -> Buffer:
    return replace(buffer, address=0)


def _bytes_of(buffer: Buffer, array: Array) -> Image:
    """An argument as it lies in memory; gaps hold zeros."""
    if not buffer.strides:
        return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    image = np.zeros(buffer.nbytes, np.uint8)
    items_of(image, _at_zero(buffer))[...] = array
    return image
