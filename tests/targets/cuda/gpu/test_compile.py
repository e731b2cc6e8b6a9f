"""Compile check without a GPU: registers, shared memory, spills, machine code; refusals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cuda_kernels import Sample, blocked_conv2d, pipelined_matmul

import vtac
from vtac.errors import ConfigError, KernelTextError, LaunchError, ToolMissingError
from vtac.targets.cuda.gpu import toolkit
from vtac.targets.cuda.gpu.compile import compile_for, compile_kernel
from vtac.targets.cuda.gpu.sass import count_instructions, disassemble
from vtac.targets.cuda.gpu.toolkit import disassembler_unavailable_reason, find_toolkit, toolkit_unavailable_reason
from vtac.targets.cuda.program import CudaProgram

LOWERING = Path(__file__).parents[3] / "passes" / "lowering"

needs_toolkit = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
needs_disassembler = pytest.mark.skipif(
    disassembler_unavailable_reason() is not None, reason=str(disassembler_unavailable_reason())
)


@needs_toolkit
@pytest.mark.parametrize("sample", [pipelined_matmul(), blocked_conv2d()], ids=["matmul", "conv2d"])
def test_compiles_from_turing_to_blackwell_without_spills(sample: Sample) -> None:
    for name, compiled in compile_for(sample.text, sample.launch.kernel, ["sm_75", "sm_90", "sm_120"]).items():
        assert f".target {name}" in compiled.ptx or f".target {name.replace('sm', 'compute')}" in compiled.ptx
        assert compiled.cubin.startswith(b"\x7fELF")
        assert not compiled.spills
        assert compiled.max_threads == 128
        assert compiled.static_shared_bytes in (13_056, 18_432)
        compiled.check_launch(sample.launch)
        assert compiled.resident_blocks(sample.launch) >= 2


@needs_toolkit
@needs_disassembler
def test_fragments_load_by_ldmatrix_and_never_generically() -> None:
    sample = pipelined_matmul()
    counts = count_instructions(disassemble(compile_kernel(sample.text, "matmul", "sm_90")))
    assert counts.fragment_loads > 0
    assert counts.tensor_operations > 0
    assert counts.asynchronous_copies > 0
    assert counts.generic_accesses == 0
    assert counts.local_accesses == 0


@needs_toolkit
@needs_disassembler
@pytest.mark.parametrize(("architecture", "loads", "products"), [("sm_75", 2, 4), ("sm_80", 1, 2), ("sm_90", 1, 2)])
def test_a_product_of_one_fragment_is_the_instructions_that_the_page_on_the_machine_says(
    architecture: str, loads: int, products: int
) -> None:
    steps = 2  # the compiler unrolls them
    program = vtac.compile(LOWERING / "lower_to_wmma.mlir", target="cuda")
    assert isinstance(program, CudaProgram)
    counts = count_instructions(disassemble(compile_kernel(program.text, "product", architecture)))
    assert (counts.fragment_loads, counts.tensor_operations) == (loads * steps, products * steps)


def test_opcodes_are_counted_without_predicates_and_modifiers() -> None:
    listing = """
        /*0000*/                   LDC R1, c[0x0][0x28] ;
        /*0010*/              @!P0 LDSM.16.M88.4 R4, [R2] ;
        /*0020*/                   LDSM.16.MT88.4 R8, [R2+0x10] ;
        /*0030*/              @P1  LD.E R3, [R4.64] ;
        /*0040*/                   STL [R1], R3 ;
        /*0050*/                   HMMA.16816.F32 R4, R8, R12, R4 ;
    """
    counts = count_instructions(listing)
    assert (counts.fragment_loads, counts.generic_accesses, counts.local_accesses) == (2, 1, 1)
    assert counts.tensor_operations == 1
    assert counts.count("LDC", "LDSM") == 3


@needs_toolkit
def test_a_launch_beyond_the_architecture_is_refused() -> None:
    sample = pipelined_matmul()
    compiled = compile_kernel(sample.text, "matmul", "sm_75")
    with pytest.raises(LaunchError, match="256 threads a block; __launch_bounds__ promises at most 128"):
        compiled.check_launch(replace(sample.launch, block=(256, 1, 1)))
    with pytest.raises(LaunchError, match=r"13056 bytes of static and 60000 of dynamic shared .* 65536 together"):
        compiled.check_launch(replace(sample.launch, shared_bytes=60_000))
    crowded = replace(compiled, registers=200, max_threads=0)
    with pytest.raises(LaunchError, match="512 threads of 200 registers do not fit the multiprocessor's 65536"):
        crowded.check_launch(replace(sample.launch, block=(512, 1, 1)))


@needs_toolkit
def test_text_is_refused_with_the_compilers_words() -> None:
    sample = pipelined_matmul()
    with pytest.raises(KernelTextError, match=r"refuses the kernel's text for sm_80:\n.*nobody_declared"):
        compile_kernel(sample.text.replace("% kStages", "% nobody_declared"), "matmul", "sm_80")
    with pytest.raises(KernelTextError, match=r"no kernel `gemm`; its .* kernels are: matmul"):
        compile_kernel(sample.text, "gemm", "sm_80")
    with pytest.raises(ConfigError, match="'sm_70' is not known"):
        compile_kernel(sample.text, "matmul", "sm_70")


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(toolkit, "wheel_roots", list)
    monkeypatch.setenv("PATH", "")
    find_toolkit.cache_clear()
    toolkit.find_disassembler.cache_clear()
    yield
    find_toolkit.cache_clear()
    toolkit.find_disassembler.cache_clear()


@pytest.mark.usefixtures("nothing_installed")
def test_without_a_toolkit_the_message_says_what_to_install() -> None:
    message = r"nvidia-cuda-nvrtc is not installed; nvcc is not on PATH; install .*\[cuda\]"
    with pytest.raises(ToolMissingError, match=message):
        find_toolkit()
    assert "pip install nvidia-cuda-nvdisasm" in str(disassembler_unavailable_reason())
