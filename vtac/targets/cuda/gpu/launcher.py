"""Runs a program on a GPU with numpy arrays: copies them there, launches, copies the results back, and takes times."""

from __future__ import annotations

import ctypes
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np

from vtac.errors import LaunchError
from vtac.targets.cuda.arrays import Array, checked_inputs
from vtac.targets.cuda.gpu.compile import CompiledKernel
from vtac.targets.cuda.gpu.cubins import Cubins, compiled_for
from vtac.targets.cuda.gpu.device import open_device
from vtac.targets.cuda.gpu.loaded import UNWRITTEN, LoadedPlan, load_plan
from vtac.targets.cuda.launch import LaunchRecord
from vtac.targets.cuda.plan import LaunchPlan, plan_of


@dataclass(frozen=True, slots=True)
class GpuRun:
    """Results in order, the time of each timed run of all launches in milliseconds, and the compiled kernels."""

    outputs: tuple[Array, ...]
    milliseconds: tuple[float, ...]
    device: str
    compiled: tuple[CompiledKernel, ...]

    @property
    def median_milliseconds(self) -> float:
        """The median over the timed runs; `LaunchError` when none was timed."""
        if not self.milliseconds:
            raise LaunchError("no launch was timed: pass repeats > 0 to run_on_gpu")
        return float(np.median(self.milliseconds))


@dataclass(frozen=True, slots=True)
class Timing:
    """How a program is timed: `repeats` samples after `warm_up` untimed runs.

    A sample is the time between two events around `burst` runs, divided by these; several are one graph, so that no
    gap between launches is Python's. Before each sample `flush_bytes` of other memory are written, which empties a
    cache of that size.
    """

    repeats: int = 0
    warm_up: int = 3
    burst: int = 1
    flush_bytes: int = 0

    def __post_init__(self) -> None:
        if self.burst < 1 or min(self.repeats, self.warm_up, self.flush_bytes) < 0:
            raise LaunchError(f"{self}: one run in a burst or more, and no negative number, is required")


def run_on_gpu(
    text: str, launch: LaunchRecord, arrays: Sequence[Array], timing: Timing | None = None, *, device_index: int = 0
) -> GpuRun:
    """`run_plan_on_gpu` of one kernel; `arrays` are the inputs in the record's order (bfloat16 as uint16)."""
    return run_plan_on_gpu(
        text, plan_of(launch, ()), checked_inputs(launch, arrays), {}, timing, device_index=device_index
    )


def run_plan_on_gpu(
    text: str,
    plan: LaunchPlan,
    arrays: Sequence[Array],
    constants: Mapping[str, Array],
    timing: Timing | None = None,
    *,
    cubins: Cubins | None = None,
    device_index: int = 0,
) -> GpuRun:
    """Launch a plan's kernels once on dense arrays, its arguments in order, and return its results; then take times.

    Raises `ToolMissingError` without a driver, a device or a CUDA compiler, `KernelTextError`, `LaunchError`.
    """
    with opened_run(text, plan, arrays, constants, cubins=cubins, device_index=device_index) as run:
        run.launch()
        outputs = run.outputs()
        milliseconds = run.timed(timing) if timing is not None and timing.repeats else ()
        return GpuRun(outputs, milliseconds, run.loaded.device.name, run.compiled)


@contextmanager
def opened_run(
    text: str,
    plan: LaunchPlan,
    arrays: Sequence[Array],
    constants: Mapping[str, Array],
    *,
    cubins: Cubins | None = None,
    device_index: int = 0,
) -> Generator[OpenRun]:
    """A plan on a device with its arrays, to be launched and timed as often as wanted; given back afterwards."""
    device = open_device(device_index)
    compiled = compiled_for(text, [record.kernel for record in plan.kernels], device.architecture, cubins)
    with device.current(), ExitStack() as held:
        run = OpenRun(load_plan(device, plan, compiled, constants, held), compiled, held)
        run.upload(arrays)
        yield run


@dataclass
class OpenRun:
    """A loaded plan with arrays of its own on a stream of its own."""

    loaded: LoadedPlan
    compiled: tuple[CompiledKernel, ...]
    held: ExitStack
    stream: int = 0
    addresses: dict[int, int] = field(default_factory=dict[int, int])

    def upload(self, arrays: Sequence[Array]) -> None:
        """Allocate arguments and results, and fill them: results with no numbers."""
        device, what, waiting = self.loaded.device, self.loaded.what, list(arrays)
        self.stream = device.create_stream(what, self.held)
        for at, buffer in enumerate(self.loaded.plan.buffers):
            if buffer.role in ("argument", "result"):
                address = self.addresses[at] = device.allocate(buffer.nbytes, what, self.held)
                if buffer.role == "argument":
                    device.upload(np.ascontiguousarray(waiting.pop(0)), address, what)
                else:
                    device.driver.call("cuMemsetD8_v2", address, UNWRITTEN, buffer.nbytes, what=what)
        device.synchronize(what)

    def launch(self) -> None:
        """Launch the plan once and wait for it."""
        self.loaded.enqueue(self.stream, self.addresses)
        self.loaded.device.wait(self.stream, self.loaded.what)

    def outputs(self) -> tuple[Array, ...]:
        """Copies of the results."""
        found: list[Array] = []
        for at, buffer in enumerate(self.loaded.plan.buffers):
            if buffer.role == "result":
                found.append(np.empty(buffer.shape, buffer.numpy_dtype))
                self.loaded.device.download(self.addresses[at], found[-1], self.loaded.what)
        return tuple(found)

    def timed(self, timing: Timing) -> tuple[float, ...]:
        """Milliseconds of one run, as each sample gives them."""
        with ExitStack() as held:
            return self._timed(timing, held)

    def _timed(self, timing: Timing, held: ExitStack) -> tuple[float, ...]:
        loaded, driver, what = self.loaded, self.loaded.device.driver, self.loaded.what
        begin, end = (loaded.device.create_event(what, held) for _ in range(2))
        flushed = loaded.device.allocate(timing.flush_bytes, what, held) if timing.flush_bytes else 0
        graph = loaded.device.capture(lambda stream: self._burst(stream, timing.burst), what, held)
        for _ in range(timing.warm_up):
            driver.call("cuGraphLaunch", graph, self.stream, what=what)
        samples: list[float] = []
        for _ in range(timing.repeats):
            if flushed:
                driver.call("cuMemsetD8Async", flushed, 0, timing.flush_bytes, self.stream, what=what)
            driver.call("cuEventRecord", begin, self.stream, what=what)
            driver.call("cuGraphLaunch", graph, self.stream, what=what)
            driver.call("cuEventRecord", end, self.stream, what=what)
            driver.call("cuEventSynchronize", end, what=what)
            passed = ctypes.c_float()
            driver.call("cuEventElapsedTime", ctypes.byref(passed), begin, end, what=what)
            samples.append(passed.value / timing.burst)
        return tuple(samples)

    def _burst(self, stream: int, runs: int) -> None:
        for _ in range(runs):
            self.loaded.enqueue(stream, self.addresses)
