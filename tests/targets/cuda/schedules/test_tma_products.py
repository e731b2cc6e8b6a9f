"""Products whose operands come as boxes: executed on the CPU as text and in numpy, against numpy; what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering import lower
from mma_programs import CASES, Case, product, wanted_of

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import CompileError, ScheduleError
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_compiler = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
LANES = ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 3)
"""Tiles of 32 x 32, steps of 64, three stages: four warps."""
GROUPS = group_tiling(1, 64, 2, 128, 3)
"""64 x 64 of a warpgroup, in the same steps and stages."""


@dataclass(frozen=True)
class Way:
    """An architecture, a tiling, and whether warps have roles."""

    architecture: str
    tiling: ProductTiling | None
    specialize: bool


WAYS = {
    "mma.sync": Way("sm_90", LANES, False),
    "mma.sync, roles": Way("sm_90", LANES, True),
    "wgmma": Way("sm_90a", GROUPS, False),
    "wgmma, roles": Way("sm_90a", GROUPS, True),
}


def compiled(case: Case, way: Way) -> CudaProgram:
    script = tma_schedule(case.text, gpu_architecture(way.architecture), way.tiling, specialize=way.specialize)
    made = vtac.compile(case.text, "cuda", way.architecture, schedule=script)
    assert isinstance(made, CudaProgram)
    return made


@needs_cpu
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@settings(max_examples=4)
@given(m=st.integers(1, 3), n=st.integers(1, 3), k=st.integers(18, 40), transposed=st.booleans())
def test_products_of_any_depth_are_exact(way: Way, m: int, n: int, k: int, transposed: bool) -> None:
    """The last step's boxes end outside of both operands, whose rows are multiples of 16 bytes."""
    case = product((64 * m, 64 * n, 8 * k), tiling=None, transposed=transposed)
    arrays = case.arrays()
    np.testing.assert_array_equal(compiled(case, way)(*arrays), wanted_of(case, arrays))


@needs_cpu
@settings(max_examples=8)
@given(m=st.integers(1, 130), n=st.integers(1, 130), k=st.integers(4, 30), specialize=st.booleans(), own=st.booleans())
def test_products_of_any_size_are_exact(m: int, n: int, k: int, specialize: bool, own: bool) -> None:
    """Boxes begin inside of both operands and end outside, in any dimension; results outside are not stored."""
    case = product((m, n, 8 * k), transposed=True)
    way = Way("sm_90", LANES if own and 8 * k > 128 else None, specialize)
    arrays = case.arrays()
    np.testing.assert_array_equal(compiled(case, way)(*arrays), wanted_of(case, arrays))


@needs_cpu
@settings(max_examples=8)
@given(m=st.integers(1, 140), n=st.integers(1, 17), k=st.integers(17, 40), specialize=st.booleans(), rows=st.booleans())
def test_products_of_warpgroups_are_of_any_size(m: int, n: int, k: int, specialize: bool, rows: bool) -> None:
    """No number of rows has to be a multiple of 64; b by rows has columns in multiples of 16 bytes, as any array."""
    case = product((m, 8 * n if rows else 8 + n, 8 * k), transposed=not rows)
    arrays = case.arrays()
    program = compiled(case, Way("sm_90a", group_tiling(1, 16, 2, 64, 3), specialize))
    assert "wgmma_m64n16" in program.text
    np.testing.assert_array_equal(program(*arrays), wanted_of(case, arrays))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_the_kernel_level_is_exact_too(way: Way) -> None:
    case = product((64, 128, 232))
    script = tma_schedule(case.text, gpu_architecture(way.architecture), way.tiling, specialize=way.specialize)
    module = lower(case.text, gpu_architecture(way.architecture), script)
    arrays = case.arrays()
    np.testing.assert_array_equal(evaluate(module, *arrays), wanted_of(case, arrays))


OTHERS = {
    "a tail": (product((64, 64, 256), tail=True), Way("sm_90", LANES, True)),
    "a tail of warpgroups": (product((64, 64, 256), tail=True), Way("sm_90a", GROUPS, True)),
    "bf16": (product((64, 64, 256), "bf16"), Way("sm_90", LANES, True)),
    "a batch": (product((64, 64, 256), batch=3), Way("sm_90", LANES, True)),
    "s8 along k": (
        product((64, 64, 256), "i8", transposed=True),
        Way("sm_90", ProductTiling((16, 8, 32), 1, 2, 2, 2, 2, 3), True),
    ),
    "rows of 48 bytes": (product((96, 48, 256)), Way("sm_90", ProductTiling((16, 8, 16), 3, 3, 2, 1, 4, 2), False)),
    "panels": (product((64, 256, 256)), Way("sm_90", ProductTiling((16, 8, 16), 1, 8, 2, 2, 4, 2), False)),
    "panels of warpgroups": (product((128, 128, 256)), Way("sm_90a", group_tiling(2, 128, 2, 128, 3), True)),
    "s8 of warpgroups": (
        product((70, 50, 256), "i8", transposed=True),
        Way("sm_90a", group_tiling(1, 32, 1, 64, 3), True),
    ),
    "a batch of warpgroups": (product((64, 32, 256), batch=2), Way("sm_90a", group_tiling(1, 32, 2, 64, 3), True)),
    "two stages of warpgroups": (product((64, 64, 256)), Way("sm_90a", group_tiling(1, 64, 2, 128, 2), True)),
}


@needs_cpu
@pytest.mark.parametrize(("case", "way"), OTHERS.values(), ids=OTHERS.keys())
def test_other_products(case: Case, way: Way) -> None:
    arrays = case.arrays()
    np.testing.assert_array_equal(compiled(case, way)(*arrays), wanted_of(case, arrays))


