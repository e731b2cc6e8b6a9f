"""A kernel of the wmma level as CUDA C++ text. It prints; it decides nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.utils.target import Target

from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.kernel_constants import dtype_name
from vtac.analysis.kernels.kernel_roles import is_result
from vtac.analysis.kernels.shared_memory import alignment_of, shared_buffers
from vtac.analysis.nests.nest import buffer_name, element_type_of, memref_type_of, shape_of
from vtac.dialects.declared import Declared
from vtac.dialects.tensor_maps import TensorMap
from vtac.dialects.wmma.declared import BLOCK, CLUSTER_DIMENSIONS, DYNAMIC_BYTES, DYNAMIC_SIZE, GRID, KERNEL
from vtac.errors import CompileError
from vtac.targets.cuda.emit.expressions import kernel_name, parameter_name
from vtac.targets.cuda.emit.header import WRITTEN_BY, header, shown_shape
from vtac.targets.cuda.emit.tma_instructions import MAP
from vtac.targets.cuda.emit.tma_statements import TmaStatementPrinter, kernel_maps
from vtac.targets.cuda.emit.types import scalar_type
from vtac.targets.cuda.launch import Extent3, LaunchRecord, Parameter

_INDEX_LIMIT = 2**31 - 1
_HEAD_PART = re.compile(r"^(?://[^\n]*\n)*(?:__device__|struct\b).*?^};?$|^\S[^\n]*$", re.MULTILINE | re.DOTALL)
"""A function or a type, with the lines that say what it is, or a line by itself."""
_HEADER = re.compile(rf"^// \w+, {WRITTEN_BY} ", re.MULTILINE)
_HEADERS = ("cuda_fp16.h", "cuda_bf16.h", "cuda_pipeline.h", "mma.h")


@dataclass(frozen=True)
class CudaTarget(Target):
    """`-t cuda`: the CUDA C++ text of a module's kernel."""

    name = "cuda"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        output.write(emit_cuda(module))


def find_kernel(module: ModuleOp) -> FuncOp:
    """The one kernel of a module. Raises `CompileError` for none or several."""
    kernels = [op for op in module.ops if isinstance(op, FuncOp) and KERNEL.is_on(op)]
    if len(kernels) != 1:
        raise CompileError(
            f"CUDA text is made from one kernel; the module has {len(kernels)}: run lower-to-wmma on a schedule that "
            "binds loops to blockIdx and threadIdx",
            location_of(module),
        )
    return kernels[0]


def emit_cuda(module: ModuleOp) -> str:
    """The text of the module's kernel: deterministic, formatted, complete."""
    kernel = find_kernel(module)
    maps = kernel_maps(kernel)
    printer = TmaStatementPrinter([parameter_name(argument) for argument in kernel.body.block.args], maps)
    if dynamic_bytes(kernel):
        alignment = max(map(alignment_of, shared_buffers(kernel)))
        printer.lines.append(f"  extern __shared__ __align__({alignment}) unsigned char shared_memory[];")
    printer.print_body(kernel.body.block, 1)
    launch_extents(kernel, GRID)
    threads = prod(launch_extents(kernel, BLOCK))
    uses_warps = any("wmma::" in line for line in printer.lines)
    needed = printer.headers | ({"mma.h", "cuda_fp16.h"} if uses_warps else {"cuda_fp16.h"})
    if any("__nv_bfloat16" in line for line in (*_signature(kernel), *printer.lines)):
        needed.add("cuda_bf16.h")
    lines = [f"#include <{header}>" for header in _HEADERS if header in needed]
    lines += ["", "using namespace nvcuda;", ""] if uses_warps else [""]
    lines += [*MAP, ""] if maps else []
    lines += printer.instructions()
    lines += header(module, kernel)
    cluster = CLUSTER_DIMENSIONS.get(kernel)
    dimensions = f"__cluster_dims__({', '.join(map(str, cluster))}) " if cluster is not None else ""
    lines.append(f'extern "C" __global__ void {dimensions}__launch_bounds__({threads})')
    lines += _signature(kernel, DYNAMIC_SIZE.get(module))
    return "\n".join([*lines, *printer.lines, "}"]) + "\n"


def kernel_parts(text: str) -> tuple[list[str], str]:
    """What a kernel's text includes, uses and calls, each line or function by itself, and the rest of it."""
    start = next(_HEADER.finditer(text)).start()
    return [part.rstrip() for part in _HEAD_PART.findall(text[:start])], text[start:]


def _signature(kernel: FuncOp, size: int | None = None) -> list[str]:
    arguments, maps = list(kernel.body.block.args), kernel_maps(kernel)
    lines = [f"{kernel_name(kernel.sym_name.data)}("]
    for position, argument in enumerate(arguments):
        const = "" if is_result(kernel, argument) else "const "
        end = ")" if position == len(arguments) - 1 and not maps else ","
        _check_addressable(argument)
        shape = shown_shape(argument, size, " x ")
        kind = scalar_type(element_type_of(argument), location_of(kernel))
        lines.append(f"    {const}{kind} *__restrict__ {parameter_name(argument)}{end}  // {shape}")
    ends = [","] * (len(maps) - 1) + [")"]
    lines += [
        f"    const __grid_constant__ TensorMap {name}{end}  // {_boxes(one)}"
        for (one, name), end in zip(maps.items(), ends, strict=bool(maps))
    ]
    return [*lines, "{"]


def _boxes(one: TensorMap) -> str:
    extents = " x ".join(map(str, reversed(one.box)))
    return f"boxes of {extents}" if one.corners is None else f"pixels x channels of images: {extents}"


def _check_addressable(argument: SSAValue) -> None:
    elements = prod(shape_of(argument))
    if elements > _INDEX_LIMIT:
        raise CompileError(
            f"'{buffer_name(argument)}' has {elements:,} elements; kernels index with 32-bit integers, up to "
            f"{_INDEX_LIMIT:,}: split the work over several launches"
        )


def launch_extents(kernel: FuncOp, launch: Declared[tuple[int, ...]]) -> Extent3:
    """The grid or block of a kernel, as (x, y, z). Raises `CompileError` for a kernel without it."""
    extents = launch.get(kernel)
    if extents is None:
        raise CompileError(f"the kernel has no {launch.name}: {launch.meaning}", location_of(kernel))
    x, y, z = extents
    return x, y, z


def launch_record(module: ModuleOp) -> LaunchRecord:
    """How to launch the module's kernel."""
    kernel = find_kernel(module)
    parameters = tuple(
        Parameter(
            parameter_name(argument),
            "output" if is_result(kernel, argument) else "input",
            dtype_name(element_type_of(argument), location_of(kernel)),
            tuple(memref_type_of(argument).get_shape()),
        )
        for argument in kernel.body.block.args
        if isinstance(argument.type, MemRefType)
    )
    grid, block = launch_extents(kernel, GRID), launch_extents(kernel, BLOCK)
    name, maps = kernel_name(kernel.sym_name.data), tuple(kernel_maps(kernel))
    cluster = launch_extents(kernel, CLUSTER_DIMENSIONS) if CLUSTER_DIMENSIONS.get(kernel) is not None else None
    return LaunchRecord(name, grid, block, dynamic_bytes(kernel), parameters, maps, cluster)


def dynamic_bytes(kernel: FuncOp) -> int:
    """Dynamic shared memory of the launch, in bytes; 0 when all of it is static."""
    return DYNAMIC_BYTES.get(kernel) or 0
