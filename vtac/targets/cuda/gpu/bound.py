"""A CUDA program on one GPU: compiled there once, then launched on arrays that lie there, on the caller's stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import numpy as np

from vtac.errors import LaunchError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.device_arrays import DeviceArray, device_array, stream_handle
from vtac.targets.cuda.gpu.failures import checked, driver_failures
from vtac.targets.cuda.gpu.launcher import Allocation, open_device, prepared_kernel
from vtac.targets.cuda.plan import LaunchPlan, PlanBuffer

_ALIGNMENT = 32


class BoundProgram:
    """A program's kernels, constants and scratch memory on one GPU, released by `close` or on leaving a `with`.

    Calls only enqueue. They share the scratch memory: order calls on different streams one after the other.
    """

    def __init__(
        self, plan: LaunchPlan, texts: Sequence[str], constants: Mapping[str, Array], device_index: int = 0
    ) -> None:
        self.plan = plan
        self.device = open_device(device_index)
        self.compiled = tuple(
            compile_kernel(text, record.kernel, self.device.architecture)
            for text, record in zip(texts, plan.kernels, strict=True)
        )
        for one, record in zip(self.compiled, plan.kernels, strict=True):
            one.check_launch(record)
        core, handle = self.device.core, self.device.handle
        self._what = f"program `{plan.name}` on {self.device.name}"
        with driver_failures(self._what), ExitStack() as held:
            self._stream = handle.create_stream()
            held.callback(self._stream.close)
            self._kernels = [
                prepared_kernel(self.device, one, record)
                for one, record in zip(self.compiled, plan.kernels, strict=True)
            ]
            self._configs = [
                core.LaunchConfig(grid=record.grid, block=record.block, shmem_size=record.shared_bytes)
                for record in plan.kernels
            ]
            self._scratch = self._allocated(max(1, plan.scratch_bytes), held)
            self._constants = {buffer.name: self._allocated(buffer.nbytes, held) for buffer in plan.of_role("constant")}
            self._stream.sync()
            for name, buffer in self._constants.items():
                array = np.ascontiguousarray(constants[name])
                checked(
                    self.device.driver.cuMemcpyHtoD(int(buffer.handle), array.ctypes.data, array.nbytes), self._what
                )
            checked(self.device.driver.cuCtxSynchronize(), self._what)
            self._held = held.pop_all()

    def _allocated(self, nbytes: int, held: ExitStack) -> Allocation:
        """Memory on the GPU, which is released with what is held."""
        found = self.device.handle.allocate(nbytes, stream=self._stream)
        held.callback(found.close, self._stream)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release what lies on the GPU."""
        self._held.close()

    def __call__(self, *arrays: object, out: Sequence[object], stream: object = None) -> None:
        """Enqueue all launches: arguments and results are arrays on the GPU, of torch, cupy, numba or by DLPack.

        `out` are the results, in order; `stream` is a stream of one of these libraries or its handle, the default
        stream without. Raises `LaunchError` for arrays that do not fit, and for what the driver refuses.
        """
        handle = stream_handle(stream)
        memory = dict(zip(self._numbers("argument", len(arrays)), arrays, strict=True))
        memory |= dict(zip(self._numbers("result", len(out)), out, strict=True))
        given = {at: self._fitted(self.plan.buffers[at], value, handle) for at, value in memory.items()}
        core = self.device.core
        with driver_failures(self._what):
            for waited in {one.stream for one in given.values() if one.stream not in (None, handle)}:
                checked(self.device.driver.cuStreamSynchronize(waited), self._what)
            queue = core.Stream.from_handle(handle) if handle else self.device.handle.default_stream
            for step in self.plan.steps:
                addresses = [self._address(at, given) for at in step.buffers]
                core.launch(queue, self._configs[step.kernel], self._kernels[step.kernel], *addresses)

    def _numbers(self, role: str, count: int) -> list[int]:
        found = [at for at, buffer in enumerate(self.plan.buffers) if buffer.role == role]
        if len(found) != count:
            names = ", ".join(self.plan.buffers[at].name for at in found) or "none"
            raise LaunchError(f"program `{self.plan.name}` got {count} {role}s; it takes {len(found)}: {names}")
        return found

    def _fitted(self, buffer: PlanBuffer, value: object, stream: int) -> DeviceArray:
        where = f"{buffer.role} `{buffer.name}` of program `{self.plan.name}`"
        try:
            array = device_array(value, stream)
        except LaunchError as error:
            raise LaunchError(f"{where}: {error.message}") from None
        names = (buffer.dtype, buffer.numpy_dtype, f"u{buffer.dtype}")  # an unsigned array stands for signless integers
        if array.shape != buffer.shape or array.dtype not in names:
            raise LaunchError(f"{where} got {array}; it is {buffer.dtype} {list(buffer.shape)}")
        if array.address % _ALIGNMENT:
            raise LaunchError(
                f"{where} starts at address {array.address:#x}; a multiple of {_ALIGNMENT} is required for "
                "what moves as one: copy the slice"
            )
        if array.read_only and buffer.role == "result":
            raise LaunchError(f"{where} is read-only")
        return array

    def _address(self, at: int, given: Mapping[int, DeviceArray]) -> int:
        buffer = self.plan.buffers[at]
        if at in given:
            return given[at].address
        if buffer.role == "constant":
            return int(self._constants[buffer.name].handle)
        return int(self._scratch.handle) + (buffer.offset or 0)
