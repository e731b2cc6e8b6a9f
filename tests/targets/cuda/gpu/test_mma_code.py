"""Machine code of products on mma.sync: what the main loop does beside multiplying."""

from __future__ import annotations

from math import inf

import pytest
from contraction_programs import convolution
from mma_programs import CASES, product

import vtac
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.sass import count_instructions, count_main_loop, disassemble
from vtac.targets.cuda.gpu.toolkit import disassembler_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.workloads.wmma_matmul import WmmaMatmul

needs_disassembler = pytest.mark.skipif(
    disassembler_unavailable_reason() is not None, reason=str(disassembler_unavailable_reason())
)


@needs_disassembler
@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
def test_the_main_loop_of_a_large_product(architecture: str) -> None:
    text = WmmaMatmul(1024, 1024, 1024, bias=True, relu=True).text()
    script = mma_schedule(text, None, ProductTiling((16, 8, 16), 4, 8, 4, 2, 4, 3, 4))
    program = vtac.compile(text, "cuda", architecture, schedule=script)
    assert isinstance(program, CudaProgram)
    compiled = compile_kernel(program.text, program.launch.kernel, architecture)
    listing = disassemble(compiled)
    loop, whole = count_main_loop(listing), count_instructions(listing)
    assert not compiled.spills
    assert whole.generic_accesses == whole.local_accesses == 0
    assert (loop.tensor_operations, loop.fragment_loads, loop.asynchronous_copies) == (128, 32, 12)
    assert loop.others_per_tensor_operation <= 1.05


@needs_disassembler
@pytest.mark.parametrize("name", ["tf32", "s8, b transposed", "convolution"])
def test_other_operands_compile_without_spills(name: str) -> None:
    script = mma_schedule(CASES[name].text)
    program = vtac.compile(CASES[name].text, "cuda", "sm_90", schedule=script)
    assert isinstance(program, CudaProgram)
    compiled = compile_kernel(program.text, program.launch.kernel, "sm_90")
    counts = count_instructions(disassemble(compiled))
    assert not compiled.spills
    assert counts.fragment_loads > 0
    assert counts.tensor_operations > 0


@needs_disassembler
@pytest.mark.parametrize("transposed", [True, False])
def test_tf32_that_is_cut_needs_nothing_more_than_halves(transposed: bool) -> None:
    text = product((1024, 1024, 1024), "f32", transposed=transposed).text
    text = text.replace("wmma.allow_tf32", "wmma.allow_tf32, wmma.cut_tf32")
    script = mma_schedule(text, None, ProductTiling((16, 8, 8), 4, 8, 4, 2, 4, 3, 4))
    program = vtac.compile(text, "cuda", "sm_90", schedule=script)
    assert isinstance(program, CudaProgram)
    compiled = compile_kernel(program.text, program.launch.kernel, "sm_90")
    loop = count_main_loop(disassemble(compiled))
    assert not compiled.spills
    assert (loop.tensor_operations, loop.fragment_loads) == (128, 32)
    assert loop.asynchronous_copies == (12 if transposed else 24)  # b by rows moves single elements
    assert loop.others_per_tensor_operation <= 1.05


@needs_disassembler
@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize(
    "text",
    [convolution("nhwc_hwcf", (256, 256, 14, 14), 512, (3, 3), pad=1).text(), product((4090, 4080, 4072)).text],
    ids=["a convolution with padding", "sizes that tiles do not divide"],
)
def test_copies_with_zeros_are_one_instruction_each(text: str, architecture: str) -> None:
    script = mma_schedule(text, None, ProductTiling((16, 8, 16), 4, 8, 4, 2, 4, 3, 4))
    program = vtac.compile(text, "cuda", architecture, schedule=script)
    assert isinstance(program, CudaProgram)
    compiled = compile_kernel(program.text, program.launch.kernel, architecture)
    loop = count_main_loop(disassemble(compiled))
    assert not compiled.spills
    assert (loop.tensor_operations, loop.fragment_loads, loop.asynchronous_copies) == (128, 32, 12)
    assert loop.others_per_tensor_operation <= 1.05


@needs_disassembler
@pytest.mark.parametrize(("architecture", "stages"), [("sm_80", 3), ("sm_89", 2), ("sm_90", 3)])
def test_bytes_by_rows_are_sorted_without_more_than_is_said(architecture: str, stages: int) -> None:
    text = product((1024, 1024, 4096), "i8").text  # shorter loops are unrolled whole
    script = mma_schedule(text, None, ProductTiling((16, 8, 32), 8, 4, 2, 4, 4, stages, 4))
    program = vtac.compile(text, "cuda", architecture, schedule=script)
    assert isinstance(program, CudaProgram)
    compiled = compile_kernel(program.text, program.launch.kernel, architecture)
    loop = count_main_loop(disassemble(compiled))
    assert not compiled.spills
    assert (loop.tensor_operations, loop.fragment_loads, loop.asynchronous_copies) == (128, 40, 12)
    assert loop.count("PRMT") == 32
    assert loop.others_per_tensor_operation <= 1.05


def test_a_listing_without_a_loop() -> None:
    listing = ".L_x_0:\n        /*0000*/                   HMMA.16816.F32 R4, R8, R12, R4 ;\n"
    counts = count_main_loop(listing)
    assert counts.tensor_operations == 0
    assert counts.others_per_tensor_operation == inf
    loop = f"{listing}        /*0010*/              @!P0 BRA `(.L_x_0) ;\n        /*0020*/ EXIT ;\n"
    assert count_main_loop(loop).counts == (("BRA", 1), ("HMMA", 1))
