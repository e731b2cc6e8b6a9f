"""What can go wrong in a text of mma.sync and ldmatrix: each fault is planted, and found."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import vtac
from vtac.errors import KernelFault, KernelTextError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.inline_ptx import rewrite_asm
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.workloads.wmma_matmul import WmmaMatmul

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

LAYER = WmmaMatmul(64, 32, 128, bias=True)
WRONG = "wrong numbers"


@cache
def program() -> CudaProgram:
    """Two warps of a tile by two; steps of two instructions, three stages."""
    script = mma_schedule(LAYER.text(), None, ProductTiling((16, 8, 16), 1, 2, 2, 1, 2, 3))
    made = vtac.compile(LAYER.text(), "cuda", "sm_80", schedule=script)
    assert isinstance(made, CudaProgram)
    return made


@cache
def arrays() -> tuple[Array, ...]:
    random = np.random.default_rng(0)
    a, b = (random.integers(-4, 5, shape).astype(np.float16) for shape in ((64, 128), (128, 32)))
    return a, b, random.integers(-9, 10, 32).astype(np.float32)


def found_in(text: str) -> str:
    """The kind of fault that a run of a text ends with, `wrong numbers` where it ends, nothing where it is right."""
    try:
        run = run_on_cpu(text, program().launch, arrays(), orders=2, blocks=(0, 3), workers=1)
    except KernelFault as fault:
        return fault.kind
    a, b, bias = (array.astype(np.float32) for array in arrays())
    wanted = a @ b + bias
    written = run.written[0]
    return "" if np.array_equal(run.outputs[0][written], wanted[written]) and written.sum() == 1024 else WRONG


def planted(old: str, new: str) -> str:
    """The text with its first occurrence of something changed."""
    text = program().text
    assert old in text, text
    return text.replace(old, new, 1)


FAULTS = {
    "b is not transposed": ("x4.trans.shared", "x4.shared", WRONG),
    "a is transposed": ("x4.shared", "x4.trans.shared", WRONG),
    "registers of ldmatrix change places": ("{%0, %1, %2, %3}, [%4]", "{%0, %2, %1, %3}, [%4]", WRONG),
    "registers of a change places": ("{%4, %5, %6, %7}", "{%4, %6, %5, %7}", WRONG),
    "registers of b change places": ("{%8, %9}", "{%9, %8}", WRONG),
    "sums come back in other registers": ('{%8, %9}, {%0, %1, %2, %3};"', '{%8, %9}, {%1, %0, %2, %3};"', WRONG),
    "an operand is not the text's": ('"r"(left[1])', '"r"(left[2])', WRONG),
    "a tile of b is loaded for another": ("right[0], right[0 + 1]", "right[0 + 1], right[0]", WRONG),
    "lanes name other rows": (
        "const int product_a_from = warp_row * 512 + lane % 16",
        "const int product_a_from = warp_row * 512 + lane % 8",
        WRONG,
    ),
    "lanes name other columns": ("const int lane_major = lane / 16", "const int lane_major = lane / 8 % 2", WRONG),
    "what is read is not swizzled": ("+ slice * 2) ^ lane_middle", "+ slice * 2)", WRONG),
    "what is written is not swizzled": ("(lane % 4) ^ (lane / 8)", "(lane % 4) ^ 0", WRONG),
    "rows are swizzled by one bit less": ("(lane % 4) ^ (lane / 8)", "(lane % 4) ^ (lane / 8 % 2)", WRONG),
    "a pitch of other rows": ("lane % 16 * 32;", "lane % 16 * 40;", "race"),
    "rows start between chunks": ("product_a_address + 2 *", "product_a_address + 8 + 2 *", "misaligned"),
    "rows lie beyond the array": ("product_b_address + 2 *", "product_b_address + 8192 + 2 *", "out-of-bounds"),
    "an address of global memory": (
        "__cvta_generic_to_shared(product_a)",
        "__cvta_generic_to_shared(a)",
        "out-of-bounds",
    ),
    "a wait that is too weak": ("__pipeline_wait_prior(stages - 2);", "__pipeline_wait_prior(stages - 1);", "race"),
    "no wait": ("__pipeline_wait_prior(stages - 2);", "", "race"),
    "no commit": ("    __pipeline_commit();\n    const", "    const", "race"),
    "no barrier": ("    __syncthreads();\n", "", "race"),
    "a barrier of warps alone": ("    __syncthreads();\n", "    __syncwarp();\n", "race"),
    "a stage that is read still is copied to": ("int copy_slot = stages - 1;", "int copy_slot = 0;", "race"),
    "a stage is read a step early": ("\n  int slot = 0;", "\n  int slot = 1;", "race"),
    "an instruction is left out": ("slice < 2", "slice < 1", WRONG),
    "some lanes load alone": ("      ldmatrix_x4(", "      if (lane < 16) ldmatrix_x4(", "warp-divergence"),
    "lanes load in different lines": (
        "      ldmatrix_x4(",
        "      if (lane % 2) ldmatrix_x4(left[0], product_a_address);\n      else ldmatrix_x4(",
        "warp-divergence",
    ),
    "results of other rows": ("c_to + i * 8 + 256]", "c_to + i * 8 + 224]", "race"),
    "results of other columns": ("c_to + i * 8 + 256]", "c_to + i * 8 + 257]", "misaligned"),
    "the bias of a neighbour": ("sum + pair.x", "sum + pair.y", WRONG),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    old, new, wanted = FAULTS[name]
    found = found_in(planted(old, new))
    assert found == wanted


def test_the_text_is_right() -> None:
    assert found_in(program().text) == ""


def test_a_race_names_the_line_of_the_call() -> None:
    with pytest.raises(KernelFault) as caught:
        run_on_cpu(planted("    __syncthreads();\n", ""), program().launch, arrays(), orders=1, workers=1)
    assert "(`ldmatrix_x4" in caught.value.message


UNKNOWN = 'asm volatile("tcgen05.wait::ld.sync.aligned;" : "+r"(x));'
READ_ONLY = 'asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "r"(x) : "r"(y));'
WRITTEN_ONLY = (
    'asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %0, %0, %0}, {%1, %1, %1, %1}, {%1, %1}, '
    '{%0, %0, %0, %0};" : "=f"(x) : "r"(y));'
)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (UNKNOWN, "cannot run `tcgen05.wait::ld.sync.aligned;` on the CPU: the PTX instructions with a model are"),
        (READ_ONLY, "asm operand %0 is written, and its constraint 'r' only reads"),
        (WRITTEN_ONLY, "asm operand %0 is read, and its constraint '=f' only writes"),
        (READ_ONLY.replace("x1", "x2"), "ldmatrix of 2 matrices takes 2 registers and an address"),
        (READ_ONLY.replace("[%1]", "[%2]"), "asm operand %2 of 2"),
        (WRITTEN_ONLY.replace("k16", "k8"), "cannot run mma.sync of m16n8k8 f32.f16.f16.f32 on the CPU"),
        (WRITTEN_ONLY.replace("{%1, %1}", "{%1}"), "mma.sync of m16n8k16 takes 4, 4, 2 and 4 registers"),
        (READ_ONLY.replace('"r"(y)', '"r"(y) : "memory" : place'), "it has more than operands"),
    ],
)
def test_inline_ptx_without_a_model_is_refused(statement: str, message: str) -> None:
    with pytest.raises(KernelTextError) as caught:
        rewrite_asm(f"// A kernel.\n{statement}\n")
    assert message in caught.value.message
    assert caught.value.location == "kernel.cu:2"
