"""The C++ program that comes with an exported one: it runs, checks and times it."""

from __future__ import annotations

from vtac.targets.cuda.export.launcher import CPP_TYPES, Exported

_KINDS = {
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


def main_program(exported: Exported) -> str:
    """`main.cu`: random or given data, one run that is checked where results are given, and a timed burst of runs."""
    name, of = exported.name, exported.sizes
    sizes = [
        f'    {{"{buffer.name}", {of.bytes(buffer, "kSize")}, Kind::{_KINDS[buffer.dtype]}, Role::{buffer.role}}},'
        for _, buffer in exported.passed
    ]
    types = [buffer for _, buffer in exported.passed]
    operands = [
        f"static_cast<{'' if one.role == 'result' else 'const '}{CPP_TYPES[one.dtype]} *>(device[{at}])"
        for at, one in enumerate(types)
    ]
    given = [] if exported.dynamic is None else ["kSize"]
    call = f"{name}_program::run(\n      " + ",\n      ".join([*operands, *given, "scratch", "stream"]) + ")"
    scratch = f"{name}_program::" + ("kScratchBytes" if exported.dynamic is None else "scratch_bytes(kSize)")
    made = _MAIN.replace("@SIZES@", "\n".join(sizes)).replace("@CALL@", call).replace("@SCRATCH@", scratch)
    return made.replace("@NAME@", name).replace("@SIZE@", "" if exported.dynamic is None else _SIZE)
