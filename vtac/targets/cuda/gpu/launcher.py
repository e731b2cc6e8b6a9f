"""Launches a kernel's text on a GPU through cuda-core, and times it with events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType, TracebackType
from typing import Protocol, Self

import numpy as np

from vtac.errors import LaunchError, ToolMissingError
from vtac.targets.cuda.arrays import Array, checked_inputs
from vtac.targets.cuda.gpu.compile import CompiledKernel, compile_kernel
from vtac.targets.cuda.launch import LaunchRecord

_STATIC_SHARED_BYTES = 48 * 1024
_HOW = "install it with pip install 'vtac[gpu]', on a machine with an NVIDIA driver for CUDA 13"


@dataclass(frozen=True, slots=True)
class GpuRun:
    """Outputs of a launch in the record's order, and the time of each timed launch in milliseconds."""

    outputs: tuple[Array, ...]
    milliseconds: tuple[float, ...]
    device: str
    compiled: CompiledKernel

    @property
    def median_milliseconds(self) -> float:
        """The median over the timed launches; `LaunchError` when none was timed."""
        if not self.milliseconds:
            raise LaunchError("no launch was timed: pass repeats > 0 to run_on_gpu")
        return float(np.median(self.milliseconds))


def gpu_unavailable_reason() -> str | None:
    """Why kernels cannot be launched on this machine, or None when they can."""
    try:
        open_device(0)
    except ToolMissingError as error:
        return error.message
    return None


def device_architecture(device_index: int = 0) -> str:
    """The architecture of a device, as `sm_90`; `ToolMissingError` without one."""
    return open_device(device_index).architecture


def run_on_gpu(
    text: str,
    launch: LaunchRecord,
    arrays: Sequence[Array],
    *,
    repeats: int = 0,
    warm_up: int = 3,
    device_index: int = 0,
) -> GpuRun:
    """Compile CUDA C++ text for the device, launch it once, and return its outputs.

    `arrays` are the inputs in the record's order (bfloat16 as uint16). Then, for `repeats` > 0,
    `warm_up` untimed and `repeats` timed launches follow, each between two events. Raises
    `ToolMissingError` without cuda-core, a device or a CUDA compiler, `KernelTextError`,
    `LaunchError` when the arrays or the device do not fit the launch.
    """
    inputs = checked_inputs(launch, arrays)
    opened = open_device(device_index)
    compiled = compile_kernel(text, launch.kernel, opened.architecture)
    compiled.check_launch(launch)
    with _Session(opened, compiled, launch, inputs) as session:
        session.launch()
        session.wait()
        outputs = session.outputs()
        for _ in range(warm_up if repeats else 0):
            session.launch()
        milliseconds = tuple(session.timed_launch() for _ in range(repeats))
    return GpuRun(outputs, milliseconds, opened.name, compiled)


class Allocation(Protocol):
    @property
    def handle(self) -> int: ...
    def close(self, stream: _Stream) -> None: ...


class _Event(Protocol):
    def sync(self) -> None: ...
    def __sub__(self, other: _Event) -> float: ...


class _Stream(Protocol):
    def record(self, *, options: object) -> _Event: ...
    def sync(self) -> None: ...
    def close(self) -> None: ...


