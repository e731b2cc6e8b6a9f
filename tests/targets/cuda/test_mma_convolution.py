"""The packed convolution on mma.sync: exact, taps in the padding not taken, no bank conflicts, a short main loop."""

from __future__ import annotations

import numpy as np
import pytest
from mma_kernels import banks_of, lowered

import vtac
from vtac.errors import CompileError, KernelFault
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.sass import count_instructions, count_main_loop, disassemble
from vtac.targets.cuda.gpu.toolkit import disassembler_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.workloads.mma_conv2d import mma_conv_schedule, mma_tiling
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_conv2d_plain import PlainConv2D
from vtac.workloads.wmma_reference import conv2d_at, plain_conv2d_at

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_disassembler = pytest.mark.skipif(
    disassembler_unavailable_reason() is not None, reason=str(disassembler_unavailable_reason())
)
SMALL = WmmaConv2D(32, 3, 4, 64, 48)


def program_of(layer: WmmaConv2D, architecture: str = "sm_90") -> CudaProgram:
    script = mma_conv_schedule(layer, mma_tiling(layer, architecture))
    made = vtac.compile(layer.text(), "cuda", architecture, schedule=script)
    assert isinstance(made, CudaProgram)
    return made


def arrays_of(layer: WmmaConv2D) -> list[Array]:
    random = np.random.default_rng(2)
    return [random.integers(-4, 5, shape).astype(np.float16) for shape in (layer.data_shape, layer.kernel_shape)]


def expected(layer: WmmaConv2D, arrays: list[Array]) -> Array:
    wanted = np.ones(layer.output_shape, np.bool_)
    if isinstance(layer, PlainConv2D):
        return plain_conv2d_at(layer, arrays[0], arrays[1], wanted)
    return conv2d_at(layer, arrays[0], arrays[1], wanted)


@needs_compiler
@pytest.mark.parametrize(
    "layer",
    [
        SMALL,
        WmmaConv2D(32, 5, 6, 32, 32, 3, 1, 2),
        WmmaConv2D(16, 4, 4, 32, 16, 1, 0),
        PlainConv2D(20, 5, 4, 24, 20),
        PlainConv2D(17, 4, 5, 33, 7),
        PlainConv2D(20, 5, 4, 24, 20, layout="nchw"),
    ],
    ids=["packed", "stride", "no padding", "nhwc, cropped", "odd channels", "nchw"],
)
def test_every_layout_is_exact_and_free_of_conflicts(layer: WmmaConv2D) -> None:
    text = layer.text()
    module = lowered(text, str(mma_conv_schedule(layer, mma_tiling(layer))))
    assert {access.turns for access in banks_of(module)} == {1}
    program, arrays = program_of(layer), arrays_of(layer)
    run = run_on_cpu(program.text, program.launch, arrays, workers=1)
    assert run.written[0].all()
    assert np.array_equal(run.outputs[0], expected(layer, arrays))


@needs_compiler
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(lane / 16) ^ (lane % 16 / 4 % 2)", "(lane / 16) ^ (lane % 16 / 8 % 2)"),
        ("__pipeline_wait_prior(stages - 2);", "__pipeline_wait_prior(stages - 1);"),
        ("right[0], right[0 + 1]", "right[0 + 1], right[0]"),
        ("if (block_major + tap_row >= 1 ", "if (block_major + tap_row >= 0 "),
    ],
    ids=["the swizzle of other rows", "a weak wait", "columns of a neighbour", "a tap in the padding"],
)
def test_planted_faults_are_found(old: str, new: str) -> None:
    program, arrays = program_of(SMALL), arrays_of(SMALL)
    assert old in program.text, program.text
    try:
        run = run_on_cpu(program.text.replace(old, new, 1), program.launch, arrays, orders=2, workers=1)
    except KernelFault as fault:
        assert fault.kind in ("race", "unwritten")
    else:
        assert not np.array_equal(run.outputs[0], expected(SMALL, arrays))


def test_taps_in_the_padding_are_not_taken() -> None:
    taken = program_of(SMALL).text
    loop = taken[taken.index("// Main loop") : taken.index("// Epilogue")]
    product = loop.index("mma_m16n8k16_f16_f32(")
    assert loop.count("tap_row", 0, product) > 2, loop  # around the copies of a later step, and around products
    assert "block_middle + tap_column < 5" in loop[:product]
    assert "copy_or_zeros" not in taken


def test_architectures_without_the_instructions_are_refused() -> None:
    with pytest.raises(CompileError, match=r"no tiling for mma.sync fits 2 x 3 tiles of batch and output channels"):
        mma_tiling(SMALL, "sm_75")


@needs_disassembler
def test_the_main_loop_of_the_seed_convolution() -> None:
    """On sm_90, 256 x 128 in steps of a tap of 64 channels."""
    program = program_of(WmmaConv2D())
    compiled = compile_kernel(program.text, program.launch.kernel, "sm_90")
    listing = disassemble(compiled)
    loop, whole = count_main_loop(listing), count_instructions(listing)
    assert not compiled.spills
    assert whole.generic_accesses == whole.local_accesses == 0
    assert (loop.tensor_operations, loop.fragment_loads, loop.asynchronous_copies) == (128, 32, 12)
    assert loop.others_per_tensor_operation <= 1.05
