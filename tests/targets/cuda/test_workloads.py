"""The workloads' text executed on the CPU, and compiled for every architecture."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import vtac
from vtac.dialects.gpu_hardware import gpu_architectures
from vtac.errors import KernelFault
from vtac.evaluate.bfloat16 import to_bfloat16
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.sass import count_instructions, disassemble
from vtac.targets.cuda.gpu.toolkit import disassembler_unavailable_reason, toolkit_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_conv2d_plain import PlainConv2D
from vtac.workloads.wmma_fast import choose_tiling, fast_schedule
from vtac.workloads.wmma_matmul import WmmaMatmul
from vtac.workloads.wmma_reference import conv2d_at, matmul_at, plain_conv2d_at

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_toolkit = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
needs_disassembler = pytest.mark.skipif(
    toolkit_unavailable_reason() is not None or disassembler_unavailable_reason() is not None,
    reason=f"{toolkit_unavailable_reason()}; {disassembler_unavailable_reason()}",
)
SEED = WmmaConv2D()


@cache
def convolution(layer: WmmaConv2D, fast: bool) -> CudaProgram:
    compiled = vtac.compile(layer.text(), "cuda", schedule=fast_schedule(layer) if fast else layer.seed_schedule())
    assert isinstance(compiled, CudaProgram)
    return compiled


@cache
def product(layer: WmmaMatmul) -> CudaProgram:
    compiled = vtac.compile(layer.text(), "cuda", schedule=layer.schedule())
    assert isinstance(compiled, CudaProgram)
    return compiled


def check_convolution(layer: WmmaConv2D, program: CudaProgram, blocks: int | None) -> None:
    random = np.random.default_rng(0)
    data, kernel = (random.integers(-5, 6, s).astype(np.float16) for s in (layer.data_shape, layer.kernel_shape))
    run = program.run_on_cpu((data, kernel), blocks=blocks)
    (output,), (written,) = run.outputs, run.written
    assert written.mean() == pytest.approx(len(run.blocks) / program.launch.blocks)
    assert np.array_equal(output[written], conv2d_at(layer, data, kernel, written)[written])


def product_inputs(layer: WmmaMatmul) -> tuple[Array, ...]:
    random = np.random.default_rng(0)
    a, b = (random.integers(-8, 9, s).astype(np.float32) for s in ((layer.m, layer.k), (layer.k, layer.n)))
    bias = random.integers(-50, 51, layer.n).astype(np.int32 if layer.element == "s8" else np.float32)
    if layer.element == "bf16":
        narrow: tuple[Array, Array] = (to_bfloat16(a), to_bfloat16(b))
    else:
        dtype = np.int8 if layer.element == "s8" else np.float16
        narrow = (a.astype(dtype), b.astype(dtype))
    return (*narrow, bias) if layer.bias else narrow


def check_product(layer: WmmaMatmul) -> None:
    inputs = product_inputs(layer)
    result = product(layer)(*inputs)
    assert np.array_equal(result, matmul_at(layer, inputs, np.ones((layer.m, layer.n), np.bool_)))


@needs_compiler
@pytest.mark.parametrize("fast", [False, True])
def test_blocks_of_the_real_launch(fast: bool) -> None:
    check_convolution(SEED, convolution(SEED, fast), 4)


@needs_compiler
@pytest.mark.parametrize(
    ("layer", "fast"),
    [
        (WmmaConv2D(128, 3, 2, 64, 128, 3, 1, 1), False),
        (WmmaConv2D(128, 3, 2, 64, 128, 3, 1, 1), True),
        (WmmaConv2D(32, 4, 5, 32, 32, 1, 0, 1), False),
        (WmmaConv2D(32, 6, 5, 32, 32, 3, 0, 2), True),
        (WmmaConv2D(16, 5, 5, 32, 16, 2, 1, 3), False),
        (WmmaConv2D(16, 3, 3, 64, 32, 5, 2, 1), True),
    ],
    ids=["padded-seed", "padded-fast", "pointwise", "strided", "even", "wide"],
)
def test_whole_convolutions(layer: WmmaConv2D, fast: bool) -> None:
    check_convolution(layer, convolution(layer, fast), None)


@needs_compiler
@pytest.mark.parametrize(
    ("layer", "fast", "blocks"),
    [
        (PlainConv2D(), False, 3),
        (PlainConv2D(250), True, 2),
        (PlainConv2D(16, 5, 4, 16, 32, 2, 0, 2), True, None),
        (PlainConv2D(5, 4, 3, 20, 33, 2, 1, 1), True, None),
        (PlainConv2D(19, 2, 3, 36, 14, 3, 1, 1), True, None),
        (PlainConv2D(5, 3, 4, 35, 19, 2, 1, 1, "nchw"), True, None),
        (PlainConv2D(5, 3, 4, 3, 10, 5, 2, 2), False, None),
        (PlainConv2D(19, 2, 3, 20, 33, 3, 1, 1, "nchw"), False, None),
        (PlainConv2D(32, 2, 2, 32, 32, 1, 0, 1, "nchw"), False, None),
    ],
    ids=[
        "seed",
        "fast",
        "strided",
        "fast-odd-out",
        "fast-odd-batch",
        "fast-channels-first",
        "few-channels",
        "channels-first",
        "channels-first-tiles",
    ],
)
def test_plain_images(layer: PlainConv2D, fast: bool, blocks: int | None) -> None:
    random = np.random.default_rng(0)
    data, kernel = (random.integers(-5, 6, s).astype(np.float16) for s in (layer.data_shape, layer.kernel_shape))
    run = convolution(layer, fast).run_on_cpu((data, kernel), blocks=blocks)
    (output,), (written,) = run.outputs, run.written
    assert written.any()
    assert written.all() or blocks is not None
    assert np.array_equal(output[written], plain_conv2d_at(layer, data, kernel, written)[written])


@needs_compiler
@pytest.mark.parametrize(
    "layer",
    [
        WmmaMatmul(128, 128, 64),
        WmmaMatmul(50, 70, 100, "f16", bias=True, relu=True),
        WmmaMatmul(64, 96, 37, "bf16", bias=True),
        WmmaMatmul(16, 33, 16, "bf16", relu=True),
        WmmaMatmul(1, 33, 16, "s8"),
        WmmaMatmul(50, 64, 100, "s8", bias=True, relu=True),
    ],
    ids=lambda layer: f"{layer.m}x{layer.n}x{layer.k}-{layer.element}",
)
def test_whole_products(layer: WmmaMatmul) -> None:
    check_product(layer)


@needs_compiler
@pytest.mark.parametrize(("element", "epilogue"), [("f16", True), ("bf16", False), ("s8", True)])
def test_pipelined_products(element: str, epilogue: bool) -> None:
    layer = WmmaMatmul(128, 256, 128, element, epilogue, epilogue)
    tiling = layer.fast_tiling(gpu_architectures()["sm_90"])
    program = vtac.compile(layer.text(), "cuda", schedule=layer.schedule(tiling))
    assert "__pipeline_wait_prior(" in program.text
    inputs = product_inputs(layer)
    result = program(*inputs)
    assert np.array_equal(result, matmul_at(layer, inputs, np.ones((layer.m, layer.n), np.bool_)))


def test_pipelined_tilings_follow_the_architecture() -> None:
    layer = WmmaMatmul(bias=True)
    tilings = [layer.fast_tiling(gpu_architectures()[name]) for name in ("sm_90", "sm_89", "sm_75")]
    assert [(t.row_tiles, t.column_tiles, t.stages) for t in tilings] == [(2, 2, 4), (2, 2, 2), (2, 1, 2)]


@needs_compiler
def test_relu_of_nan_is_nan_and_of_negative_zero_is_zero() -> None:
    layer = WmmaMatmul(16, 16, 16, relu=True)
    a, b = np.zeros((16, 16), np.float16), np.eye(16, dtype=np.float16)
    a[0, 0], a[1, 1], a[2, 2] = np.nan, -3, 5
    result = product(layer)(a, b)
    assert isinstance(result, np.ndarray)
    assert np.isnan(result[0]).all()
    assert result[1].tolist() == [0] * 16
    assert result[2, 2] == 5


@needs_compiler
@pytest.mark.parametrize(
    ("line", "replacement", "kinds"),
    [
        ("__syncthreads();", "", {"race"}),
        (", 16);", ", 24);", {"out-of-bounds", "order-dependent", "wrong"}),
        ("wmma::fill_fragment(", "if (false) wmma::fill_fragment(", {"order-dependent", "wrong", "uninitialised"}),
        ("block_z_major + step_1 >= 1 && ", "", {"out-of-bounds", "wrong"}),
    ],
    ids=["barrier", "pitch", "fill", "bounds"],
)
def test_faults_planted_in_the_seed_text_are_found(line: str, replacement: str, kinds: set[str]) -> None:
    check_broken(convolution(SEED, False), line, replacement, kinds)


@needs_compiler
@pytest.mark.parametrize(
    ("line", "replacement", "kinds"),
    [
        ("__syncthreads();", "", {"race"}),
        ("__pipeline_wait_prior(stages - 2);", "__pipeline_wait_prior(stages - 1);", {"race"}),
        ("data_shared_pitch);", "data_shared_pitch + 8);", {"race", "out-of-bounds", "wrong"}),
        ("if (block_major", "if (true || block_major", {"out-of-bounds", "wrong"}),
        ("wmma::fill_fragment(", "if (false) wmma::fill_fragment(", {"order-dependent", "wrong", "uninitialised"}),
    ],
    ids=["barrier", "wait", "pitch", "bounds", "fill"],
)
def test_faults_planted_in_the_fast_text_are_found(line: str, replacement: str, kinds: set[str]) -> None:
    check_broken(convolution(SEED, True), line, replacement, kinds)


def check_broken(program: CudaProgram, line: str, replacement: str, kinds: set[str]) -> None:
    assert line in program.text
    broken = CudaProgram(program.text.replace(line, replacement), program.launch)
    try:
        check_convolution(SEED, broken, 2)
    except KernelFault as fault:
        assert fault.kind in kinds
    except AssertionError:
        assert "wrong" in kinds
    else:
        pytest.fail("the fault was not found")


@needs_toolkit
@pytest.mark.parametrize("architecture", list(gpu_architectures()))
def test_the_seed_schedule_compiles_for_every_architecture(architecture: str) -> None:
    program = convolution(SEED, False)
    compiled = compile_kernel(program.text, program.launch.kernel, architecture)
    assert not compiled.spills
    assert compiled.registers <= 255
    assert compiled.static_shared_bytes == 49_152
    assert compiled.max_threads == 256
    compiled.check_launch(program.launch)
    assert compiled.resident_blocks(program.launch) >= 1


@needs_toolkit
@pytest.mark.parametrize(
    ("architecture", "tiles"),
    [("sm_75", (8, 8)), ("sm_80", (8, 8)), ("sm_89", (8, 4)), ("sm_90", (16, 8)), ("sm_100", (16, 8))],
)
def test_the_fast_schedule_fits_the_architecture_that_it_is_made_for(architecture: str, tiles: tuple[int, int]) -> None:
    """Tiles as large as the chip's cache asks for; no thread has more registers than it may."""
    tiling = choose_tiling(SEED, architecture)
    assert (tiling.rows, tiling.columns) == tiles
    record = gpu_architectures()[architecture]
    program = vtac.compile(SEED.text(), "cuda", record, schedule=fast_schedule(SEED, tiling))
    compiled = compile_kernel(program.text, program.launch.kernel, architecture)
    assert not compiled.spills
    assert compiled.registers <= 255
    shared = program.launch.shared_bytes + compiled.static_shared_bytes
    assert shared == tiling.shared_bytes() <= record.shared_bytes_per_block
    compiled.check_launch(program.launch)


