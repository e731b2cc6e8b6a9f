"""A compiled CUDA program: the kernel's text, how to launch it, and calls to it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zipfile import BadZipFile

import numpy as np

from vtac.errors import CompileError, LaunchError
from vtac.files.archives import Archive, Header, archive_of
from vtac.files.digests import changed_file
from vtac.files.folders import write_folder
from vtac.files.reading import RECORD_BYTES, open_regular, read_regular
from vtac.files.whole import write_output
from vtac.lazily import text_by
from vtac.targets.cuda.arrays import Array, Given, arrays_of, described, fitted
from vtac.targets.cuda.compiled import Compiled
from vtac.targets.cuda.cpu.running import CpuRun, run_on_cpu
from vtac.targets.cuda.gpu.cubins import (
    Cubins,
    compiled_cubins,
    cubin_file,
    cubin_files,
    described_cubins,
    read_cubin,
    read_cubins,
)
from vtac.targets.cuda.gpu.launcher import GpuRun, OpenRun, Timing, opened_run, run_plan_on_gpu
from vtac.targets.cuda.launch import LaunchRecord, Parameter
from vtac.targets.cuda.plan import LaunchPlan, plan_of
from vtac.targets.cuda.saved_record import SavedRecord, read_record
from vtac.text.short import signature

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.targets.cuda.gpu.bound import BoundProgram
    from vtac.targets.cuda.gpu.compile import CompiledKernel

Device = Literal["cpu", "gpu"]
TEXT_FILE = "kernel.cu"
LAUNCH_FILE = "launch.json"
CONSTANTS_FILE = "constants.npz"


@dataclass(frozen=True, repr=False)
class CudaProgram(Compiled):
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
    source: ModuleOp | None = field(default=None, repr=False, compare=False)
    """What it was compiled from, hardware and schedule settled; None for a saved program."""
    cubins: Cubins = field(default_factory=dict[str, "tuple[CompiledKernel, ...]"], repr=False, compare=False)
    """The kernel compiled for architectures that it was saved for."""

    def __str__(self) -> str:
        """One line: what the kernel takes and gives, and how it is launched."""
        grid, block = ("x".join(map(str, extents)) for extents in (self.launch.grid, self.launch.block))
        shared = f", {self.launch.shared_bytes:,} bytes of dynamic shared memory" if self.launch.shared_bytes else ""
        name = signature(self.launch.kernel, self.arguments, self.results)
        return f"{name}: {grid} blocks of {block} threads{shared}"

    _repr_html_ = text_by("vtac.report.notebook", "cuda_html")

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
        """Run the kernel on arrays of the arguments' shapes and dtypes (bfloat16 as uint16, unsigned for signless).

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
            run = self.run_on_cpu(arrays, blocks=blocks)
            outputs = (
                tuple(_masked(o, w) for o, w in zip(run.outputs, run.written, strict=True)) if blocks else run.outputs
            )
        else:
            raise LaunchError(f"device {device!r} is not known; the devices are 'cpu' and 'gpu'")
        return outputs[0] if len(outputs) == 1 else outputs

    def run_on_cpu(self, *arrays: Given, blocks: int | Sequence[int] | None = None) -> CpuRun:
        """Execute the text on the CPU: the outputs, and which of their elements were written.

        `arrays` are those of a call, one after the other or in one list; `blocks` as for `vtac.cuda.run_on_cpu`. Raises
        what a call raises.
        """
        return run_on_cpu(self.text, self.launch, self._inputs(arrays_of(arrays)), blocks=blocks)

    def run_on_gpu(self, *arrays: Given, repeats: int = 0, timing: Timing | None = None) -> GpuRun:
        """Launch on the GPU: the outputs, and the milliseconds of `repeats` timed launches, or as `timing` says.

        `arrays` are those of a call, one after the other or in one list. Raises what a call raises.
        """
        wanted = self._given(arrays_of(arrays))
        return run_plan_on_gpu(
            self.text, self._plan(), wanted, self.constants, timing or Timing(repeats), cubins=self.cubins
        )

    def opened_on_gpu(self, *arrays: Given) -> AbstractContextManager[OpenRun]:
        """The program on a GPU with arrays of its own, to be timed as often as wanted."""
        return opened_run(self.text, self._plan(), self._given(arrays_of(arrays)), self.constants, cubins=self.cubins)

    def on_gpu(self, device: int = 0) -> BoundProgram:
        """The program on a GPU, compiled there once: for arrays that lie there, on the caller's stream."""
        from vtac.targets.cuda.gpu.bound import BoundProgram

        return BoundProgram(self._plan(), self.text, self.constants, device, self.cubins)

    def torch_op(self, name: str) -> Callable[..., Any]:
        """The program as an operator of PyTorch under a name, as `mine::matmul`; see `vtac.targets.cuda.torch_op`."""
        from vtac.targets.cuda.torch_op import torch_op

        return torch_op(self, name)

    def _given(self, arrays: Sequence[Array]) -> list[Array]:
        """What the launch reads of a caller's arrays."""
        inputs = dict(zip((p.name for p in self.launch.inputs), self._inputs(arrays), strict=True))
        return [array for name, array in inputs.items() if name not in self.constants]

    def _plan(self) -> LaunchPlan:
        return plan_of(self.launch, list(self.constants))

    def emit(self, path: str | Path) -> None:
        """Write the text to a file. Raises `CompileError` for a file that cannot be written."""
        try:
            write_output(Path(path), self.text.encode())
        except OSError as error:
            raise CompileError(f"cannot write {path}: {error.strerror}") from None

    def save(self, directory: str | Path, architectures: Sequence[str] = ()) -> None:
        """Write `kernel.cu`, `launch.json` and, if there are any, `constants.npz` and cubins: all of them, or none.

        `launch.json` is the launch record, with digests of the other files and what is `in_place`. For each of the
        architectures the kernel is compiled and kept: who loads it needs no compiler on such a GPU. A missing
        directory is made; a program in it is replaced, other files in it stay. Raises `CompileError` for a folder
        that cannot be written.
        """
        cubins = {**self.cubins, **compiled_cubins(self.text, [self.launch.kernel], architectures)}
        files = {TEXT_FILE: self.text.encode(), **cubin_files(TEXT_FILE, cubins)}
        if self.constants:
            files[CONSTANTS_FILE] = archive_of(self.constants)
        try:
            record = SavedRecord.of(self.launch, self.in_place, files, described_cubins(cubins))
            write_folder(Path(directory), {**files, LAUNCH_FILE: record.text()})
        except OSError as error:
            named = isinstance(error, FileExistsError) and isinstance(error.filename, str)
            raise CompileError(f"cannot save to {error.filename if named else directory}: {error.strerror}") from None

    def _inputs(self, arrays: Sequence[Array]) -> list[Array]:
        """The arrays the launch reads; those given for outputs are checked and left out."""
        expected = self.arguments
        if len(arrays) != len(expected):
            names = ", ".join(parameter.name for parameter in expected) or "none"
            raise LaunchError(
                f"kernel `{self.launch.kernel}` got {len(arrays)} arrays; it takes {len(expected)}: {names}"
            )
        given = {p.name: self._fitted(p, a) for p, a in zip(expected, arrays, strict=True)} | dict(self.constants)
        return [given[p.name] for p in self.launch.inputs]

    def _fitted(self, parameter: Parameter, array: Array) -> Array:
        found = fitted(parameter, array)
        if found is None:
            raise LaunchError(
                f"argument `{parameter.name}` of kernel `{self.launch.kernel}` got {described(array)}; "
                f"it is {parameter.numpy_dtype} {list(parameter.shape)}"
            )
        return found


