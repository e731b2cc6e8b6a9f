"""Exported sources: complete, accepted by a C++ compiler against stubs of CUDA's runtime, built by nvcc where it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cuda_networks import perceptron, repeated
from dynamic_programs import EXTENT, dynamic
from float_programs import softmax
from mma_programs import product
from nhwc_programs import Convolution

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.wmma.declared import INSTRUCTIONS
from vtac.errors import CompileError
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason, host_compiler
from vtac.targets.cuda.export.exporting import export_program, kept_data
from vtac.targets.cuda.export.record import minimum_architecture
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.workloads.float_text import FloatProgram
from vtac.workloads.tensor_text import Tensor

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc on PATH")
INCLUDE = Path(vtac.__file__).parent / "targets" / "cuda" / "cpu" / "include"
RUNTIME = """
#pragma once
#include <cstdlib>
typedef int cudaError_t; typedef struct Stream *cudaStream_t; typedef struct Event *cudaEvent_t;
enum { cudaSuccess, cudaErrorInvalidValue, cudaFuncAttributeMaxDynamicSharedMemorySize };
enum { cudaErrorNotSupported = 801, cudaEnableDefault = 0 };
enum cudaDriverEntryPointQueryResult { cudaDriverEntryPointSuccess };
cudaError_t cudaDriverGetVersion(int *);
cudaError_t cudaGetDriverEntryPoint(const char *, void **, unsigned long long, cudaDriverEntryPointQueryResult *);
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost };
const char *cudaGetErrorString(cudaError_t); cudaError_t cudaGetLastError();
cudaError_t cudaMalloc(void **, std::size_t); cudaError_t cudaMemset(void *, int, std::size_t);
cudaError_t cudaMemcpy(void *, const void *, std::size_t, cudaMemcpyKind);
cudaError_t cudaStreamCreate(cudaStream_t *); cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaEventCreate(cudaEvent_t *); cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t);
cudaError_t cudaEventSynchronize(cudaEvent_t); cudaError_t cudaEventElapsedTime(float *, cudaEvent_t, cudaEvent_t);
template <class F> cudaError_t cudaFuncSetAttribute(F, int, int);
struct Configured {
  template <class F, class... A> void operator()(F function, A... operands) { function(operands...); }
};
inline Configured configured(dim3, dim3, std::size_t, cudaStream_t) { return {}; }
"""
DRIVER = """
#pragma once
#include <cstdint>
typedef int CUresult; enum { CUDA_SUCCESS }; typedef std::uint64_t cuuint64_t; typedef std::uint32_t cuuint32_t;
struct alignas(64) CUtensorMap { cuuint64_t opaque[16]; };
enum CUtensorMapDataType { CU_TENSOR_MAP_DATA_TYPE_FLOAT16 = 6 };
enum CUtensorMapInterleave { CU_TENSOR_MAP_INTERLEAVE_NONE };
enum CUtensorMapSwizzle { CU_TENSOR_MAP_SWIZZLE_32B = 1, CU_TENSOR_MAP_SWIZZLE_64B, CU_TENSOR_MAP_SWIZZLE_128B };
enum CUtensorMapL2promotion { CU_TENSOR_MAP_L2_PROMOTION_L2_256B = 3 };
enum CUtensorMapFloatOOBfill { CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE };
"""
LAUNCH = re.compile(r"(\w+)<<<(.*?)>>>\(", re.DOTALL)


def check_syntax(folder: Path, stubs: Path) -> None:
    """The launcher and the program are C++, but for launches, which are written as calls."""
    stubs.mkdir()
    (stubs / "cuda_runtime.h").write_text(RUNTIME)
    (stubs / "cuda.h").write_text(DRIVER)
    for name in ("launcher.h", "main.cu"):
        text = LAUNCH.sub(r"configured(\2)(\1, ", (folder / name).read_text())
        (stubs / name.replace(".cu", ".cpp")).write_text(text)
    includes = [f"-I{stubs}", f"-I{INCLUDE}", "-include", "cuda_fp16.h"]
    answer = subprocess.run(
        [host_compiler().path, "-std=c++17", "-fsyntax-only", *includes, str(stubs / "main.cpp")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr


@needs_compiler
@pytest.mark.parametrize(
    "text", [perceptron(), repeated(), softmax((3, 64))], ids=["several", "one kernel twice", "one"]
)
def test_sources(text: str, tmp_path: Path) -> None:
    program = vtac.compile(text, "cuda", "sm_90")
    files = export_program(program, tmp_path / "out", data=True)
    names = [name for name in files if not name.startswith("data/")]
    assert names == ["kernel.cu", "launcher.h", "main.cu", "Makefile", "CMakeLists.txt", "launch.json"]
    assert (tmp_path / "out" / "kernel.cu").read_text() == program.text
    assert "ARCH ?= sm_90" in (tmp_path / "out" / "Makefile").read_text()
    for parameter in (*program.arguments, *program.results):
        data = np.fromfile(tmp_path / "out" / "data" / f"{parameter.name}.bin", parameter.numpy_dtype)
        assert data.size == parameter.elements
    check_syntax(tmp_path / "out", tmp_path / "stubs")


def test_the_record_counts_shared_memory(tmp_path: Path) -> None:
    export_program(vtac.compile(perceptron(), "cuda"), tmp_path)
    record = json.loads((tmp_path / "launch.json").read_text())
    assert (record["architecture"], record["minimum_architecture"]) == (None, "sm_75")
    assert [kernel["static_shared_bytes"] for kernel in record["kernels"]][2] == 0
    assert record["kernels"][0]["static_shared_bytes"] == 3072
    assert not (tmp_path / "data").exists()


def test_dynamic_shared_memory_is_asked_for(tmp_path: Path) -> None:
    builder = FloatProgram("large")
    a, b = builder.argument("a", (512, 512)), builder.argument("b", (512, 512))
    text = builder.text(builder.product(Tensor("c", (512, 512), "f32"), (a, "i, k"), (b, "k, j"), "i, j"))
    program = vtac.compile(text, "cuda", "sm_90")
    export_program(program, tmp_path)
    launcher = (tmp_path / "launcher.h").read_text()
    shared = json.loads((tmp_path / "launch.json").read_text())["kernels"][0]["dynamic_shared_bytes"]
    assert isinstance(program, vtac.CudaProgram)
    assert shared == program.launch.shared_bytes
    assert ("cudaFuncSetAttribute(large," in launcher) == (shared > 48 * 1024)


def test_a_second_export_takes_the_place_of_the_first(tmp_path: Path) -> None:
    program = vtac.compile(perceptron(), "cuda")
    export_program(program, tmp_path, data=True)
    assert (tmp_path / "data").exists()
    (tmp_path / "notes.txt").write_text("mine")
    files = export_program(program, tmp_path)
    assert kept_data(program, tmp_path, files) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*files, "notes.txt"])


def test_a_folder_with_data_of_others_is_refused(tmp_path: Path) -> None:
    program = vtac.compile(perceptron(), "cuda")
    export_program(program, tmp_path, data=True)
    (tmp_path / "data" / "mine.bin").write_bytes(b"mine")
    with pytest.raises(CompileError, match=r"cannot export to .*it holds files of something else"):
        export_program(program, tmp_path, data=True)
    assert (tmp_path / "data" / "mine.bin").read_bytes() == b"mine"
    files = export_program(program, tmp_path)
    kept = kept_data(program, tmp_path, files)
    assert sorted(kept) == sorted(f"data/{one.name}.bin" for one in (*program.arguments, *program.results))


@needs_compiler
def test_launchers_encode_tensor_maps(tmp_path: Path) -> None:
    case = product((64, 64, 256))
    script = tma_schedule(case.text, gpu_architecture("sm_90"), ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 3))
    export_program(vtac.compile(case.text, "cuda", "sm_90", schedule=script), tmp_path / "out")
    header = (tmp_path / "out" / "launcher.h").read_text()
    assert "float *__restrict__, TensorMap, TensorMap);" in header
    assert "TensorMap map_0;  // boxes of 32 x 64 of `a`" in header
    assert "&map_0, CU_TENSOR_MAP_DATA_TYPE_FLOAT16, 2, a, map_0_extents," in header
    assert "map_0_extents[] = {256, 64}, map_0_strides[] = {512};" in header
    assert "const cuuint32_t map_0_box[] = {64, 32};" in header
    assert "const cuuint32_t map_0_steps[] = {1, 1};" in header
    assert "cuTensorMapEncodeIm2col" not in header
    assert "if (version < 13020) map->words[1] &= ~(1ull << 21);" in header
    assert header.count("correct_small(&map_") == 2
    record = json.loads((tmp_path / "out" / "launch.json").read_text())
    assert record["minimum_architecture"] == "sm_90"
    assert record["plan"]["kernels"][0]["tensor_maps"][0]["swizzle"] == 128
    check_syntax(tmp_path / "out", tmp_path / "stubs")


@needs_compiler
def test_clusters_are_the_kernels_own(tmp_path: Path) -> None:
    """The text has their dimensions, so that launchers need nothing more; records say so for their readers."""
    case = product((128, 64, 256))
    tiling = ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 3)
    script = tma_schedule(case.text, gpu_architecture("sm_90"), tiling, cluster=2)
    export_program(vtac.compile(case.text, "cuda", "sm_90", schedule=script), tmp_path / "out")
    texts = {path.suffix: path.read_text() for path in (tmp_path / "out").iterdir() if path.suffix in (".cu", ".h")}
    assert sum("__cluster_dims__(2, 1, 1)" in text for text in texts.values()) == 1
    record = json.loads((tmp_path / "out" / "launch.json").read_text())
    assert record["minimum_architecture"] == "sm_90"
    assert record["plan"]["kernels"][0]["cluster"] == [2, 1, 1]
    check_syntax(tmp_path / "out", tmp_path / "stubs")


@needs_compiler
def test_launchers_encode_maps_of_pixels(tmp_path: Path) -> None:
    case = Convolution.of(2, (7, 7), (3, 3), padding=1)
    script = tma_schedule(case.text(), gpu_architecture("sm_90"), ProductTiling((16, 8, 16), 1, 2, 2, 2, 2, 3))
    export_program(vtac.compile(case.text(), "cuda", "sm_90", schedule=script), tmp_path / "out")
    header = (tmp_path / "out" / "launcher.h").read_text()
    assert 'driver_function("cuTensorMapEncodeIm2col", &ask)' in header
    assert "const int map_0_lower[] = {-1, -1}, map_0_upper[] = {-1, -1};" in header
    assert "map_0_strides, map_0_lower, map_0_upper, 32, 32, map_0_steps, CU_TENSOR_MAP_SWIZZLE_64B," in header
    assert "const cuuint32_t map_1_box[] = {32, 32, 1, 1};" in header
    check_syntax(tmp_path / "out", tmp_path / "stubs")


def test_minimum_architectures() -> None:
    fragment = "wmma::fragment<wmma::matrix_a, 16, 16, 16, {}, wmma::row_major> a[1];"
    assert minimum_architecture(fragment.format("half")) == "sm_75"
    assert minimum_architecture(fragment.format("__nv_bfloat16")) == "sm_80"
    assert minimum_architecture("__global__ void __cluster_dims__(2, 1, 1) f(float *c)") == "sm_90"
    assert minimum_architecture('asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "') == "sm_80"
    assert minimum_architecture('asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"') == "sm_80"
    assert minimum_architecture('asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%4], "') == "sm_90"


def test_data_of_a_loaded_program(tmp_path: Path) -> None:
    vtac.compile(perceptron(), "cuda").save(tmp_path / "saved")
    with pytest.raises(CompileError, match="data is what numpy computes of a program's source, which a loaded program"):
        export_program(vtac.load_program(tmp_path / "saved", "cuda"), tmp_path / "out", data=True)


@needs_nvcc
def test_built_by_nvcc(tmp_path: Path) -> None:
    export_program(vtac.compile(perceptron(), "cuda", "sm_80"), tmp_path, data=True)
    subprocess.run(["make", "-C", str(tmp_path)], check=True, capture_output=True)
    assert (tmp_path / "run").exists()


@needs_compiler
def test_a_launcher_takes_the_dynamic_size(tmp_path: Path) -> None:
    program = vtac.compile(dynamic(perceptron(EXTENT, 48, 24)), "cuda", "sm_90")
    export_program(program, tmp_path / "out", data=True)
    launcher = (tmp_path / "out" / "launcher.h").read_text()
    assert "float *y,\n    int vtac_size,\n    void *vtac_scratch" in launcher
    assert "scratch_bytes(int vtac_size)" in launcher
    assert "if (vtac_size < 1 || vtac_size > kMostRows) return cudaErrorInvalidValue;" in launcher
    assert "15104" not in launcher
    assert np.fromfile(tmp_path / "out" / "data" / "x.bin", np.float16).size == 100 * 16
    assert not (tmp_path / "out" / "data" / "size.bin").exists()
    check_syntax(tmp_path / "out", tmp_path / "stubs")


@needs_compiler
def test_a_launcher_encodes_maps_for_the_dynamic_size(tmp_path: Path) -> None:
    """Of 136 f16 in a row an array is small, and its bit to be cleared, up to 481 rows."""
    module = vtac.parse(dynamic(product((EXTENT, 64, 136)).text))
    INSTRUCTIONS.set(module, "tma")
    export_program(vtac.compile(module, "cuda", "sm_90"), tmp_path / "out")
    launcher = (tmp_path / "out" / "launcher.h").read_text()
    assert "map_0_extents[] = {136, static_cast<cuuint64_t>(vtac_size)}, map_0_strides[] = {272};" in launcher
    assert "if (vtac_size <= 481) {\n      if (const cudaError_t error = correct_small(&map_0);" in launcher
    assert "map_1_extents[] = {64, 136}" in launcher
    assert "15104" not in launcher
    check_syntax(tmp_path / "out", tmp_path / "stubs")
