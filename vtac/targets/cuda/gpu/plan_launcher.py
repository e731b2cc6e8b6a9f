"""Launches the kernels of a plan on a GPU through cuda-core, one after the other on one stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vtac.errors import LaunchError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.gpu.compile import CompiledKernel, compile_kernel
from vtac.targets.cuda.gpu.launcher import Device, open_device, prepared_kernel
from vtac.targets.cuda.plan import LaunchPlan

_FILL = 0xFF


@dataclass(frozen=True, slots=True)
class PlanGpuRun:
    """Results of a plan, the time of each timed run of all its launches in milliseconds, and its compiled kernels."""

    outputs: tuple[Array, ...]
    milliseconds: tuple[float, ...]
    device: str
    compiled: tuple[CompiledKernel, ...]

    @property
    def median_milliseconds(self) -> float:
        """The median over the timed runs; `LaunchError` when none was timed."""
        if not self.milliseconds:
            raise LaunchError("no run was timed: pass repeats > 0 to run_on_gpu")
        return float(np.median(self.milliseconds))


def run_plan_on_gpu(
    texts: Sequence[str],
    plan: LaunchPlan,
    arrays: Sequence[Array],
    constants: Mapping[str, Array],
    *,
    repeats: int = 0,
    warm_up: int = 3,
    device_index: int = 0,
) -> PlanGpuRun:
    """Compile each kernel's text for the device, launch the plan once, and return its results.

    Then, for `repeats` > 0, `warm_up` untimed and `repeats` timed runs follow, each between two events. Raises
    `ToolMissingError` without cuda-core, a device or a CUDA compiler, `KernelTextError`, `LaunchError`.
    """
    device = open_device(device_index)
    compiled = tuple(
        compile_kernel(text, record.kernel, device.architecture)
        for text, record in zip(texts, plan.kernels, strict=True)
    )
    for one, record in zip(compiled, plan.kernels, strict=True):
        one.check_launch(record)
    session = _PlanSession(device, plan, compiled)
    try:
        session.upload(arrays, constants)
        session.launch()
        session.stream.sync()
        outputs = session.outputs()
        for _ in range(warm_up if repeats else 0):
            session.launch()
        milliseconds = tuple(session.timed() for _ in range(repeats))
    finally:
        session.close()
    return PlanGpuRun(outputs, milliseconds, device.name, compiled)


class _PlanSession:
    """Device memory, stream and kernels of one plan."""

    def __init__(self, device: Device, plan: LaunchPlan, compiled: Sequence[CompiledKernel]) -> None:
        self._device = device
        self._plan = plan
        self.stream = device.handle.create_stream()
        self._kernels = [
            prepared_kernel(device, one, record) for one, record in zip(compiled, plan.kernels, strict=True)
        ]
        self._configs = [
            device.core.LaunchConfig(grid=record.grid, block=record.block, shmem_size=record.shared_bytes)
            for record in plan.kernels
        ]
        self._held = [
            None if buffer.role == "scratch" else device.handle.allocate(buffer.nbytes, stream=self.stream)
            for buffer in plan.buffers
        ]
        self._scratch = device.handle.allocate(max(1, plan.scratch_bytes), stream=self.stream)
        self.stream.sync()

    def close(self) -> None:
        """Release what is held."""
        for buffer in (*self._held, self._scratch):
            if buffer is not None:
                buffer.close(self.stream)
        self.stream.close()

    def upload(self, arrays: Sequence[Array], constants: Mapping[str, Array]) -> None:
        """Copy arguments and constants; everything else starts as no numbers."""
        driver, waiting = self._device.driver, list(arrays)
        for at, buffer in enumerate(self._plan.buffers):
            if buffer.role in ("argument", "constant"):
                given = waiting.pop(0) if buffer.role == "argument" else constants[buffer.name]
                array = np.ascontiguousarray(given)
                self._check(driver.cuMemcpyHtoD(self._address(at), array.ctypes.data, array.nbytes))
            elif buffer.role == "result":
                self._check(driver.cuMemsetD8(self._address(at), _FILL, buffer.nbytes))
        if self._plan.scratch_bytes:
            self._check(driver.cuMemsetD8(int(self._scratch.handle), _FILL, self._plan.scratch_bytes))
        self._check(driver.cuCtxSynchronize())

    def launch(self) -> None:
        """Enqueue every launch of the plan."""
        for step in self._plan.steps:
            addresses = [self._address(at) for at in step.buffers]
            self._device.core.launch(self.stream, self._configs[step.kernel], self._kernels[step.kernel], *addresses)

    def timed(self) -> float:
        """Milliseconds of all launches, between two events."""
        options = self._device.core.EventOptions(timing_enabled=True)
        begin = self.stream.record(options=options)
        self.launch()
        end = self.stream.record(options=options)
        end.sync()
        return float(end - begin)

    def outputs(self) -> tuple[Array, ...]:
        """Copies of the results."""
        found: list[Array] = []
        for at, buffer in enumerate(self._plan.buffers):
            if buffer.role == "result":
                array = np.empty(buffer.shape, dtype=buffer.numpy_dtype)
                self._check(self._device.driver.cuMemcpyDtoH(array.ctypes.data, self._address(at), array.nbytes))
                found.append(array)
        return tuple(found)

    def _address(self, at: int) -> int:
        held = self._held[at]
        return int(self._scratch.handle) + (self._plan.buffers[at].offset or 0) if held is None else int(held.handle)

    def _check(self, answer: tuple[int, ...]) -> None:
        if answer[0] != 0:
            raise LaunchError(f"program `{self._plan.name}` on {self._device.name}: the driver answers {answer[0]}")
