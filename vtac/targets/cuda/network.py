"""A CUDA program of several kernels: their text, the plan of their launches, and calls to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np

from vtac.errors import CompileError, LaunchError
from vtac.files.archives import archive_of
from vtac.files.folders import write_folder
from vtac.files.whole import write_output
from vtac.lazily import text_by
from vtac.targets.cuda.arrays import Array, Given, arrays_of, described, fitted
from vtac.targets.cuda.compiled import Compiled
from vtac.targets.cuda.cpu.running import CpuRun, run_on_cpu
from vtac.targets.cuda.gpu.cubins import Cubins, compiled_cubins, cubin_files
from vtac.targets.cuda.gpu.launcher import GpuRun, OpenRun, Timing, opened_run, run_plan_on_gpu
from vtac.targets.cuda.gpu.loaded import UNWRITTEN
from vtac.targets.cuda.launch import LaunchRecord, Parameter
from vtac.targets.cuda.plan import LaunchPlan, PlanBuffer
from vtac.targets.cuda.plan_record import CONSTANTS_FILE, PLAN_FILE, TEXT_FILE, record_of
from vtac.text.short import counted, signature

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.targets.cuda.gpu.bound import BoundProgram
    from vtac.targets.cuda.gpu.compile import CompiledKernel

Device = Literal["cpu", "gpu"]
Launch = Callable[[str, LaunchRecord, Sequence[Array]], tuple[Array, ...]]
"""Runs one kernel's text on its inputs and gives its outputs."""

MARK = "// Kernel "
"""Begins the part of a text that holds one kernel."""