@needs_toolkit
def test_two_blocks_of_the_fast_product_share_a_multiprocessor() -> None:
    record = gpu_architectures()["sm_80"]
    layer = WmmaMatmul(8192, 8192, 8192)
    program = vtac.compile(layer.text(), "cuda", record, schedule=layer.schedule(layer.fast_tiling(record)))
    compiled = compile_kernel(program.text, "matmul", "sm_80")
    assert not compiled.spills
    assert compiled.registers <= record.registers_per_sm // (2 * program.launch.threads)
    assert 2 * program.launch.shared_bytes <= record.shared_bytes_per_sm
    assert compiled.resident_blocks(program.launch) == 2


@needs_toolkit
@pytest.mark.parametrize("element", ["f16", "bf16", "s8"])
def test_products_compile_without_spills(element: str) -> None:
    layer = WmmaMatmul(256, 256, 256, element, True, True)
    compiled = compile_kernel(product(layer).text, "matmul", "sm_90")
    assert not compiled.spills
    compiled.check_launch(product(layer).launch)


@needs_disassembler
@pytest.mark.parametrize("fast", [False, True])
def test_fragments_load_from_shared_memory_and_nothing_generically(fast: bool) -> None:
    program = convolution(SEED, fast)
    counts = count_instructions(disassemble(compile_kernel(program.text, program.launch.kernel, "sm_90")))
    assert counts.fragment_loads > 0
    assert counts.tensor_operations > 0
    assert counts.generic_accesses == 0
    assert counts.local_accesses == 0
    assert (counts.asynchronous_copies > 0) == fast
