"""Exports a CUDA program as sources that need neither Python nor vtac."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.errors import CompileError
from vtac.evaluate.bfloat16 import to_bfloat16
from vtac.files.digests import digest
from vtac.files.folders import write_folder
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.dynamic import CudaDynamic
from vtac.targets.cuda.export.launcher import Exported, launcher_header
from vtac.targets.cuda.export.main_program import SAMPLE_SIZE, main_program
from vtac.targets.cuda.export.record import launch_json, minimum_architecture
from vtac.targets.cuda.network import CudaNetwork
from vtac.targets.cuda.plan import plan_of
from vtac.targets.cuda.program import CudaProgram

_MAKEFILE = """NVCC ?= nvcc
ARCH ?= {arch}

run: main.cu kernel.cu launcher.h
\t$(NVCC) -std=c++17 -O3 -arch=$(ARCH) main.cu kernel.cu -o $@

clean:
\trm -f run

.PHONY: clean
"""
_CMAKE = """cmake_minimum_required(VERSION 3.18)
project({name} LANGUAGES CXX CUDA)

if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES {number})
endif()
set(CMAKE_CUDA_STANDARD 17)

add_library({name}_kernels STATIC kernel.cu)
target_include_directories({name}_kernels INTERFACE ${{CMAKE_CURRENT_SOURCE_DIR}})

add_executable(run main.cu)
target_link_libraries(run PRIVATE {name}_kernels)
"""


def export_program(program: CudaProgram | CudaNetwork, directory: str | Path, *, data: bool = False) -> list[str]:
    """Write `kernel.cu`, `launcher.h`, `main.cu`, `Makefile`, `CMakeLists.txt` and `launch.json`; their names.

    Constants of the program are written to `data/NAME.bin`. With `data` arguments and results are too: random ones,
    and what numpy makes of them, which `main.cu` then compares. Raises `CompileError` where a file cannot be written,
    and for `data` of a program that was loaded.
    """
    exported = exported_program(program)
    architecture = None if program.source is None else architecture_of(program.source)
    name = None if architecture is None else architecture.name
    arch = name or minimum_architecture(exported.text)
    files: dict[str, bytes] = {
        "kernel.cu": exported.text.encode(),
        "launcher.h": launcher_header(exported).encode(),
        "main.cu": main_program(exported).encode(),
        "Makefile": _MAKEFILE.format(arch=arch).encode(),
        "CMakeLists.txt": _CMAKE.format(name=exported.name, number=arch.removeprefix("sm_")).encode(),
    }
    known = {buffer.name for _, buffer in exported.passed}
    arrays = {name: array for name, array in program.constants.items() if name in known}
    arrays |= _samples(program) if data else {}
    files |= {f"data/{name}.bin": np.ascontiguousarray(array).tobytes() for name, array in arrays.items()}
    digests = {name: digest(contents) for name, contents in files.items()}
    files["launch.json"] = launch_json(exported, name, digests).encode()
    try:
        write_folder(Path(directory), files)
    except OSError as error:
        raise CompileError(f"cannot export to {directory}: {error.strerror}") from None
    return list(files)


def kept_data(program: CudaProgram | CudaNetwork, directory: str | Path, written: Sequence[str]) -> list[str]:
    """Arrays that `main.cu` reads from `data/` though this export did not write them.

    They are there where files of others lie in that folder, so that it was kept. `written` is the names of those that
    the export wrote.
    """
    names = [f"data/{buffer.name}.bin" for _, buffer in exported_program(program).passed]
    return [name for name in dict.fromkeys(names) if name not in written and (Path(directory) / name).is_file()]


def exported_program(program: CudaProgram | CudaNetwork) -> Exported:
    """A program as a plan, whatever the number of its kernels."""
    if isinstance(program, CudaDynamic):
        return Exported(program.dynamic.plan, program.text, program.dynamic)
    if isinstance(program, CudaNetwork):
        return Exported(program.plan, program.text)
    return Exported(plan_of(program.launch, list(program.constants)), program.text)


def _samples(program: CudaProgram | CudaNetwork) -> dict[str, Array]:
    """Random arguments by name, and the results that numpy computes of them."""
    from vtac.evaluate import evaluate
    from vtac.passes.gpu.settle_dynamic_sizes import SettleDynamicSizes
    from vtac.text.context import make_context

    if program.source is None:
        raise CompileError(
            "data is what numpy computes of a program's source, which a loaded program lacks: leave it out"
        )
    source, sized = program.source, program
    if isinstance(program, CudaDynamic):
        source, sized = source.clone(), program.at(SAMPLE_SIZE)
        SettleDynamicSizes(SAMPLE_SIZE).apply(make_context(), source)
    generator = np.random.default_rng(0)
    arguments: list[Array] = []
    for parameter in sized.arguments:
        if parameter.dtype.startswith(("int", "uint")):
            arguments.append(generator.integers(-8, 8, parameter.shape).astype(parameter.dtype))
        elif parameter.dtype == "bfloat16":
            arguments.append(to_bfloat16(generator.standard_normal(parameter.shape).astype(np.float32)))
        else:
            arguments.append(generator.standard_normal(parameter.shape).astype(parameter.dtype))
    found = evaluate(source, *arguments)
    results = found if isinstance(found, tuple) else (found,)
    named = zip((*sized.arguments, *sized.results), (*arguments, *results), strict=True)
    return {parameter.name: np.asarray(array) for parameter, array in named}
