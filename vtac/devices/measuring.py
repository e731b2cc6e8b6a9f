"""Programs on several devices of one kind, side by side: each thread has one device, and takes the next program.

A device that is gone, or lost, is left out from then on, and what it had is given to another one. A program that two
devices were lost with is passed over.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import cast

import numpy as np

from vtac.devices.agent.streams import layout
from vtac.devices.device import Device
from vtac.devices.opening import Credentials, open_all
from vtac.dialects.hardware import VTAConfig
from vtac.errors import DeviceError, VtacError
from vtac.store.records import Outcome
from vtac.targets.vta.isa import WORD_BYTES
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.tuning.measuring import Machine, Task, machine_of, reading
from vtac.targets.vta.tuning.result import Unit

REPEAT = 3
_MEAN_SECONDS = 0.02
"""What the runs of one mean shall take together."""
_MOST_RUNS = 100
_RUN_SECONDS = 120.0
"""The longest that a run may take."""
_MAY_LOSE = 2
"""Devices that a program may lose before it counts as the reason."""
_NOT_OURS = frozenset({"bitstream", "busy"})
"""Reasons of refusals by which another client has the device."""


class _Waiting:
    """Programs that no device has, and how many devices were lost with each."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = tasks
        self._changed = threading.Condition()
        self._places = deque(range(len(tasks)))
        self._losses = [0] * len(tasks)
        self._at_work = 0

    def next(self) -> int | None:
        """A program, once there is one; None when none will come back any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._places or not self._at_work)
            if not self._places:
                return None
            self._at_work += 1
            return self._places.popleft()

    def finish(self) -> None:
        """What a device had is done."""
        with self._changed:
            self._at_work -= 1
            self._changed.notify_all()

    def lose(self, place: int) -> bool:
        """What a device had is lost with it: another one gets it, or, False, it counts as the reason."""
        with self._changed:
            self._losses[place] += 1
            comes_back = self._losses[place] < _MAY_LOSE
            if comes_back:
                self._places.append(place)
            self._at_work -= 1
            self._changed.notify_all()
            return comes_back

    def clear(self) -> None:
        """Nothing more is to be given out."""
        with self._changed:
            self._places.clear()
            self._changed.notify_all()


_Message = tuple[Device, int, Outcome | BaseException | None]
"""A device, the place of a program, and what became of it; None or an error where the device has ended."""


class DeviceBench:
    """Devices that programs are measured on, which all have the same kind, configuration and clock."""

    def __init__(self, devices: Sequence[Device], machine: Machine, passed_over: Sequence[str]) -> None:
        self.machine = machine
        self._devices = list(devices)
        self._notes = list(passed_over)
        self._building = threading.Lock()

    @property
    def urls(self) -> Sequence[str]:
        return [device.url for device in self._devices]

    def notes(self) -> Sequence[str]:
        return list(self._notes)

    def measure(self, tasks: Sequence[Task], take: Callable[[int, Outcome], None]) -> None:
        """Run all tasks; `take` hears what became of each. Raises `DeviceError` when no device is left."""
        waiting, done = _Waiting(tasks), 0
        said: SimpleQueue[_Message] = SimpleQueue()
        at_work = len(self._devices)
        threads = [
            threading.Thread(target=self._work, args=(device, waiting, said), daemon=True) for device in self._devices
        ]
        try:
            for thread in threads:
                thread.start()
            while at_work:
                device, place, message = said.get()
                if isinstance(message, Outcome):
                    done += 1
                    take(place, message)
                    continue
                at_work -= 1
                if isinstance(message, DeviceError):
                    self._leave_out(device, message)
                elif message is not None:
                    raise message
        finally:
            waiting.clear()
            for thread in threads:
                thread.join()  # no memory is given back while a device works on it
        if done < len(tasks):
            kept = f"; {done} of {len(tasks)} programs were measured" if done else ""
            raise DeviceError(f"no device is left to measure on: {'; '.join(self._notes)}{kept}", "pool")

    def close(self) -> None:
        for device in self._devices:
            with suppress(VtacError):
                device.close()

    def _leave_out(self, device: Device, why: DeviceError) -> None:
        self._devices.remove(device)
        self._notes.append(f"{device.url} was left out: {why}")
        with suppress(VtacError):
            device.close()

    def _work(self, device: Device, waiting: _Waiting, said: SimpleQueue[_Message]) -> None:
        """One device's programs, until there are none, or it is gone."""
        try:
            while (place := waiting.next()) is not None:
                try:
                    outcome = self._measured(device, waiting.tasks[place])
                except DeviceError as error:
                    if not waiting.lose(place):
                        reason = f"{_MAY_LOSE} devices were lost with it, the last one: {error}"
                        said.put((device, place, Outcome("crashed", message=reason)))
                    raise
                except BaseException:
                    waiting.finish()
                    raise
                said.put((device, place, outcome))
                waiting.finish()
        except BaseException as error:
            said.put((device, -1, error))
        else:
            said.put((device, -1, None))

    def _measured(self, device: Device, task: Task) -> Outcome:
        """What becomes of one program. Raises `DeviceError` where the device is of no use any more."""
        try:
            with self._building:
                program = task.program()
                arrays = _arguments(program)
                expected = program(*arrays)
            return _run(device, program, arrays, expected)
        except VtacError as error:
            if isinstance(error, DeviceError) and _is_gone(device, error):
                raise
            return Outcome("refused", message=str(error))


