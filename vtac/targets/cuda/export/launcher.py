"""The launcher of an exported CUDA program, as a C++ header."""

from __future__ import annotations

from dataclasses import dataclass

from vtac.dialects.gpu_hardware import STATIC_SHARED_BYTES
from vtac.targets.cuda.dynamic_plan import DynamicPlan
from vtac.targets.cuda.emit.expressions import identifier
from vtac.targets.cuda.emit.header import POINTER_ALIGNMENT
from vtac.targets.cuda.export.exported_maps import DECLARATION, declared_maps, encoded_maps, encoding_functions
from vtac.targets.cuda.export.sizes import SIZE, Sizes
from vtac.targets.cuda.launch import LaunchRecord
from vtac.targets.cuda.plan import BufferRole, LaunchPlan, PlanBuffer, PlanStep

CPP_TYPES = {
    "float16": "half",
    "bfloat16": "__nv_bfloat16",
    "float32": "float",
    "int8": "signed char",
    "uint8": "unsigned char",
    "int32": "int",
    "float64": "double",
}


@dataclass(frozen=True)
class Exported:
    """What is exported: a plan, whose name is that of the function in C++, and the text of all kernels."""

    plan: LaunchPlan
    text: str
    dynamic: DynamicPlan | None = None

    @property
    def sizes(self) -> Sizes:
        return Sizes(self.plan, self.dynamic)

    @property
    def name(self) -> str:
        return identifier(self.plan.name)

    @property
    def passed(self) -> tuple[tuple[int, PlanBuffer], ...]:
        """The buffers that a caller passes, with their numbers: arguments, constants but for the size, results."""
        roles: tuple[BufferRole, ...] = ("argument", "constant", "result")
        found = ((at, one) for role in roles for at, one in enumerate(self.plan.buffers) if one.role == role)
        return tuple((at, one) for at, one in found if not self.sizes.is_size(one))


def _pointer(buffer: PlanBuffer) -> str:
    const = "" if buffer.role == "result" else "const "
    return f"{const}{CPP_TYPES[buffer.dtype]} *{identifier(buffer.name)}"


def launcher_header(exported: Exported) -> str:
    """`launcher.h`: checks what it is given, then enqueues every launch on a stream."""
    plan, name = exported.plan, exported.name
    sizes, has_maps = exported.sizes, any(kernel.tensor_maps for kernel in plan.kernels)
    parameters = [_pointer(buffer) for _, buffer in exported.passed]
    if exported.dynamic is not None:
        parameters.append(f"int {SIZE}")
    listed = ",\n    ".join([*parameters, "void *vtac_scratch", "cudaStream_t vtac_stream"])
    lines = [
        *_head(plan, has_maps),
        "",
        f"namespace {name}_program {{",
        "",
        *sizes.declarations(),
        "",
        "inline bool is_aligned(const void *pointer, std::size_t bytes) {",
        "  return pointer != nullptr && reinterpret_cast<std::uintptr_t>(pointer) % bytes == 0;",
        "}",
        "",
        *encoding_functions(plan.kernels, sizes),
        "// Once per device and process, before the first launch: asks for the shared memory that kernels need.",
        "inline cudaError_t prepare() {",
        *_preparation(plan),
        "  return cudaSuccess;",
        "}",
        "",
        "// Arrays are dense and row-major. Returns cudaErrorInvalidValue for a pointer that is null, or no multiple",
        f"// of {POINTER_ALIGNMENT} bytes, else what the launches return; results are there when the stream is so far.",
        f"inline cudaError_t run(\n    {listed}) {{",
        *(_check(buffer, sizes) for _, buffer in exported.passed),
        *sizes.begin(),
        *(line for step in plan.steps for line in _launch(sizes, step)),
        "  return cudaSuccess;",
        "}",
        "",
        f"}}  // namespace {name}_program",
        "",
    ]
    return "\n".join(lines)


def _head(plan: LaunchPlan, has_maps: bool) -> list[str]:
    """Includes, and the kernels as `kernel.cu` has them."""
    return [
        f"// Launches of '{plan.name}': {len(plan.kernels)} kernel(s) in {len(plan.steps)} launch(es).",
        "// Compile it together with kernel.cu, by nvcc; nothing else is needed.",
        "#pragma once",
        "",
        "#include <cstddef>",
        "#include <cstdint>",
        "",
        *(["#include <cuda.h>"] if has_maps else []),
        "#include <cuda_bf16.h>",
        "#include <cuda_fp16.h>",
        "#include <cuda_runtime.h>",
        "",
        *([DECLARATION] if has_maps else []),
        *(_declaration(kernel) for kernel in plan.kernels),
    ]


def _check(buffer: PlanBuffer, sizes: Sizes) -> str:
    aligned = f"is_aligned({identifier(buffer.name)}, {POINTER_ALIGNMENT})"
    return f"  if (!{aligned}) return cudaErrorInvalidValue;  // {buffer.dtype} {sizes.shape(buffer)}"


def _declaration(kernel: LaunchRecord) -> str:
    kinds = ", ".join(
        f"{'const ' if p.role == 'input' else ''}{CPP_TYPES[p.dtype]} *__restrict__" for p in kernel.parameters
    )
    listed = ", ".join([kinds, *declared_maps(kernel)])
    return f'extern "C" __global__ void {kernel.kernel}({listed});'


def _preparation(plan: LaunchPlan) -> list[str]:
    lines: list[str] = []
    for kernel in plan.kernels:
        if kernel.shared_bytes > STATIC_SHARED_BYTES:
            lines += [
                "  {",
                f"    const cudaError_t error = cudaFuncSetAttribute({kernel.kernel},",
                f"        cudaFuncAttributeMaxDynamicSharedMemorySize, {kernel.shared_bytes});",
                "    if (error != cudaSuccess) return error;",
                "  }",
            ]
    return lines


def _launch(sizes: Sizes, step: PlanStep) -> list[str]:
    plan = sizes.plan
    kernel = plan.kernels[step.kernel]
    operands: list[str] = []
    for at, parameter in zip(step.buffers, kernel.parameters, strict=True):
        buffer = plan.buffers[at]
        const = "const " if parameter.role == "input" else ""
        if buffer.role == "scratch" or sizes.is_size(buffer):
            operands.append(f"reinterpret_cast<{const}{CPP_TYPES[buffer.dtype]} *>({sizes.place(at)})")
        else:
            operands.append(identifier(buffer.name))
    grid, block = sizes.grid(step.kernel), ", ".join(map(str, kernel.block))
    encoded, maps = encoded_maps(kernel, operands, sizes)
    lines = [
        f"  {kernel.kernel}<<<dim3({grid}), dim3({block}), {kernel.shared_bytes}, vtac_stream>>>(",
        "      " + ",\n      ".join([*operands, *maps]) + ");",
        "  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess) return error;",
    ]
    return ["  {", *encoded, *(f"  {line}" for line in lines), "  }"] if maps else lines
