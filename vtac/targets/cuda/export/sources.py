"""The C++ sources of an exported CUDA program: a launcher in a header, and a program that runs and times it."""

from __future__ import annotations

from dataclasses import dataclass

from vtac.targets.cuda.dynamic_plan import DynamicPlan
from vtac.targets.cuda.emit.expressions import identifier
from vtac.targets.cuda.emit.header import POINTER_ALIGNMENT
from vtac.targets.cuda.export.exported_maps import DECLARATION, FUNCTION, declared_maps, encoded_maps
from vtac.targets.cuda.export.sizes import SIZE, Sizes
from vtac.targets.cuda.launch import LaunchRecord
from vtac.targets.cuda.plan import BufferRole, LaunchPlan, PlanBuffer, PlanStep

_TYPES = {
    "float16": "half",
    "bfloat16": "__nv_bfloat16",
    "float32": "float",
    "int8": "signed char",
    "uint8": "unsigned char",
    "int32": "int",
    "float64": "double",
}
STATIC_BYTES = 48 * 1024
"""Shared memory that a kernel has without asking."""


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
    return f"{const}{_TYPES[buffer.dtype]} *{identifier(buffer.name)}"


def launcher_header(exported: Exported) -> str:
    """`launcher.h`: checks what it is given, then enqueues every launch on a stream."""
    plan, name = exported.plan, exported.name
    sizes, has_maps = exported.sizes, any(kernel.tensor_maps for kernel in plan.kernels)
    parameters = [_pointer(buffer) for _, buffer in exported.passed]
    if exported.dynamic is not None:
        parameters.append(f"int {SIZE}")
    listed = ",\n    ".join([*parameters, "void *vtac_scratch", "cudaStream_t vtac_stream"])
    lines = [
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
        "",
        f"namespace {name}_program {{",
        "",
        *sizes.declarations(),
        "",
        "inline bool is_aligned(const void *pointer, std::size_t bytes) {",
        "  return pointer != nullptr && reinterpret_cast<std::uintptr_t>(pointer) % bytes == 0;",
        "}",
        "",
        *([FUNCTION] if has_maps else []),
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


def _check(buffer: PlanBuffer, sizes: Sizes) -> str:
    aligned = f"is_aligned({identifier(buffer.name)}, {POINTER_ALIGNMENT})"
    return f"  if (!{aligned}) return cudaErrorInvalidValue;  // {buffer.dtype} {sizes.shape(buffer)}"


def _declaration(kernel: LaunchRecord) -> str:
    kinds = ", ".join(
        f"{'const ' if p.role == 'input' else ''}{_TYPES[p.dtype]} *__restrict__" for p in kernel.parameters
    )
    listed = ", ".join([kinds, *declared_maps(kernel)])
    return f'extern "C" __global__ void {kernel.kernel}({listed});'


def _preparation(plan: LaunchPlan) -> list[str]:
    lines: list[str] = []
    for kernel in plan.kernels:
        if kernel.shared_bytes > STATIC_BYTES:
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
            operands.append(f"reinterpret_cast<{const}{_TYPES[buffer.dtype]} *>({sizes.place(at)})")
        else:
            operands.append(identifier(buffer.name))
    grid, block = sizes.grid(step.kernel), ", ".join(map(str, kernel.block))
    encoded, maps = encoded_maps(kernel, operands)
    lines = [
        f"  {kernel.kernel}<<<dim3({grid}), dim3({block}), {kernel.shared_bytes}, vtac_stream>>>(",
        "      " + ",\n      ".join([*operands, *maps]) + ");",
        "  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess) return error;",
    ]
    return ["  {", *encoded, *(f"  {line}" for line in lines), "  }"] if maps else lines


def main_program(exported: Exported) -> str:
    """`main.cu`: random or given data, one run that is checked where results are given, and a timed burst of runs."""
    name, of = exported.name, exported.sizes
    sizes = [
        f'    {{"{buffer.name}", {of.bytes(buffer, "kSize")}, Kind::{_TYPES_OF[buffer.dtype]}, Role::{buffer.role}}},'
        for _, buffer in exported.passed
    ]
    types = [buffer for _, buffer in exported.passed]
    operands = [
        f"static_cast<{'' if one.role == 'result' else 'const '}{_TYPES[one.dtype]} *>(device[{at}])"
        for at, one in enumerate(types)
    ]
    given = [] if exported.dynamic is None else ["kSize"]
    call = f"{name}_program::run(\n      " + ",\n      ".join([*operands, *given, "scratch", "stream"]) + ")"
    scratch = f"{name}_program::" + ("kScratchBytes" if exported.dynamic is None else "scratch_bytes(kSize)")
    made = _MAIN.replace("@SIZES@", "\n".join(sizes)).replace("@CALL@", call).replace("@SCRATCH@", scratch)
    return made.replace("@NAME@", name).replace("@SIZE@", "" if exported.dynamic is None else _SIZE)


_TYPES_OF = {
    "float16": "kHalf",
    "bfloat16": "kBfloat",
    "float32": "kFloat",
    "int8": "kByte",
    "uint8": "kByte",
    "int32": "kInt",
    "float64": "kDouble",
}

SAMPLE_SIZE = 100
"""The size that an exported program runs with where none is given to the compiler."""
_SIZE = f"""#ifndef VTAC_SIZE
#define VTAC_SIZE {SAMPLE_SIZE}  // nvcc -DVTAC_SIZE=37: rows of the arrays of a dynamic size
#endif
constexpr int kSize = VTAC_SIZE;

"""

_MAIN = r"""// Runs and times the exported program: ./run [RUNS]
// Arrays are read from data/NAME.bin where there is such a file; other arguments are random, normally distributed.
// Results are compared with data/NAME.bin where there is such a file.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "launcher.h"

enum class Kind { kHalf, kBfloat, kFloat, kByte, kInt, kDouble };
enum class Role { argument, constant, result };

struct Array {
  const char *name;
  std::size_t bytes;
  Kind kind;
  Role role;
};

@SIZE@static const Array kArrays[] = {
@SIZES@
};

static void check(cudaError_t error, const char *what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
  std::exit(1);
}

static std::vector<char> from_file(const Array &array) {
  std::ifstream file(std::string("data/") + array.name + ".bin", std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!bytes.empty() && bytes.size() != array.bytes) {
    std::fprintf(stderr, "data/%s.bin has %zu bytes, %zu are required\n", array.name, bytes.size(), array.bytes);
    std::exit(1);
  }
  return bytes;
}

static std::vector<char> random_array(const Array &array, std::mt19937 &generator) {
  std::normal_distribution<float> normal(0.0f, 1.0f);
  std::vector<char> bytes(array.bytes);
  auto fill = [&](auto sample) {
    using T = decltype(sample());
    T *const values = reinterpret_cast<T *>(bytes.data());
    for (std::size_t i = 0; i < array.bytes / sizeof(T); ++i) values[i] = sample();
  };
  switch (array.kind) {
    case Kind::kHalf: fill([&] { return __float2half(normal(generator)); }); break;
    case Kind::kBfloat: fill([&] { return __float2bfloat16(normal(generator)); }); break;
    case Kind::kFloat: fill([&] { return normal(generator); }); break;
    case Kind::kDouble: fill([&] { return static_cast<double>(normal(generator)); }); break;
    case Kind::kByte: fill([&] { return static_cast<signed char>(static_cast<int>(generator() % 17) - 8); }); break;
    case Kind::kInt: fill([&] { return static_cast<int>(generator() % 17) - 8; }); break;
  }
  return bytes;
}

static double number(const Array &array, const std::vector<char> &bytes, std::size_t i) {
  switch (array.kind) {
    case Kind::kHalf: return __half2float(reinterpret_cast<const half *>(bytes.data())[i]);
    case Kind::kBfloat: return __bfloat162float(reinterpret_cast<const __nv_bfloat16 *>(bytes.data())[i]);
    case Kind::kFloat: return reinterpret_cast<const float *>(bytes.data())[i];
    case Kind::kDouble: return reinterpret_cast<const double *>(bytes.data())[i];
    case Kind::kByte: return reinterpret_cast<const signed char *>(bytes.data())[i];
    case Kind::kInt: return reinterpret_cast<const int *>(bytes.data())[i];
  }
  return 0;
}

static std::size_t width(Kind kind) {
  return kind == Kind::kByte ? 1 : kind == Kind::kHalf || kind == Kind::kBfloat ? 2 : kind == Kind::kDouble ? 8 : 4;
}

static bool is_equal(const Array &array, const std::vector<char> &found, const std::vector<char> &expected) {
  double error = 0, magnitude = 0;
  for (std::size_t i = 0; i < array.bytes / width(array.kind); ++i) {
    const double right = number(array, expected, i), difference = std::fabs(number(array, found, i) - right);
    error = difference > error || difference != difference ? difference : error;
    magnitude = std::fmax(magnitude, std::fabs(right));
  }
  const bool exact = array.kind == Kind::kByte || array.kind == Kind::kInt;
  const double allowed = exact ? 0 : 3e-3 * magnitude;
  std::printf("%s: largest error %g of %g (allowed %g)\n", array.name, error, magnitude, allowed);
  return error <= allowed;
}

int main(int argc, char **argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 100;
  constexpr std::size_t count = sizeof kArrays / sizeof kArrays[0];
  std::mt19937 generator(0);
  void *device[count];
  for (std::size_t i = 0; i < count; ++i) {
    check(cudaMalloc(&device[i], kArrays[i].bytes), kArrays[i].name);
    if (kArrays[i].role == Role::result) {
      check(cudaMemset(device[i], 0xff, kArrays[i].bytes), kArrays[i].name);
      continue;
    }
    std::vector<char> bytes = from_file(kArrays[i]);
    if (bytes.empty() && kArrays[i].role == Role::constant) {
      std::fprintf(stderr, "data/%s.bin is missing: the program's own constant\n", kArrays[i].name);
      return 1;
    }
    if (bytes.empty()) bytes = random_array(kArrays[i], generator);
    check(cudaMemcpy(device[i], bytes.data(), bytes.size(), cudaMemcpyHostToDevice), kArrays[i].name);
  }
  void *scratch = nullptr;
  check(cudaMalloc(&scratch, @SCRATCH@ + 256), "scratch memory");
  cudaStream_t stream;
  check(cudaStreamCreate(&stream), "stream");
  check(@NAME@_program::prepare(), "shared memory");
  auto run = [&] {
    check(@CALL@, "launch");
  };
  run();
  check(cudaStreamSynchronize(stream), "first run");
  bool correct = true;
  for (std::size_t i = 0; i < count; ++i) {
    if (kArrays[i].role != Role::result) continue;
    std::vector<char> found(kArrays[i].bytes);
    check(cudaMemcpy(found.data(), device[i], found.size(), cudaMemcpyDeviceToHost), kArrays[i].name);
    const std::vector<char> expected = from_file(kArrays[i]);
    if (!expected.empty()) correct = is_equal(kArrays[i], found, expected) && correct;
  }
  cudaEvent_t begin, end;
  check(cudaEventCreate(&begin), "event");
  check(cudaEventCreate(&end), "event");
  check(cudaEventRecord(begin, stream), "event");
  for (int i = 0; i < runs; ++i) run();
  check(cudaEventRecord(end, stream), "event");
  check(cudaEventSynchronize(end), "timed runs");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, begin, end), "event");
  std::printf("%d runs: %.4f ms each\n", runs, milliseconds / (runs > 0 ? runs : 1));
  return correct ? 0 : 1;
}
"""
