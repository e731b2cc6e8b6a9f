"""A compiled CUDA program: the kernel's text, how to launch it, and calls to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np

from vtac.errors import CompileError, LaunchError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.running import CpuRun, run_on_cpu
from vtac.targets.cuda.gpu.launcher import GpuRun, run_on_gpu
from vtac.targets.cuda.launch import LaunchRecord, Parameter

Device = Literal["cpu", "gpu"]
TEXT_FILE = "kernel.cu"
LAUNCH_FILE = "launch.json"
CONSTANTS_FILE = "constants.npz"


@dataclass(frozen=True)
class CudaProgram:
    """One kernel that can be called, saved and inspected.

    `text` is complete CUDA C++. `in_place` names the outputs that are also arguments of the
    function: a caller passes them, and their contents before the call do not matter.
    `constants` are the contents of inputs that the program has from its own, by name: a caller
    does not pass them.
    """

    text: str
    launch: LaunchRecord
    in_place: tuple[str, ...] = ()
    constants: Mapping[str, Array] = field(default_factory=dict[str, Array])

    @property
    def arguments(self) -> tuple[Parameter, ...]:
        """The parameters that a caller passes, in order."""
        return tuple(
            p
            for p in self.launch.parameters
            if p.name in self.in_place or (p.role == "input" and p.name not in self.constants)
        )

    @property
    def results(self) -> tuple[Parameter, ...]:
        """The parameters that a call returns, in order."""
        return self.launch.outputs

    def __call__(self, *arrays: Array, device: Device = "cpu", blocks: int | None = None) -> Array | tuple[Array, ...]:
        """Run the kernel on arrays of the arguments' shapes and dtypes (bfloat16 as uint16).

        On the CPU the text itself is executed: the whole launch, or with `blocks` that many of
        its blocks; what those did not write is masked in the arrays returned. On the GPU the
        launch is always whole. Returns the result's array, or a tuple when there are several.

        Raises `LaunchError` for arrays that do not fit, `KernelFault` for what the kernel does
        wrong, `ToolMissingError` without a C++ compiler or a GPU.
        """
        if device == "gpu":
            if blocks is not None:
                raise LaunchError(f"blocks={blocks} on the gpu: a GPU runs the whole launch; leave blocks out")
            outputs = self.run_on_gpu(arrays).outputs
        elif device == "cpu":
            run = self.run_on_cpu(arrays, blocks)
            outputs = (
                tuple(_masked(o, w) for o, w in zip(run.outputs, run.written, strict=True)) if blocks else run.outputs
            )
        else:
            raise LaunchError(f"device {device!r} is not known; the devices are 'cpu' and 'gpu'")
        return outputs[0] if len(outputs) == 1 else outputs

    def run_on_cpu(self, arrays: Sequence[Array], blocks: int | Sequence[int] | None = None) -> CpuRun:
        """Execute the text on the CPU: the outputs, and which of their elements were written."""
        return run_on_cpu(self.text, self.launch, self._inputs(arrays), blocks=blocks)

    def run_on_gpu(self, arrays: Sequence[Array], repeats: int = 0) -> GpuRun:
        """Launch on the GPU: the outputs, and the milliseconds of `repeats` timed launches."""
        return run_on_gpu(self.text, self.launch, self._inputs(arrays), repeats=repeats)

    def emit(self, path: str | Path) -> None:
        """Write the text to a file."""
        _write(Path(path), self.text)

    def save(self, directory: str | Path) -> None:
        """Write `kernel.cu`, `launch.json` and, if there are any, `constants.npz`; a missing directory is made."""
        folder = Path(directory)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CompileError(f"cannot save to {folder}: {error.strerror}") from None
        _write(folder / TEXT_FILE, self.text)
        _write(folder / LAUNCH_FILE, self.launch.to_json())
        _write_constants(folder / CONSTANTS_FILE, self.constants)

    def _inputs(self, arrays: Sequence[Array]) -> list[Array]:
        """The arrays the launch reads; those given for outputs are checked and left out."""
        expected = self.arguments
        if len(arrays) != len(expected):
            names = ", ".join(parameter.name for parameter in expected) or "none"
            raise LaunchError(
                f"kernel `{self.launch.kernel}` got {len(arrays)} arrays; it takes {len(expected)}: {names}"
            )
        for parameter, array in zip(expected, arrays, strict=True):
            if array.shape != parameter.shape or array.dtype != np.dtype(parameter.numpy_dtype):
                raise LaunchError(
                    f"argument `{parameter.name}` of kernel `{self.launch.kernel}` got {array.dtype} "
                    f"{list(array.shape)}; it is {parameter.numpy_dtype} {list(parameter.shape)}"
                )
        given = {p.name: a for p, a in zip(expected, arrays, strict=True)} | dict(self.constants)
        return [given[p.name] for p in self.launch.inputs]


def load_cuda_program(directory: str | Path) -> CudaProgram:
    """Read back what `CudaProgram.save` wrote."""
    folder = Path(directory)
    try:
        text = (folder / TEXT_FILE).read_text(encoding="utf-8")
        record = (folder / LAUNCH_FILE).read_text(encoding="utf-8")
    except OSError as error:
        raise CompileError(f"cannot read {error.filename}: {error.strerror}") from None
    launch = LaunchRecord.from_json(record, str(folder / LAUNCH_FILE))
    return CudaProgram(text, launch, constants=_read_constants(folder / CONSTANTS_FILE, launch))


def _masked(output: Array, written: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Array:
    return np.ma.MaskedArray(output, mask=~written)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CompileError(f"cannot write {path}: {error.strerror}") from None


def _write_constants(path: Path, constants: Mapping[str, Array]) -> None:
    try:
        if constants:
            np.savez(path, **constants)  # pyright: ignore[reportArgumentType]
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise CompileError(f"cannot write {path}: {error.strerror}") from None


def _read_constants(path: Path, launch: LaunchRecord) -> dict[str, Array]:
    """What `_write_constants` wrote; nothing where there is no such file."""
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            found: dict[str, Array] = dict(archive)
    except (OSError, ValueError, BadZipFile) as error:
        raise CompileError(f"cannot read {path}: {error}") from None
    wanted = {parameter.name: parameter for parameter in launch.inputs}
    for name, array in found.items():
        parameter = wanted.get(name)
        if parameter is None or array.shape != parameter.shape or array.dtype != np.dtype(parameter.numpy_dtype):
            raise CompileError(f"{path}: '{name}' is no input of kernel `{launch.kernel}` with that shape and dtype")
    return found
