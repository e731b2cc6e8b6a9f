"""Machine code of products on wgmma: what the main loop does beside multiplying; products are not serialised."""

from __future__ import annotations

import pytest
from wgmma_programs import CASES

import vtac
from vtac.errors import KernelTextError
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.sass import count_instructions, count_main_loop, disassemble
from vtac.targets.cuda.gpu.toolkit import disassembler_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.wgmma_products import group_tiling, wgmma_schedule
from vtac.workloads.wmma_matmul import WmmaMatmul

needs_disassembler = pytest.mark.skipif(
    disassembler_unavailable_reason() is not None, reason=str(disassembler_unavailable_reason())
)


def program_of(text: str, tiling: ProductTiling | None = None) -> CudaProgram:
    made = vtac.compile(text, "cuda", "sm_90a", schedule=wgmma_schedule(text, None, tiling))
    assert isinstance(made, CudaProgram)
    return made


@needs_disassembler
@pytest.mark.parametrize("bias", [False, True])
def test_the_main_loop_of_a_large_product(bias: bool) -> None:
    text = WmmaMatmul(1024, 1024, 1024, bias=bias, relu=bias).text()
    program = program_of(text, group_tiling(2, 256, 2))
    compiled = compile_kernel(program.text, program.launch.kernel, "sm_90a")
    listing = disassemble(compiled)
    loop, whole = count_main_loop(listing), count_instructions(listing)
    assert not compiled.spills
    assert compiled.serialised == ""
    assert compiled.registers <= 168
    assert whole.generic_accesses == whole.local_accesses == 0
    assert (loop.tensor_operations, loop.fragment_loads, loop.asynchronous_copies) == (4, 0, 12)
    assert loop.others_per_tensor_operation <= 40


@needs_disassembler
@pytest.mark.parametrize("name", CASES)
def test_every_operand_type_compiles(name: str) -> None:
    program = program_of(CASES[name].text)
    compiled = compile_kernel(program.text, program.launch.kernel, "sm_90a")
    counts = count_instructions(disassemble(compiled))
    assert not compiled.spills
    assert compiled.serialised == ""
    assert counts.count("HGMMA", "IGMMA") == counts.tensor_operations > 0


@needs_disassembler
def test_sums_that_are_read_too_early_serialise_the_products() -> None:
    text = program_of(WmmaMatmul(128, 128, 512).text(), group_tiling(2, 128, 2)).text
    call = "    wgmma_wait_1();"
    assert call in text
    compiled = compile_kernel(text.replace(call, f"{call} c[0] += sums[0][0];"), "matmul", "sm_90a")
    assert "non wgmma instructions reading accumulator registers" in compiled.serialised


@needs_disassembler
def test_other_architectures_do_not_take_the_text() -> None:
    text = program_of(WmmaMatmul(128, 128, 512).text(), group_tiling(2, 128, 2)).text
    with pytest.raises(KernelTextError, match=r"'wgmma.fence' not supported on .target 'sm_90'"):
        compile_kernel(text, "matmul", "sm_90")