def load_cuda_program(directory: str | Path) -> CudaProgram:
    """Read back what `CudaProgram.save` wrote.

    Raises `CompileError` for files that cannot be read, that are not those of which the record holds digests, or that
    it knows nothing of; `ConfigError` for a record that contradicts itself. A record without digests, as older
    versions wrote it, is read too.
    """
    folder = Path(directory)
    text = _read_text(folder / TEXT_FILE)
    record = read_record(_read_text(folder / LAUNCH_FILE), str(folder / LAUNCH_FILE))
    constants = _read_constants(folder / CONSTANTS_FILE, record.launch)
    _check_files(folder, record)
    names = {name: cubin_file(TEXT_FILE, name) for name in record.cubins}
    files = {name: read_cubin(folder / file) for name, file in names.items() if file in record.digests}
    cubins = read_cubins(record.cubins, [record.launch.kernel], files, str(folder / LAUNCH_FILE))
    return CudaProgram(text, record.launch, record.in_place, constants, cubins=cubins)


def _check_files(folder: Path, record: SavedRecord) -> None:
    """The files are those that were saved with the record."""
    if not record.digests:
        return
    known = (TEXT_FILE, CONSTANTS_FILE, *(cubin_file(TEXT_FILE, name) for name in record.cubins))
    there = [name for name in known if (folder / name).exists()]
    try:
        changed = changed_file(folder, there, record.digests)
    except OSError as error:
        raise CompileError(f"cannot read {error.filename}: {error.strerror}") from None
    foreign = next((name for name in there if name not in record.digests), changed)
    missing = next((name for name in record.digests if name not in there), None)
    if missing is not None:
        raise CompileError(f"{folder / LAUNCH_FILE} holds a digest of {missing!r}, which is not there: save it again")
    if foreign is not None:
        raise CompileError(
            f"{folder / foreign} is not the file that was saved with {LAUNCH_FILE}, whose digest of it differs or is "
            "missing: save the program again"
        )


def _masked(output: Array, written: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Array:
    return np.ma.MaskedArray(output, mask=~written)


def _read_text(path: Path) -> str:
    try:
        return read_regular(path, RECORD_BYTES).decode()
    except OSError as error:
        raise CompileError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CompileError(f"cannot read {path}: byte {error.start} is not UTF-8 text") from None


def _read_constants(path: Path, launch: LaunchRecord) -> dict[str, Array]:
    """The contents of constant inputs; nothing where there is no such file."""
    if not path.exists():
        return {}
    wanted = {parameter.name: parameter for parameter in launch.inputs}
    try:
        with open_regular(path) as stream:
            archive = Archive(stream)
            headers = {name: archive.header(name) for name in archive.names}
            strange = next((name for name, header in headers.items() if not _fits(header, wanted.get(name))), None)
            found = {} if strange is not None else {name: archive.array(name) for name in headers}
    except (OSError, ValueError, EOFError, KeyError, NotImplementedError, BadZipFile, zlib.error) as error:
        raise CompileError(f"cannot read {path}: {error}") from None
    if strange is not None:
        raise CompileError(f"{path}: '{strange}' is no input of kernel `{launch.kernel}` with that shape and dtype")
    return found


def _fits(header: Header, parameter: Parameter | None) -> bool:
    """Whether an array is as a parameter wants it, by what the archive says of it."""
    return parameter is not None and header == (np.dtype(parameter.numpy_dtype), parameter.shape)
