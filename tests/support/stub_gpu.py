"""A GPU that is none: a library in the driver's place, whose launches execute the kernels' text on the CPU."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import numpy as np

from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.gpu.compile import CompiledKernel
from vtac.targets.cuda.launch import LaunchRecord
from vtac.targets.cuda.network import CudaNetwork
from vtac.targets.cuda.program import CudaProgram

SOURCE = Path(__file__).parent / "stub_driver" / "driver.c"
COMPILER = shutil.which("cc")
_KINDS = ("streams", "events", "graphs", "executables", "modules")
_CALLBACK = ctypes.CFUNCTYPE(
    None,
    ctypes.c_char_p,
    *(ctypes.POINTER(ctypes.c_uint),) * 2,
    ctypes.c_uint,
    ctypes.POINTER(ctypes.c_uint64),
    ctypes.c_int,
)


def build(folder: Path) -> Path:
    """The stub as a library."""
    library = folder / "libcuda.so.1"
    subprocess.run([str(COMPILER), "-std=c11", "-O1", "-shared", "-fPIC", str(SOURCE), "-o", str(library)], check=True)
    return library


class StubGpu:
    """What the test asks of the stub: what was called, what is still held, and what to fail."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.library = ctypes.CDLL(str(path))
        self.library.stub_log.restype = ctypes.c_char_p
        self.library.stub_bytes.restype = ctypes.c_size_t
        self.compilations: list[tuple[tuple[str, ...], str]] = []
        self._callback: object = None
        self.library.stub_reset()

    @property
    def calls(self) -> list[str]:
        """What was asked for, in order."""
        return self.library.stub_log().decode().splitlines()

    @property
    def held(self) -> dict[str, int]:
        """What is not given back: bytes of memory, contexts that were made current, streams and so on."""
        counts = {name: self.library.stub_live(kind) for kind, name in enumerate(_KINDS, 1)}
        counts |= {"bytes": self.library.stub_bytes(), "contexts": self.library.stub_depth()}
        return {name: count for name, count in counts.items() if count}

    def fail(self, function: str, status: int) -> None:
        """Let a function of the driver fail from now on; 0 lets it succeed."""
        self.library.stub_fail(function.encode(), status)

    def set_version(self, number: int) -> None:
        self.library.stub_version(number)

    def compile(self, text: str, kernels: Sequence[str], architecture: str) -> tuple[CompiledKernel, ...]:
        """What stands in for the compiler: a cubin that the stub reads."""
        self.compilations.append((tuple(kernels), architecture))
        counts = " ".join(f"{kernel} {_parameters(text, kernel)}" for kernel in kernels)
        cubin = f"stub {counts}".encode()
        return tuple(CompiledKernel(one, architecture, "none", 48, 0, 0, 0, 0, 1024, "", cubin) for one in kernels)

    def execute(self, program: CudaProgram | CudaNetwork, launches: int | None = None) -> None:
        """Let launches of a program's kernels, or the first few, execute their text on the CPU, with their memory."""
        left = iter(range(launches)) if launches is not None else count()
        records = program.plan.kernels if isinstance(program, CudaNetwork) else (program.launch,)
        texts = {
            one.kernel: program.kernel_text(one) if isinstance(program, CudaNetwork) else program.text
            for one in records
        }

        def run(kernel: bytes, *rest: object) -> None:
            if next(left, None) is None:
                return
            record = next(one for one in records if one.kernel == kernel.decode())
            _run(texts[record.kernel], record, *rest)  # pyright: ignore[reportArgumentType]

        self._callback = _CALLBACK(run)
        self.library.stub_on_launch(self._callback)


def _parameters(text: str, kernel: str) -> int:
    found = re.search(rf"\b{kernel}\(([^)]*)\)", text)
    assert found is not None
    return found[1].count(",") + 1


def _run(
    text: str,
    record: LaunchRecord,
    grid: Sequence[int],
    block: Sequence[int],
    shared: int,
    addresses: Sequence[int],
    parameters: int,
) -> None:
    assert (*grid[:3], *block[:3], shared, parameters) == (
        *record.grid,
        *record.block,
        record.shared_bytes,
        len(record.parameters) + len(record.tensor_maps),
    )
    for at, one in enumerate(record.tensor_maps, len(record.parameters)):  # the stub's map begins with the address
        assert addresses[at] == addresses[record.map_position(one)]
    memory = [
        np.ctypeslib.as_array((ctypes.c_uint8 * p.nbytes).from_address(addresses[at]))
        .view(p.numpy_dtype)
        .reshape(p.shape)
        for at, p in enumerate(record.parameters)
    ]
    inputs: list[Array] = [one.copy() for p, one in zip(record.parameters, memory, strict=True) if p.role == "input"]
    outputs = iter(run_on_cpu(text, record, inputs).outputs)
    for parameter, place in zip(record.parameters, memory, strict=True):
        if parameter.role == "output":
            place[...] = next(outputs)
