"""NHWC convolutions on mma.sync: taps in the padding are copied as zeros by one instruction, and faults there found."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from contraction_programs import Contraction, convolution
from mma_kernels import banks_of, lowered

import vtac
from vtac.errors import KernelFault, KernelTextError
from vtac.evaluate import evaluate
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.inline_ptx import rewrite_asm
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
LAYER = convolution("nhwc_hwcf", (2, 64, 8, 8), 32, (3, 3), pad=1)
TILING = ProductTiling((16, 8, 16), 2, 2, 2, 2, 4, 3)


@cache
def program() -> CudaProgram:
    made = vtac.compile(LAYER.text(), "cuda", "sm_80", schedule=mma_schedule(LAYER.text(), None, TILING))
    assert isinstance(made, CudaProgram)
    return made


@cache
def wanted() -> Array:
    found = evaluate(vtac.parse(LAYER.text()), *LAYER.inputs())
    assert isinstance(found, np.ndarray)
    return found


def found_in(text: str) -> str:
    """How a run of a text ends: the kind of a fault, `wrong numbers`, or nothing where it is right."""
    try:
        run = run_on_cpu(text, program().launch, LAYER.inputs(), orders=2, workers=1)
    except KernelFault as fault:
        return fault.kind
    return "" if np.array_equal(run.outputs[0], wanted()) else "wrong numbers"


@pytest.mark.parametrize(
    ("layer", "tiling"),
    [
        (LAYER, TILING),
        (convolution("nhwc_hwcf", (2, 32, 9, 7), 64, (3, 3), pad=1, stride=2), None),
        (convolution("nhwc_hwcf", (1, 64, 6, 10), 128, (5, 5), pad=2), ProductTiling((16, 8, 16), 2, 4, 1, 4, 4, 2)),
    ],
    ids=["halves of rows", "stride", "rows of 256 bytes"],
)
def test_convolutions_are_exact_and_free_of_conflicts(layer: Contraction, tiling: ProductTiling | None) -> None:
    module = lowered(layer.text(), str(mma_schedule(layer.text(), None, tiling)))
    assert {access.turns for access in banks_of(module)} == {1}
    inputs = layer.inputs()
    found = evaluate(module, *inputs)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, evaluate(vtac.parse(layer.text()), *inputs))


@needs_compiler
def test_the_text_is_right() -> None:
    assert found_in(program().text) == ""


FAULTS = {
    "a column too many": ("copy_step_part_1 < 9", "copy_step_part_1 < 10"),
    "a column too few": ("copy_step_part_1 < 9", "copy_step_part_1 < 8"),
    "a column of the padding on the left": ("+ copy_step_part_1 >= 1", "+ copy_step_part_1 >= 0"),
    "a row too many": ("warp_column < 9", "warp_column < 10"),
    "a row too few": ("warp_column < 9", "warp_column < 8"),
    "taps of another row": ("int copy_step_part = 0;", "int copy_step_part = 1;"),
    "zeros for data": ("present ? 16 : 0", "present ? 0 : 16"),
    "data for zeros": ("present ? 16 : 0", "16"),
    "half of what is copied": ("present ? 16 : 0", "present ? 8 : 0"),
    "the same half twice": ("(piece * 2048 + 32)", "(piece * 2048)"),
    "both halves to one place": ("((lane % 4 + 4) ^", "((lane % 4) ^"),
}


@needs_compiler
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    text, (old, new) = program().text, FAULTS[name]
    assert old in text, text
    assert found_in(text.replace(old, new)) != ""


COPY = 'asm volatile("cp.async.{}.shared.global [%0], [%1], {}, %2;" :: "r"(t), "l"(s), "r"(n) : "memory");'


def test_copies_are_of_the_sizes_that_there_are() -> None:
    assert "::vtac::copy_async(" in rewrite_asm(COPY.format("ca", 8))
    with pytest.raises(KernelTextError, match=r"cp.async.cg of 8 bytes: .cg copies 16, and .ca 4, 8 or 16"):
        rewrite_asm(COPY.format("cg", 8))
    with pytest.raises(KernelTextError, match=r"cp.async.ca of 2 bytes"):
        rewrite_asm(COPY.format("ca", 2))


def test_a_copy_that_does_not_say_memory_is_refused() -> None:
    with pytest.raises(KernelTextError, match=r'`cp.async.ca.shared.global` orders accesses of memory.* "memory"'):
        rewrite_asm(COPY.format("ca", 8).replace(' : "memory"', ""))