@dataclass(frozen=True, repr=False)
class CudaNetwork(Compiled):
    """Kernels that are launched one after the other, which can be called, saved and inspected.

    `text` is complete CUDA C++: what all kernels include, then each kernel after a line `// Kernel <name>`.
    `constants` are the contents of buffers that the program has from its own, by name.
    """

    text: str
    plan: LaunchPlan
    constants: Mapping[str, Array] = field(default_factory=dict[str, Array])
    source: ModuleOp | None = field(default=None, repr=False, compare=False)
    """What it was compiled from, hardware and schedule settled; None for a saved program."""
    cubins: Cubins = field(default_factory=dict[str, "tuple[CompiledKernel, ...]"], repr=False, compare=False)
    """The kernels compiled for architectures that it was saved for."""

    def __str__(self) -> str:
        """One line: what the program takes and gives, how many kernels and launches it has, and its scratch memory."""
        kernels, launches = len(self.plan.kernels), len(self.plan.steps)
        name = signature(self.plan.name, self.arguments, self.results)
        scratch = f"{self.plan.scratch_bytes:,} bytes of scratch memory"
        return f"{name}: {counted(kernels, 'kernel')} in {launches:,} launches, {scratch}"

    _repr_html_ = text_by("vtac.report.notebook", "cuda_network_html")

    @property
    def launch(self) -> NoReturn:
        """The launch of the only kernel: there are several. Raises `LaunchError`."""
        raise LaunchError(f"program '{self.plan.name}' has {len(self.plan.kernels)} kernels: see its plan")

    @property
    def arguments(self) -> tuple[Parameter, ...]:
        """What a caller passes, in order."""
        return tuple(Parameter(one.name, "input", one.dtype, one.shape) for one in self.plan.of_role("argument"))

    @property
    def results(self) -> tuple[Parameter, ...]:
        """What a call returns, in order."""
        return tuple(Parameter(one.name, "output", one.dtype, one.shape) for one in self.plan.of_role("result"))

    def kernel_text(self, kernel: LaunchRecord) -> str:
        """The text of one kernel alone, complete CUDA C++. Raises `CompileError` for a text that lacks it."""
        head, *parts = self.text.split(f"\n{MARK}")
        found = next((part for part in parts if part.split("\n", 1)[0] == kernel.kernel), None)
        if found is None:
            raise CompileError(f"the text has no line '{MARK}{kernel.kernel}'")
        return f"{head}\n{MARK}{found}"

    def __call__(self, *arrays: Array, device: Device = "cpu", blocks: int | None = None) -> Array | tuple[Array, ...]:
        """Run all kernels on arrays of the arguments' shapes and dtypes (bfloat16 as uint16).

        On the CPU the text of each kernel is executed, all of its blocks. Raises `LaunchError` for arrays that do not
        fit, `KernelFault` for what a kernel does wrong, `ToolMissingError` without a C++ compiler or a GPU.
        """
        if blocks is not None:
            raise LaunchError(f"blocks={blocks}: a kernel needs all that the ones before it compute; leave blocks out")
        if device not in ("cpu", "gpu"):
            raise LaunchError(f"device {device!r} is not known; the devices are 'cpu' and 'gpu'")
        run = self.run_on_cpu(arrays) if device == "cpu" else self.run_on_gpu(arrays)
        return run.outputs[0] if len(run.outputs) == 1 else run.outputs

    def run_on_cpu(self, *arrays: Given, blocks: int | Sequence[int] | None = None) -> CpuRun:
        """Execute the text of all kernels on the CPU: the outputs, every element of which is written.

        `arrays` are those of a call, one after the other or in one list. Scratch buffers lie where the plan puts them,
        and hold no numbers until a kernel has written them. Raises what a call does, and `LaunchError` for a part of
        the blocks.
        """
        if blocks is not None:
            raise LaunchError(f"blocks={blocks}: a kernel needs all that the ones before it compute; leave blocks out")
        outputs = self.run_with(arrays_of(arrays), _on_cpu)
        written = tuple(np.ones(output.shape, np.bool_) for output in outputs)
        return CpuRun(outputs, written, ())

    def run_on_gpu(self, *arrays: Given, repeats: int = 0, timing: Timing | None = None) -> GpuRun:
        """Launch all kernels on the GPU, on one stream: the outputs, and milliseconds of `repeats` timed runs."""
        return run_plan_on_gpu(
            self.text,
            self.plan,
            self._fitted(arrays_of(arrays)),
            self.constants,
            timing or Timing(repeats),
            cubins=self.cubins,
        )

    def opened_on_gpu(self, *arrays: Given) -> AbstractContextManager[OpenRun]:
        """The program on a GPU with arrays of its own, to be timed as often as wanted."""
        return opened_run(self.text, self.plan, self._fitted(arrays_of(arrays)), self.constants, cubins=self.cubins)

    def on_gpu(self, device: int = 0) -> BoundProgram:
        """The program on a GPU, compiled there once: for arrays that lie there, on the caller's stream."""
        from vtac.targets.cuda.gpu.bound import BoundProgram

        return BoundProgram(self.plan, self.text, self.constants, device, self.cubins)

    def torch_op(self, name: str) -> Callable[..., Any]:
        """The program as an operator of PyTorch under a name, as `mine::encoder`; see `vtac.targets.cuda.torch_op`."""
        from vtac.targets.cuda.torch_op import torch_op

        return torch_op(self, name)

    def run_with(self, arrays: Sequence[Array], launch: Launch) -> tuple[Array, ...]:
        """Run the plan step by step with what runs one kernel; the results."""
        given = dict(zip((one.name for one in self.plan.of_role("argument")), self._fitted(arrays), strict=True))
        scratch = np.full(self.plan.scratch_bytes, UNWRITTEN, np.uint8)
        memory = [_memory(buffer, given, self.constants, scratch) for buffer in self.plan.buffers]
        for step in self.plan.steps:
            record = self.plan.kernels[step.kernel]
            seen = [(p, memory[at].view(p.numpy_dtype)) for p, at in zip(record.parameters, step.buffers, strict=True)]
            inputs = [array.reshape(p.shape) for p, array in seen if p.role == "input"]
            outputs = launch(self.kernel_text(record), record, inputs)
            for (_, target), output in zip([one for one in seen if one[0].role == "output"], outputs, strict=True):
                target[:] = output.reshape(-1)
        found = [
            array.view(buffer.numpy_dtype).reshape(buffer.shape)
            for buffer, array in zip(self.plan.buffers, memory, strict=True)
            if buffer.role == "result"
        ]
        return tuple(found)

    def emit(self, path: str | Path) -> None:
        """Write the text to a file. Raises `CompileError` for a file that cannot be written."""
        try:
            write_output(Path(path), self.text.encode())
        except OSError as error:
            raise CompileError(f"cannot write {path}: {error.strerror}") from None

    def save(self, directory: str | Path, architectures: Sequence[str] = ()) -> None:
        """Write `kernels.cu`, `plan.json` and, if there are any, `constants.npz` and cubins: all of them, or none.

        `plan.json` is the launch plan, with digests of the other files. For each of the architectures the kernels are
        compiled and kept: who loads them needs no compiler on such a GPU. A missing directory is made; a program in
        it is replaced, other files in it stay. Raises `CompileError` for a folder that cannot be written.
        """
        names = [record.kernel for record in self.plan.kernels]
        cubins = {**self.cubins, **compiled_cubins(self.text, names, architectures)}
        files = {TEXT_FILE: self.text.encode(), **cubin_files(TEXT_FILE, cubins)}
        if self.constants:
            files[CONSTANTS_FILE] = archive_of(self.constants)
        plan, dynamic = self._recorded()
        try:
            write_folder(Path(directory), {**files, PLAN_FILE: record_of(plan, files, cubins, dynamic)})
        except OSError as error:
            named = isinstance(error, FileExistsError) and isinstance(error.filename, str)
            raise CompileError(f"cannot save to {error.filename if named else directory}: {error.strerror}") from None

    def _recorded(self) -> tuple[LaunchPlan, Mapping[str, object] | None]:
        """The plan as it is saved, and what it says of a dynamic size."""
        return self.plan, None

    def _fitted(self, arrays: Sequence[Array]) -> list[Array]:
        """The arguments as dense arrays. Raises `LaunchError` for what does not fit."""
        expected = self.arguments
        if len(arrays) != len(expected):
            names = ", ".join(parameter.name for parameter in expected) or "none"
            raise LaunchError(f"program `{self.plan.name}` got {len(arrays)} arrays; it takes {len(expected)}: {names}")
        found: list[Array] = []
        for parameter, array in zip(expected, arrays, strict=True):
            fitting = fitted(parameter, array)
            if fitting is None:
                raise LaunchError(
                    f"argument `{parameter.name}` of program `{self.plan.name}` got {described(array)}; "
                    f"it is {parameter.numpy_dtype} {list(parameter.shape)}"
                )
            found.append(np.ascontiguousarray(fitting))
        return found


def _on_cpu(text: str, record: LaunchRecord, inputs: Sequence[Array]) -> tuple[Array, ...]:
    run = run_on_cpu(text, record, inputs)
    for parameter, written in zip(record.outputs, run.written, strict=True):
        if not written.all():
            raise LaunchError(f"kernel `{record.kernel}` leaves elements of `{parameter.name}` unwritten")
    return run.outputs


def _memory(
    buffer: PlanBuffer,
    given: Mapping[str, Array],
    constants: Mapping[str, Array],
    scratch: np.ndarray[tuple[int], np.dtype[np.uint8]],
) -> Array:
    """The memory of a buffer, flat: an argument's or a constant's own, a piece of the scratch memory, or a new one."""
    if buffer.role == "argument":
        return given[buffer.name].reshape(-1)
    if buffer.role == "constant":
        return constants[buffer.name].reshape(-1)
    if buffer.role == "scratch" and buffer.offset is not None:
        return scratch[buffer.offset : buffer.offset + buffer.nbytes]
    return np.full(buffer.nbytes, UNWRITTEN, np.uint8)
