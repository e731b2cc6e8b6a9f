"""Execution of CUDA text on the CPU: right kernels, sampled blocks, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cuda_kernels import Sample, blocked_conv2d, kernel_text, pipelined_matmul

from vtac.errors import KernelFault, KernelTextError, LaunchError, ToolMissingError
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason, host_compiler
from vtac.targets.cuda.launch import LaunchRecord, Parameter

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))


@needs_compiler
@pytest.mark.parametrize("sample", [pipelined_matmul(), blocked_conv2d()], ids=["matmul", "conv2d"])
def test_whole_launch_equals_numpy(sample: Sample) -> None:
    run = run_on_cpu(sample.text, sample.launch, sample.arrays, orders=4, seed=5)
    assert run.blocks == tuple(range(sample.launch.blocks))
    assert run.written[0].all()
    np.testing.assert_array_equal(run.outputs[0], sample.expected)


@needs_compiler
def test_sampled_blocks_write_their_share() -> None:
    sample = blocked_conv2d()
    run = run_on_cpu(sample.text, sample.launch, sample.arrays, blocks=5, seed=3)
    assert len(run.blocks) == 5
    assert {0, 24} <= set(run.blocks)
    assert run.written[0].mean() == pytest.approx(5 / 25)
    np.testing.assert_array_equal(run.outputs[0][run.written[0]], sample.expected[run.written[0]])


@needs_compiler
def test_named_blocks_in_several_processes() -> None:
    sample = blocked_conv2d()
    run = run_on_cpu(sample.text, sample.launch, sample.arrays, blocks=[7, 3, 11], workers=3)
    assert run.blocks == (7, 3, 11)
    h, w = np.divmod(np.array(run.blocks), 5)
    assert run.written[0][:, h, w].all()
    assert int(run.written[0].sum()) == 3 * run.written[0][:, 0, 0].size


_FRAGMENTS = """
#include <mma.h>
#include <cuda_bf16.h>
using namespace nvcuda;
extern "C" __global__ void product(const {element}* a, const {element}* b, {accumulator}* c) {{
  wmma::fragment<wmma::matrix_a, {m}, {n}, {k}, {operand}, wmma::{a_layout}_major> left;
  wmma::fragment<wmma::matrix_b, {m}, {n}, {k}, {operand}, wmma::{b_layout}_major> right;
  wmma::fragment<wmma::accumulator, {m}, {n}, {k}, {accumulator}> acc;
  wmma::fill_fragment(acc, 0);
  wmma::load_matrix_sync(left, a, {a_pitch});
  wmma::load_matrix_sync(right, b, {b_pitch});
  wmma::mma_sync(acc, left, right, acc);
  wmma::store_matrix_sync(c, acc, {n}, wmma::mem_row_major);
}}
"""
_TYPES = {
    "float16": ("half", "half", "float"),
    "bfloat16": ("__nv_bfloat16", "__nv_bfloat16", "float"),
    "float32": ("float", "wmma::precision::tf32", "float"),
    "int8": ("signed char", "signed char", "int"),
    "uint8": ("unsigned char", "unsigned char", "int"),
}


@needs_compiler
@pytest.mark.parametrize(
    ("dtype", "shape", "layouts"),
    [
        ("float16", (32, 8, 16), ("row", "col")),
        ("bfloat16", (8, 32, 16), ("col", "row")),
        ("float32", (16, 16, 8), ("row", "row")),
        ("int8", (16, 16, 16), ("row", "col")),
        ("uint8", (32, 8, 16), ("col", "col")),
    ],
)
def test_fragments_of_every_type(dtype: str, shape: tuple[int, int, int], layouts: tuple[str, str]) -> None:
    m, n, k = shape
    element, operand, accumulator = _TYPES[dtype]
    a_layout, b_layout = layouts
    text = _FRAGMENTS.format(
        element=element,
        operand=operand,
        accumulator=accumulator,
        m=m,
        n=n,
        k=k,
        a_layout=a_layout,
        b_layout=b_layout,
        a_pitch=k if a_layout == "row" else m,
        b_pitch=n if b_layout == "row" else k,
    )
    rng = np.random.default_rng(8)
    low = 0 if dtype == "uint8" else -8
    a, b = rng.integers(low, 9, (m, k)), rng.integers(low, 9, (k, n))
    stored = [a if a_layout == "row" else a.T, b if b_layout == "row" else b.T]
    if dtype == "bfloat16":
        arrays = [
            (x.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16) for x in map(np.ascontiguousarray, stored)
        ]
    else:
        arrays = [np.ascontiguousarray(x).astype(dtype) for x in stored]
    result = "int32" if accumulator == "int" else "float32"
    launch = LaunchRecord(
        "product",
        (1, 1, 1),
        (32, 1, 1),
        0,
        (
            Parameter("a", "input", dtype, arrays[0].shape),
            Parameter("b", "input", dtype, arrays[1].shape),
            Parameter("c", "output", result, (m, n)),
        ),
    )
    run = run_on_cpu(text, launch, arrays)
    np.testing.assert_array_equal(run.outputs[0], a @ b)


_CONVERSIONS = """
#include <cuda_fp16.h>
#include <cuda_bf16.h>
extern "C" __global__ void convert(const float* in, half* halves, __nv_bfloat16* shorts, float* back) {
  const int i = blockIdx.x * 32 + threadIdx.x;
  halves[i] = __float2half(in[i]);
  shorts[i] = __float2bfloat16(in[i]);
  back[i] = __half2float(halves[i]);
}
"""


@needs_compiler
def test_conversions_equal_numpys() -> None:
    rng = np.random.default_rng(4)
    special = [0.0, -0.0, 65504, 65519, 65520, -1e9, np.inf, -np.inf, 2**-24, 2**-25, 2**-25 * 1.01, 6e-5, 2**-14, 1.0]
    values = np.concatenate([np.array(special), rng.normal(size=498) * 10.0 ** rng.integers(-8, 6, 498)]).astype(
        np.float32
    )
    parameters = (
        Parameter("in", "input", "float32", (512,)),
        Parameter("halves", "output", "float16", (512,)),
        Parameter("shorts", "output", "bfloat16", (512,)),
        Parameter("back", "output", "float32", (512,)),
    )
    run = run_on_cpu(_CONVERSIONS, LaunchRecord("convert", (16, 1, 1), (32, 1, 1), 0, parameters), [values])
    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    np.testing.assert_array_equal(run.outputs[0].view(np.uint16), halves.view(np.uint16))
    np.testing.assert_array_equal(run.outputs[2], halves.astype(np.float32))
    bits = values.view(np.uint32).astype(np.uint64)
    np.testing.assert_array_equal(run.outputs[1], ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16))


@needs_compiler
def test_refusals_name_what_does_not_fit() -> None:
    sample = pipelined_matmul()
    a, b, bias = sample.arrays
    with pytest.raises(LaunchError, match="got 2 arrays; it takes 3 inputs: a, b, bias"):
        run_on_cpu(sample.text, sample.launch, [a, b])
    with pytest.raises(LaunchError, match=r"input `b` .* got float16 \[64, 96\]; .* float16 \[96, 64\]"):
        run_on_cpu(sample.text, sample.launch, [a, b.T, bias])
    with pytest.raises(LaunchError, match=r"blocks \[4\]: the grid \[2, 2, 1\] has the blocks 0 to 3"):
        run_on_cpu(sample.text, sample.launch, sample.arrays, blocks=[4])
    with pytest.raises(LaunchError, match="orders is 0"):
        run_on_cpu(sample.text, sample.launch, sample.arrays, orders=0)
    with pytest.raises(KernelTextError, match="no kernel `gemm`"):
        run_on_cpu(sample.text, replace(sample.launch, kernel="gemm"), sample.arrays)


@needs_compiler
def test_text_that_does_not_compile_shows_the_compilers_error() -> None:
    sample = pipelined_matmul()
    with pytest.raises(KernelTextError, match=r"kernel.cu:\d+:.*stages_that_nobody_declared"):
        run_on_cpu(sample.text.replace("% kStages", "% stages_that_nobody_declared"), sample.launch, sample.arrays)
    with pytest.raises(KernelTextError, match="CUDA has no fragment of this shape and element type"):
        run_on_cpu(sample.text.replace("16, 16, 16, half", "16, 16, 32, half"), sample.launch, sample.arrays)


@needs_compiler
def test_signature_must_be_the_records() -> None:
    sample = pipelined_matmul()
    *others, last = sample.launch.parameters
    with pytest.raises(KernelFault, match="the kernel has 4 parameters, the launch record 3") as caught:
        run_on_cpu(sample.text, replace(sample.launch, parameters=(*others[:2], last)), sample.arrays[:2])
    assert caught.value.kind == "signature"
    narrow = replace(sample.launch, parameters=(*others, replace(last, dtype="float16")))
    with pytest.raises(KernelFault, match=r"parameter 3 of the kernel points to float32, .* `c` to float16"):
        run_on_cpu(sample.text, narrow, sample.arrays)


def test_without_a_compiler_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    host_compiler.cache_clear()
    try:
        with pytest.raises(
            ToolMissingError, match=r"no C\+\+ compiler found on PATH .*no-such-compiler.*install g\+\+"
        ):
            host_compiler()
        assert "no C++ compiler" in str(cpu_unavailable_reason())
    finally:
        host_compiler.cache_clear()


def test_kernels_are_readable() -> None:
    assert 'extern "C" __global__' in kernel_text("conv2d_blocked.cu")
