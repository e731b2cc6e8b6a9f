"""A CUDA program of a dynamic size: the outermost dimension of some arguments, such as a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from vtac.closing import Closing
from vtac.errors import LaunchError
from vtac.targets.cuda.arrays import Array, Given, arrays_of
from vtac.targets.cuda.cpu.running import CpuRun
from vtac.targets.cuda.dynamic_plan import DynamicPlan
from vtac.targets.cuda.gpu.launcher import GpuRun, OpenRun, Timing
from vtac.targets.cuda.network import CudaNetwork, Device
from vtac.targets.cuda.plan import LaunchPlan, PlanBuffer
from vtac.text.short import counted

if TYPE_CHECKING:
    from vtac.targets.cuda.gpu.bound import BoundProgram


@dataclass(frozen=True, repr=False)
class CudaDynamic(CudaNetwork):
    """Kernels that take arrays of any size along their outermost dimension, all of the same.

    `at` gives the program for one size; calls find the size out from their arrays. `plan`, `arguments` and `results`
    are those for a size of 1.
    """

    dynamic: DynamicPlan = field(kw_only=True)

    def __str__(self) -> str:
        """One line: what the program takes and gives, and how many kernels and launches it has."""
        plan = self.dynamic.plan
        taken, given = (", ".join(map(self._shown, plan.of_role(role))) for role in ("argument", "result"))
        kernels = counted(len(plan.kernels), "kernel")
        return f"{plan.name}({taken}) -> {given}: {kernels} in {len(plan.steps):,} launches"

    def _shown(self, buffer: PlanBuffer) -> str:
        shape = self._extents(buffer)
        return f"{buffer.name}: {buffer.dtype}[{', '.join(shape)}]"

    def _extents(self, buffer: PlanBuffer) -> list[str]:
        shape = [str(extent) for extent in buffer.shape]
        if self.dynamic.is_dynamic(buffer.shape):
            times = buffer.shape[0] // self.dynamic.stand_in
            shape[0] = "n" if times == 1 else f"{times} n"
        return shape

    def at(self, size: int) -> CudaNetwork:
        """The program for one size. Raises `LaunchError` for a size that its kernels cannot have."""
        plan = self.dynamic.at(size)
        constants = {**self.constants, self.dynamic.number: np.array([size], np.int32)}
        return CudaNetwork(self.text, plan, constants, None, self.cubins)

    def size_of(self, shapes: Sequence[Sequence[int]]) -> int:
        """The size that arrays of some shapes have. Raises `LaunchError` where they do not agree, or do not fit."""
        arguments = self.dynamic.plan.of_role("argument")
        if len(shapes) != len(arguments):
            names = ", ".join(one.name for one in arguments)
            raise LaunchError(
                f"program `{self.dynamic.plan.name}` got {len(shapes)} arrays; it takes {len(arguments)}: {names}"
            )
        found: dict[str, int] = {}
        for buffer, shape in zip(arguments, shapes, strict=True):
            if self.dynamic.is_dynamic(buffer.shape):
                found[buffer.name] = self._size(buffer, shape)
        sizes = set(found.values())
        if len(sizes) != 1:
            listed = ", ".join(f"`{name}` {size}" for name, size in found.items())
            raise LaunchError(
                f"program `{self.dynamic.plan.name}` got arrays of different sizes: {listed}; all have to agree"
            )
        return sizes.pop()

    def _size(self, buffer: PlanBuffer, shape: Sequence[int]) -> int:
        times = buffer.shape[0] // self.dynamic.stand_in
        if len(shape) != len(buffer.shape) or tuple(shape[1:]) != buffer.shape[1:] or shape[0] % times:
            raise LaunchError(
                f"argument `{buffer.name}` of program `{self.dynamic.plan.name}` got an array of {list(shape)}; it is "
                f"{buffer.numpy_dtype} [{', '.join(self._extents(buffer))}] for a size n"
            )
        return shape[0] // times

    def __call__(self, *arrays: Array, device: Device = "cpu", blocks: int | None = None) -> Array | tuple[Array, ...]:
        """Run on arrays that agree in the size, as the program for that size does."""
        return self._for(arrays)(*arrays, device=device, blocks=blocks)

    def run_on_cpu(self, *arrays: Given, blocks: int | Sequence[int] | None = None) -> CpuRun:
        """Execute the text of all kernels on the CPU."""
        return self._for(arrays_of(arrays)).run_on_cpu(*arrays, blocks=blocks)

    def run_on_gpu(self, *arrays: Given, repeats: int = 0, timing: Timing | None = None) -> GpuRun:
        """Launch all kernels on the GPU."""
        return self._for(arrays_of(arrays)).run_on_gpu(*arrays, repeats=repeats, timing=timing)

    def _for(self, arrays: Sequence[Array]) -> CudaNetwork:
        return self.at(self.size_of([np.shape(array) for array in arrays]))

    def opened_on_gpu(self, *arrays: Given) -> AbstractContextManager[OpenRun]:
        """The program on a GPU with arrays of its own, to be timed as often as wanted."""
        return self._for(arrays_of(arrays)).opened_on_gpu(*arrays)

    def sizes_on_gpu(self, device: int = 0) -> DynamicBound:
        """The program on a GPU: for arrays of any size that lie there, on the caller's stream."""
        return DynamicBound(self, device)

    def on_gpu(self, device: int = 0) -> NoReturn:
        """Raises `LaunchError`: what is put on a GPU depends on the size."""
        raise LaunchError(
            f"program `{self.dynamic.plan.name}` has a dynamic size: take sizes_on_gpu, or at(size).on_gpu for one"
        )

    def torch_op(self, name: str) -> NoReturn:
        """Raises `LaunchError`: an operator is of one size."""
        raise LaunchError(f"operator {name}: '{self.dynamic.plan.name}' has a dynamic size: take at(size).torch_op")

    def report(self, path: str | Path | None = None) -> NoReturn:
        """Raises `LaunchError`: a report is of one size."""
        raise LaunchError(f"program `{self.dynamic.plan.name}` has a dynamic size: take at(size).report")

    def _recorded(self) -> tuple[LaunchPlan, Mapping[str, object] | None]:
        return self.dynamic.plan, self.dynamic.to_json()


class DynamicBound(Closing):
    """A program on one GPU, with constants and scratch memory for each size that it has been called with."""

    def __init__(self, program: CudaDynamic, device: int) -> None:
        self.program = program
        self.device = device
        self._held = ExitStack()
        self._bound: dict[int, BoundProgram] = {}

    def at(self, size: int) -> BoundProgram:
        """The program for one size on the GPU."""
        if size not in self._bound:
            self._bound[size] = self._held.enter_context(self.program.at(size).on_gpu(self.device))
        return self._bound[size]

    def __call__(self, *arrays: object, out: Sequence[object], stream: object = None) -> None:
        """Enqueue all launches on arrays on the GPU, which say the size; see `BoundProgram`."""
        from vtac.targets.cuda.gpu.device_arrays import device_array, stream_handle

        handle = stream_handle(stream)
        shapes = [device_array(one, handle).shape for one in arrays]
        self.at(self.program.size_of(shapes))(*arrays, out=out, stream=stream)

    def close(self) -> None:
        """Give back what lies on the GPU."""
        self._held.close()
        self._bound.clear()


def dynamic_program(network: CudaNetwork, fields: object, source: str) -> CudaDynamic:
    """The program that a saved one is, from what its record says of the size."""
    dynamic = DynamicPlan.from_json(network.plan, fields, source)
    return CudaDynamic(network.text, dynamic.at(1), network.constants, None, network.cubins, dynamic=dynamic)