class _DeviceHandle(Protocol):
    @property
    def device_id(self) -> int: ...
    @property
    def default_stream(self) -> _Stream: ...
    def create_stream(self) -> _Stream: ...
    def allocate(self, size: int, *, stream: _Stream) -> Allocation: ...


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU, and the modules that drive it."""

    core: ModuleType
    driver: ModuleType
    handle: _DeviceHandle
    name: str
    architecture: str


def open_device(index: int) -> Device:
    """A device, made the current one; `ToolMissingError` without cuda-core, a driver or the device."""
    try:
        core = import_module("cuda.core")
        driver = import_module("cuda.bindings.driver")
    except ImportError as error:
        raise ToolMissingError(f"cannot run on a GPU: cuda-core cannot be imported ({error}); {_HOW}") from None
    try:
        device = core.Device(index)
        device.set_current()
        name, capability = str(device.name), device.compute_capability
    except Exception as error:  # cuda-core raises many kinds where there is no driver or no such device
        raise ToolMissingError(f"cannot run on a GPU: device {index} does not open ({error}); {_HOW}") from None
    return Device(core, driver, device, name, f"sm_{capability.major}{capability.minor}")


def prepared_kernel(device: Device, compiled: CompiledKernel, launch: LaunchRecord) -> object:
    """A kernel that is ready to launch: more than 48 KiB of dynamic shared memory must be asked for before."""
    kernel = device.core.ObjectCode.from_cubin(compiled.cubin).get_kernel(launch.kernel)
    if launch.shared_bytes <= _STATIC_SHARED_BYTES:
        return kernel
    driver = device.driver
    attribute = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    answer, number = driver.cuDeviceGet(int(device.handle.device_id))
    if answer == 0:
        (answer, *_) = driver.cuKernelSetAttribute(attribute, launch.shared_bytes, kernel.handle, number)
    if answer != 0:
        raise LaunchError(f"kernel `{launch.kernel}` on {device.name}: the driver answers {answer}")
    return kernel


class _Session:
    """Device memory, stream and kernel of one launch record, released on leaving."""

    def __init__(
        self, device: Device, compiled: CompiledKernel, launch: LaunchRecord, inputs: tuple[Array, ...]
    ) -> None:
        self._device = device
        self._launch = launch
        self._stream = device.handle.create_stream()
        self._buffers: list[Allocation] = []
        self._kernel = prepared_kernel(device, compiled, launch)
        self._config = device.core.LaunchConfig(grid=launch.grid, block=launch.block, shmem_size=launch.shared_bytes)
        self._upload(list(inputs))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for buffer in self._buffers:
            buffer.close(self._stream)
        self._stream.close()

    def launch(self) -> None:
        """Enqueue one launch."""
        self._device.core.launch(self._stream, self._config, self._kernel, *self._buffers)

    def wait(self) -> None:
        """Wait for everything enqueued."""
        self._stream.sync()

    def timed_launch(self) -> float:
        """Milliseconds of one launch, between two events."""
        options = self._device.core.EventOptions(timing_enabled=True)
        begin = self._stream.record(options=options)
        self.launch()
        end = self._stream.record(options=options)
        end.sync()
        return float(end - begin)

    def outputs(self) -> tuple[Array, ...]:
        """Copies of the output arrays."""
        arrays: list[Array] = []
        for parameter, buffer in zip(self._launch.parameters, self._buffers, strict=True):
            if parameter.role != "output":
                continue
            array = np.empty(parameter.shape, dtype=parameter.numpy_dtype)
            address = int(buffer.handle)
            self._check(self._device.driver.cuMemcpyDtoH(array.ctypes.data, address, array.nbytes))
            arrays.append(array)
        return tuple(arrays)

    def _upload(self, waiting: list[Array]) -> None:
        driver = self._device.driver
        for parameter in self._launch.parameters:
            self._buffers.append(self._device.handle.allocate(parameter.nbytes, stream=self._stream))
        self.wait()
        for parameter, buffer in zip(self._launch.parameters, self._buffers, strict=True):
            if parameter.role == "input":
                array = waiting.pop(0)
                self._check(driver.cuMemcpyHtoD(int(buffer.handle), array.ctypes.data, array.nbytes))
            else:
                self._check(driver.cuMemsetD8(int(buffer.handle), 0xFF, parameter.nbytes))
        # These go through the default stream, for which the launch's stream does not wait.
        self._check(driver.cuCtxSynchronize())

    def _check(self, answer: tuple[int, ...]) -> None:
        if answer[0] != 0:
            raise LaunchError(f"kernel `{self._launch.kernel}` on {self._device.name}: the driver answers {answer[0]}")