@needs_cpu
@pytest.mark.parametrize(
    "way",
    [
        Way("sm_90", ProductTiling((16, 8, 16), 1, 2, 2, 2, 2, 2), True),
        Way("sm_90a", group_tiling(1, 32, 2, 64, 2), True),
    ],
    ids=["mma.sync", "wgmma"],
)
def test_a_convolution_is_copied_in_boxes_of_four_dimensions(way: Way) -> None:
    """Pixels of a tile are rows and columns of an image; the padding lies outside of it."""
    case = next(one for one in CASES.values() if one.image)
    program = compiled(case, way)
    rows = program.launch.tensor_maps[0]
    pixels = 32 if way.architecture == "sm_90" else 64
    assert (rows.extents, rows.box) == ((32, 8, 8, 2), (32, 8, pixels // 8, 1))
    assert program.launch.tensor_maps[1].box[2:] == (1, 1)
    arrays = case.arrays()
    np.testing.assert_array_equal(program(*arrays), wanted_of(case, arrays))


@needs_cpu
def test_a_saved_program_has_its_maps(tmp_path: Path) -> None:
    case = product((64, 64, 256))
    program = compiled(case, WAYS["mma.sync, roles"])
    program.save(tmp_path / "saved")
    loaded = vtac.load_program(tmp_path / "saved")
    assert isinstance(loaded, CudaProgram)
    assert loaded.launch == program.launch
    assert [one.array for one in loaded.launch.tensor_maps] == ["a", "b"]
    arrays = case.arrays()
    np.testing.assert_array_equal(loaded(*arrays), wanted_of(case, arrays))


@needs_compiler
@pytest.mark.parametrize(
    ("architecture", "specialize"),
    [("sm_90", False), ("sm_90", True), ("sm_90a", False), ("sm_90a", True), ("sm_100", True), ("sm_120", True)],
)
def test_large_products_compile_without_spills(architecture: str, specialize: bool) -> None:
    case = product((4096, 4096, 4096))
    program = compiled(case, Way(architecture, None, specialize))
    found = compile_kernel(program.text, program.launch.kernel, architecture)
    assert not found.spills
    assert found.resident_blocks(program.launch) >= 1


def test_texts_say_who_does_what() -> None:
    text = compiled(product((256, 256, 512)), Way("sm_90a", group_tiling(2, 64, 2, 128, 3), True)).text
    assert "struct alignas(64) TensorMap {" in text
    assert "const __grid_constant__ TensorMap a_map,  // boxes of 128 x 64" in text
    assert "setmaxnreg_dec_40();" in text
    consumers, producers = text.split("} else {")
    assert "wgmma_wait_1();" in consumers
    assert "tma_load_2d(" in producers.split("\n  }")[0]


REFUSED = {
    "an architecture without": (
        product((64, 64, 256)),
        "sm_80",
        "tma_schedule: sm_80 has no bulk copies of tensors; sm_90 and later have",
    ),
    "one step alone": (
        product((60, 64, 16)),
        "sm_90",
        "tma_schedule: no tiling for boxes fits a product of 60 x 64 x 16: it takes two steps of 32 bytes of k or more",
    ),
    "operands to be transposed": (
        product((64, 64, 256), "f32"),
        "sm_90",
        "operands of other than 16 bits are multiplied along k, and boxes do not transpose",
    ),
}


@pytest.mark.parametrize(("case", "architecture", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(case: Case, architecture: str, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        tma_schedule(case.text, gpu_architecture(architecture))
    assert message in caught.value.message


def test_steps_of_several_taps_are_refused() -> None:
    """A step of 64 of k has two taps of 32 channels."""
    case = next(one for one in CASES.values() if one.image)
    with pytest.raises(ScheduleError) as caught:
        tma_schedule(case.text, gpu_architecture("sm_90"), ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 2))
    assert caught.value.message.startswith(
        "tma_schedule: blocks of 32 x 32 in steps of 64, 2 stages do not fit a product"
    )
    assert "'x' is not addressed by one part of a loop along each dimension" in caught.value.message


def test_a_script_can_be_written_down() -> None:
    case = product((64, 64, 256))
    script = tma_schedule(case.text, gpu_architecture("sm_90"), LANES, specialize=True)
    assert 'async "tma"' in str(script)
    assert "schedule.specialize" in str(script)
    again = vtac.compile(case.text, "cuda", "sm_90", schedule=str(script))
    assert isinstance(again, CudaProgram)
    assert again.text == compiled(case, WAYS["mma.sync, roles"]).text


def test_names_of_maps_are_no_parameters() -> None:
    case = product((64, 64, 256))
    text = case.text.replace("%a", "%b_map")
    script = tma_schedule(text, gpu_architecture("sm_90"), LANES)
    program = vtac.compile(text, "cuda", "sm_90", schedule=script)
    assert "TensorMap b_map_map" in program.text
    assert "TensorMap b_map_2" in program.text


def test_rows_that_boxes_do_not_reach_are_refused() -> None:
    case = product((64, 64, 260))
    with pytest.raises(ScheduleError) as caught:
        tma_schedule(case.text, gpu_architecture("sm_90"), LANES)
    assert "tensor map of 'a': a stride of 520 bytes; a multiple of 16 below 2**40 is required" in caught.value.message


def test_other_architectures_refuse_the_schedule() -> None:
    """A kernel for an architecture that has no bulk copies is not made of a schedule that asks for them."""
    case = product((64, 64, 256))
    script = tma_schedule(case.text, gpu_architecture("sm_90"), LANES)
    with pytest.raises(CompileError) as caught:
        vtac.compile(case.text, "cuda", "sm_80", schedule=script)
    assert "tma.load: sm_80 has none; sm_90 and later copy boxes in bulk" in caught.value.message