def open_bench(given: str | Sequence[str], config: VTAConfig, credentials: Credentials | None = None) -> DeviceBench:
    """The devices of some URLs on which programs of a configuration can be measured.

    What is unreachable, lost, or of another configuration, kind or clock than the first that fits is passed over.
    Raises `DeviceError` where none is left.
    """
    names = ",".join(given) if not isinstance(given, str) else given
    devices, passed_over = open_all(names, credentials, config=config)
    machine = _machine(devices[0], config)
    taken: list[Device] = []
    for device in devices:
        other = _machine(device, config)
        if other.text == machine.text:
            taken.append(device)
        else:
            passed_over.append(f"{device.url} was left out: {other.label}, where the first is {machine.label}")
            device.close()
    return DeviceBench(taken, machine, passed_over)


def _machine(device: Device, config: VTAConfig) -> Machine:
    kind, clock = device.info.get("kind"), device.info.get("clock_hz")
    counters = cast("Sequence[object]", device.info.get("counters") or ())
    unit: Unit = "seconds" if "cycles" not in counters else "cycles"
    if device.info.get("exact_time") is True:
        unit = "exact cycles"
    own = device.config
    same = own is None or layout(dict(own.to_fields())) == layout(dict(config.to_fields()))
    return machine_of(str(kind), config if own is None or same else own, clock if isinstance(clock, int) else 0, unit)


def _run(device: Device, program: VtaProgram, arrays: Sequence[Array], expected: Array | tuple[Array, ...]) -> Outcome:
    """Times of right runs; exact ones need one."""
    loaded = program.to(device, _RUN_SECONDS)
    try:
        outputs = loaded(*arrays)
        wrong = _differing(outputs, expected)
        if wrong:
            return Outcome("failed", message=f"{wrong:,} numbers are not those of the interpreter")
        seconds, runs = loaded.seconds, 1
        if device.info.get("exact_time") is not True:
            number = max(1, min(_MOST_RUNS, round(_MEAN_SECONDS / max(seconds, 1e-9))))
            seconds, runs = loaded.time(*arrays, number=number, repeat=REPEAT).best, number * REPEAT
        instructions = sum(len(stream.instructions) // WORD_BYTES for stream in program.devices.values())
        return reading(seconds, loaded.counters.get("cycles", 0), instructions, runs)
    finally:
        with suppress(DeviceError):
            loaded.close()


def _is_gone(device: Device, error: DeviceError) -> bool:
    """Whether a refusal leaves nothing to measure on."""
    if error.reason in _NOT_OURS:
        return True
    try:
        return bool(device.query().get("lost"))
    except DeviceError:
        return True


def _differing(outputs: Array | tuple[Array, ...], expected: Array | tuple[Array, ...]) -> int:
    found = outputs if isinstance(outputs, tuple) else (outputs,)
    wanted = expected if isinstance(expected, tuple) else (expected,)
    return sum(int(np.count_nonzero(one != other)) for one, other in zip(found, wanted, strict=True))


def _arguments(program: VtaProgram) -> list[Array]:
    """Random arguments, the same in every run."""
    generator = np.random.default_rng(0)
    found: list[Array] = []
    for buffer in program.arguments:
        dtype = np.dtype(buffer.dtype)
        least, most = (0, 2) if dtype.kind == "b" else (0 if dtype.kind == "u" else -128, 128)
        found.append(cast("Array", generator.integers(least, most, buffer.shape).astype(dtype)))
    return found
