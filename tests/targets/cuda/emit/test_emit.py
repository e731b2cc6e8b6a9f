"""CUDA text: deterministic, formatted, and complete with its launch record."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest

import vtac
from vtac.targets.cuda.emit.kernel import emit_cuda
from vtac.targets.cuda.launch import LaunchRecord
from vtac.text.source import parse
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_fast import fast_schedule
from vtac.workloads.wmma_matmul import WmmaMatmul


def seed_text() -> str:
    layer = WmmaConv2D()
    return vtac.compile(layer.text(), "cuda", schedule=layer.seed_schedule()).text


def statements(text: str) -> list[str]:
    """The lines of a kernel's body, those that were broken put together again."""
    joined: list[str] = []
    for line in text.splitlines():
        if joined and not re.search(r"[;{}]$|unroll$|// [\w ]+$|^$|>$", joined[-1]):
            joined[-1] += " " + line.lstrip()
        else:
            joined.append(line)
    return joined


def test_the_seed_convolution_as_text() -> None:
    text = seed_text()
    for line in (
        "#include <cuda_fp16.h>",
        "#include <mma.h>",
        "using namespace nvcuda;",
        "//   schedule      seed",
        "//   architecture  any",
        "//   launch        2 x 4 x 196 blocks of 32 x 4 x 2 threads",
        "//   shared memory 49,152 bytes",
        'extern "C" __global__ void __launch_bounds__(256)',
        "conv2d(",
        "    const half *__restrict__ data,  // 16 x 14 x 14 x 16 x 16 x 16",
        "    const half *__restrict__ kernel,  // 3 x 3 x 16 x 32 x 16 x 16",
        "    float *__restrict__ output)  // 16 x 14 x 14 x 32 x 16 x 16",
        "  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> left[2];",
        "  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> right[4];",
        "  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sums[8];",
        "  __shared__ __align__(128) half data_shared[12288];  // 8 x 1 x 3 x 2 x 16 x 16",
        "  __shared__ __align__(128) half kernel_shared[12288];  // 1 x 3 x 2 x 8 x 16 x 16",
    ):
        assert f"{line}\n" in text
    assert text.count("__syncthreads();") == 2
    assert text.count("wmma::mma_sync(") == 1
    assert "cuda_pipeline.h" not in text


def test_the_seed_launch() -> None:
    layer = WmmaConv2D()
    launch = vtac.compile(layer.text(), "cuda", schedule=layer.seed_schedule()).launch
    record = json.loads(launch.to_json())
    assert list(record) == ["kernel", "grid", "block", "shared_bytes", "parameters"]
    assert (record["kernel"], record["grid"], record["block"]) == ("conv2d", [2, 4, 196], [32, 4, 2])
    assert record["shared_bytes"] == 0
    assert [(p["name"], p["role"], p["dtype"]) for p in record["parameters"]] == [
        ("data", "input", "float16"),
        ("kernel", "input", "float16"),
        ("output", "output", "float32"),
    ]
    assert record["parameters"][0]["shape"] == [16, 14, 14, 16, 16, 16]
    assert LaunchRecord.from_json(launch.to_json()) == launch


@pytest.mark.parametrize("fast", [False, True])
def test_the_text_is_deterministic(fast: bool) -> None:
    layer = WmmaConv2D(32, 4, 4, 32, 32)
    texts = {
        vtac.compile(layer.text(), "cuda", schedule=fast_schedule(layer) if fast else layer.seed_schedule()).text
        for _ in range(3)
    }
    assert len(texts) == 1


@pytest.mark.parametrize("fast", [False, True])
def test_fragments_are_named_by_constants_of_unrolled_loops(fast: bool) -> None:
    layer = WmmaConv2D()
    text = vtac.compile(layer.text(), "cuda", schedule=fast_schedule(layer) if fast else layer.seed_schedule()).text
    lines = statements(text)
    unrolled = {
        match[1]
        for before, line in pairwise(lines)
        if before.strip() == "#pragma unroll" and (match := re.search(r"for \(int (\w+) =", line))
    }
    uses = [line for line in lines if re.search(r"wmma::\w+_(sync|fragment)\(", line)]
    assert uses
    for line in uses:
        for index in re.findall(r"(?:left|right|sums)\[([^\]]+)\]", line):
            assert set(re.findall(r"[A-Za-z_]\w*", index)) <= unrolled, line


def test_the_fast_text_uses_the_pipeline_calls_and_dynamic_shared_memory() -> None:
    layer = WmmaConv2D()
    program = vtac.compile(layer.text(), "cuda", schedule=fast_schedule(layer))
    assert "#include <cuda_pipeline.h>\n" in program.text
    assert "  extern __shared__ __align__(128) unsigned char shared_memory[];\n" in program.text
    for call in ("__pipeline_memcpy_async(", "__pipeline_commit();", "__pipeline_wait_prior(stages - 2);"):
        assert call in program.text
    assert program.launch.shared_bytes > 48 * 1024


def test_lines_are_indented_by_two_and_braces_close() -> None:
    depth = 1
    for line in statements(seed_text().split("{\n", 1)[1]):
        stripped = line.strip()
        if stripped.startswith("}"):
            depth -= 1
        if stripped and depth > 0:
            assert len(line) - len(line.lstrip()) == 2 * depth, line
        if stripped.endswith("{"):
            depth += 1
        assert line == line.rstrip()
    assert depth == 0


def test_long_statements_are_broken() -> None:
    for layer in (WmmaConv2D(), WmmaConv2D(64, 9, 9, 64, 64, 5, 2, 2)):
        text = vtac.compile(layer.text(), "cuda", schedule=layer.seed_schedule()).text
        assert max(len(line) for line in text.splitlines()) <= 115


def test_only_needed_headers_and_types() -> None:
    layer = WmmaMatmul(32, 32, 32, "bf16")
    text = vtac.compile(layer.text(), "cuda", schedule=layer.schedule()).text
    assert "#include <cuda_bf16.h>\n" in text
    assert "const __nv_bfloat16 *__restrict__ a," in text
    layer = WmmaMatmul(32, 32, 32, "s8")
    text = vtac.compile(layer.text(), "cuda", schedule=layer.schedule()).text
    assert "cuda_bf16.h" not in text
    assert "wmma::fragment<wmma::matrix_a, 8, 32, 16, signed char, wmma::row_major>" in text
    assert "wmma::fragment<wmma::accumulator, 8, 32, 16, int>" in text


def test_relu_keeps_nan() -> None:
    layer = WmmaMatmul(32, 32, 32, relu=True)
    text = vtac.compile(layer.text(), "cuda", schedule=layer.schedule()).text
    assert "= loaded <= 0.0f ? 0.0f : loaded;" in text
    assert "fmaxf" not in text


KERNEL = """
func.func @k({arguments})
    attributes {{gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>}} {{
  %half = "gpu.thread_id"() <{{dimension = #gpu<dim x>}}> : () -> index
  {body}
  func.return
}}
"""


def body(text: str, arguments: str = "%x: memref<32xf32>, %y: memref<32xf32>") -> str:
    return emit_cuda(parse(KERNEL.format(arguments=arguments, body=text)))
