"""Interpreter time: the fast path against execution one tile operation at a time.

Without arguments it compiles and runs vector addition, matrix multiplication and ten ResNet-18
layers; saved programs can be named instead. `first` is the first run of a stream, plan included;
`fast` the best of the runs after it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

import vtac
from vtac.targets.vta.isa import WORD_BYTES
from vtac.targets.vta.machine import execute, execute_reference
from vtac.targets.vta.programs.arrays import Array
from vtac.workloads.conv2d import Conv2D, Conv2DTiling
from vtac.workloads.matmul import Matmul
from vtac.workloads.vadd import VectorAdd

_LAYERS = {
    "C2": (Conv2D(1, 56, 56, 64, 64, 3, 1, 1), Conv2DTiling(7, 28, 16, 32)),
    "C3": (Conv2D(1, 56, 56, 64, 128, 3, 1, 2), Conv2DTiling(7, 14, 16, 64)),
    "C4": (Conv2D(1, 56, 56, 64, 128, 1, 0, 2), Conv2DTiling(7, 14, 16, 64)),
    "C5": (Conv2D(1, 28, 28, 128, 128, 3, 1, 1), Conv2DTiling(7, 28, 16, 64)),
    "C6": (Conv2D(1, 28, 28, 128, 256, 3, 1, 2), Conv2DTiling(7, 14, 16, 128)),
    "C7": (Conv2D(1, 28, 28, 128, 256, 1, 0, 2), Conv2DTiling(7, 14, 16, 128)),
    "C8": (Conv2D(1, 14, 14, 256, 256, 3, 1, 1), Conv2DTiling(7, 14, 16, 128)),
    "C9": (Conv2D(1, 14, 14, 256, 512, 3, 1, 2), Conv2DTiling(7, 7, 16, 128)),
    "C10": (Conv2D(1, 14, 14, 256, 512, 1, 0, 2), Conv2DTiling(7, 7, 16, 256)),
    "C11": (Conv2D(1, 7, 7, 512, 512, 3, 1, 1), Conv2DTiling(7, 7, 16, 128)),
}


@dataclass(frozen=True)
class Job:
    """A stream to time, with a memory image for it."""

    name: str
    instructions: bytes
    image: NDArray[np.uint8]
    config: vtac.VTAConfig


@dataclass(frozen=True)
class Times:
    """Milliseconds; `reference` is None when it was not run."""

    first: float
    fast: float
    reference: float | None


def _random_arrays(program: vtac.VtaProgram) -> list[Array]:
    random = np.random.default_rng(0)
    drawn = [random.integers(-128, 128, buffer.shape).astype(buffer.dtype) for buffer in program.arguments]
    return [cast("Array", array) for array in drawn]


def _compiled(name: str, text: str, schedule: vtac.Schedule) -> Job:
    program = vtac.compile(vtac.parse(text), schedule=schedule)
    return Job(name, program.stream.instructions, program.stream.memory_image(_random_arrays(program)), program.config)


def standard_jobs() -> Iterator[Job]:
    """Vector addition, matrix multiplication and the ResNet-18 layers, compiled one by one."""
    addition, product = VectorAdd(), Matmul()
    yield _compiled("vadd", addition.text(), addition.schedule())
    yield _compiled("matmul", product.text(), product.schedule())
    for name, (layer, tiling) in _LAYERS.items():
        yield _compiled(f"ResNet-18 {name}", layer.text(), layer.schedule(tiling))


def saved_jobs(directories: Sequence[str]) -> Iterator[Job]:
    """Programs that `vtac compile` or `Program.save` wrote."""
    for directory in directories:
        program = vtac.load_program(directory, "vta")
        image = np.fromfile(Path(directory) / "dram.bin", np.uint8)
        yield Job(Path(directory).name, program.stream.instructions, image, program.config)


def _milliseconds(run: Callable[..., object], job: Job) -> float:
    image = job.image.copy()
    start = time.perf_counter()
    run(job.instructions, image, job.config)
    return (time.perf_counter() - start) * 1000


def measure(job: Job, repeats: int, with_reference: bool) -> Times:
    """Time one job; both paths get a fresh copy of the image each time."""
    first = _milliseconds(execute, job)
    fast = min(_milliseconds(execute, job) for _ in range(repeats))
    return Times(first, fast, _milliseconds(execute_reference, job) if with_reference else None)


_COLUMNS = (
    ("program", 16),
    ("instructions", 13),
    ("tile ops", 10),
    ("slow ms", 10),
    ("first ms", 10),
    ("fast ms", 9),
    ("slow/fast", 11),
)


def _row(cells: Sequence[str]) -> str:
    name, *numbers = (
        f"{cell:<{width}}" if place == 0 else f"{cell:>{width}}"
        for place, (cell, (_, width)) in enumerate(zip(cells, _COLUMNS, strict=True))
    )
    return "".join([name, *numbers])


def _cells(job: Job, times: Times) -> list[str]:
    counters = vtac.execute(job.instructions, job.image.copy(), job.config)
    operations = sum(int(str(counters[name])) for name in ("gemm_counter", "alu_counter"))
    slow, ratio = "-", "-"
    if times.reference is not None:
        slow, ratio = f"{times.reference:,.1f}", f"{times.reference / times.fast:,.0f}x"
    count = len(job.instructions) // WORD_BYTES
    return [job.name, f"{count:,}", f"{operations:,}", slow, f"{times.first:.2f}", f"{times.fast:.3f}", ratio]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python benchmarks/interpreter.py --repeats 50 saved/conv2d",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("programs", nargs="*", metavar="DIR", help="saved programs to time instead")
    parser.add_argument("--repeats", type=int, default=20, help="fast runs, of which the best counts (default: 20)")
    parser.add_argument("--no-reference", action="store_true", help="leave out the slow path, a second for each layer")
    options = parser.parse_args()
    print(_row([title for title, _ in _COLUMNS]))
    try:
        for job in saved_jobs(options.programs) if options.programs else standard_jobs():
            print(_row(_cells(job, measure(job, max(options.repeats, 1), not options.no_reference))), flush=True)
    except vtac.VtacError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
