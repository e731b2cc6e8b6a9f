"""Products on mma.sync of sizes that no tile divides: exact, without bank conflicts, and found out when off by one."""

from __future__ import annotations

import re

import numpy as np
import pytest
from contraction_programs import Contraction, convolution
from hypothesis import given, settings
from hypothesis import strategies as st
from mma_kernels import banks_of, lowered
from mma_programs import Case, product, wanted_of

import vtac
from vtac.errors import KernelFault, ScheduleError
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
SIZES = st.tuples(st.integers(1, 140), st.integers(1, 100), st.integers(1, 150))


def program_of(text: str) -> CudaProgram:
    made = vtac.compile(text, "cuda", "sm_90", schedule=mma_schedule(text))
    assert isinstance(made, CudaProgram)
    return made


@settings(max_examples=25)
@given(SIZES, st.sampled_from(["f16", "bf16", "f32", "i8"]), st.booleans())
def test_every_size_is_exact_and_free_of_conflicts(sizes: tuple[int, int, int], element: str, transposed: bool) -> None:
    case = product(sizes, element, transposed=transposed)
    module = lowered(case.text, str(mma_schedule(case.text)))
    assert {access.turns for access in banks_of(module)} == {1}
    arrays = case.arrays()
    found = evaluate(module, *arrays)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, wanted_of(case, arrays))


@pytest.mark.parametrize(
    "layer",
    [
        convolution("nhwc_hwcf", (1, 9, 5, 6), 11, (3, 3), pad=1, bias=True),
        convolution("nhwc_hwcf", (3, 20, 4, 5), 24, (3, 3), pad=1, stride=2),
        convolution("nchw_fchw", (2, 21, 5, 4), 10, (2, 2)),
    ],
    ids=["odd-channels", "stride", "channels-first"],
)
def test_convolutions_of_any_channels(layer: Contraction) -> None:
    module = lowered(layer.text(), str(mma_schedule(layer.text())))
    assert {access.turns for access in banks_of(module)} == {1}
    inputs = layer.inputs()
    found = evaluate(module, *inputs)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, evaluate(vtac.parse(layer.text()), *inputs))


ODD = product((45, 26, 70), tail=True)


@needs_compiler
@pytest.mark.parametrize(
    "case",
    [ODD, product((33, 17, 61)), product((20, 23, 40), "i8", transposed=True), product((9, 33, 20), batch=3)],
    ids=["tail", "halves", "bytes", "batch"],
)
def test_texts_store_every_element_and_no_other(case: Case) -> None:
    program, arrays = program_of(case.text), case.arrays()
    run = run_on_cpu(program.text, program.launch, arrays, workers=1)
    assert run.written[0].all()
    assert np.array_equal(run.outputs[0], wanted_of(case, arrays))


@needs_compiler
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"lane / 4 < 37 &&", "lane / 4 < 38 &&"),
        (r"lane / 4 < 37 &&", "lane / 4 < 36 &&"),
        (r"\* 2 < 26\)", "* 2 < 28)"),
        (r"\* 32 < 45", "* 32 < 46"),
        (r"present \? 4 : 0", "present ? 0 : 4"),
    ],
    ids=["a row too many", "a row too few", "columns too many", "a row that is none is copied", "zeros for data"],
)
def test_planted_guards_are_found(old: str, new: str) -> None:
    program, arrays = program_of(ODD.text), ODD.arrays()
    text, count = re.subn(old, new, program.text)
    assert count, program.text
    try:
        run = run_on_cpu(text, program.launch, arrays, orders=2, workers=1)
    except KernelFault as fault:
        assert fault.kind in ("out-of-bounds", "race", "order-dependent", "uninitialised")
    else:
        assert not np.array_equal(run.outputs[0], wanted_of(ODD, arrays)) or not run.written[0].all()


def test_whole_tiles_have_no_guards() -> None:
    text = program_of(product((64, 64, 128)).text).text
    epilogue = text[text.index("// Epilogue") :]
    assert "if (" not in epilogue
    assert "copy_or_zeros" not in text


def test_blocks_far_beyond_the_product_are_refused() -> None:
    wanted = r"blocks of 64 x 64 in steps of 32, 2 stages, by 128 threads, do not fit a product of 33 x 17 x 61"
    with pytest.raises(ScheduleError, match=wanted):
        mma_schedule(product((33, 17, 61)).text, None, ProductTiling((16, 8, 16), 2, 4, 2, 2, 2, 2))
