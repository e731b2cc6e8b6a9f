"""Products whose blocks form clusters: executed on the CPU as text and in numpy, against numpy; what is refused."""

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
LANES, GROUPS = ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 3), group_tiling(1, 64, 2, 128, 3)
TALL, TALL_GROUPS = ProductTiling((16, 8, 16), 2, 2, 2, 2, 4, 3), group_tiling(2, 64, 2, 128, 3)
"""Of 64 x 32 and 128 x 64, whose blocks share their part of a."""
RASTERED = ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 3, 8)


@dataclass(frozen=True)
class Way:
    """An architecture, a tiling, whether warps have roles, and the blocks of a cluster."""

    architecture: str
    tiling: ProductTiling | None
    specialize: bool
    cluster: int


def script_of(case: Case, way: Way) -> str:
    record = gpu_architecture(way.architecture)
    return str(tma_schedule(case.text, record, way.tiling, specialize=way.specialize, cluster=way.cluster))


def compiled(case: Case, way: Way) -> CudaProgram:
    made = vtac.compile(case.text, "cuda", way.architecture, schedule=script_of(case, way))
    assert isinstance(made, CudaProgram)
    return made


PRODUCTS = {
    "mma.sync": (product((128, 64, 520)), Way("sm_90", LANES, False, 2), (2, 1, 1)),
    "mma.sync, roles": (product((128, 64, 520)), Way("sm_90", LANES, True, 4), (4, 1, 1)),
    "mma.sync along columns": (product((64, 128, 232)), Way("sm_90", TALL, False, 4), (1, 4, 1)),
    "mma.sync, roles along columns": (product((64, 128, 232)), Way("sm_90", TALL, True, 2), (1, 2, 1)),
    "in groups of rows": (product((512, 64, 232)), Way("sm_90", RASTERED, False, 2), (2, 1, 1)),
    "rows and columns beyond": (product((97, 72, 232)), Way("sm_90", LANES, True, 2), (2, 1, 1)),
    "b transposed": (product((128, 64, 232), transposed=True), Way("sm_90", LANES, False, 2), (2, 1, 1)),
    "a tail": (product((64, 64, 256), tail=True), Way("sm_90", LANES, True, 2), (2, 1, 1)),
    "bf16": (product((64, 64, 256), "bf16"), Way("sm_90", LANES, True, 2), (2, 1, 1)),
    "a batch": (product((64, 64, 256), batch=3), Way("sm_90", LANES, True, 2), (2, 1, 1)),
    "tf32": (
        product((64, 64, 256), "f32", transposed=True),
        Way("sm_90", ProductTiling((16, 8, 8), 1, 2, 2, 2, 4, 3), True, 2),
        (2, 1, 1),
    ),
    "s8": (
        product((64, 64, 256), "i8", transposed=True),
        Way("sm_90", ProductTiling((16, 8, 32), 1, 2, 2, 2, 2, 3), True, 2),
        (2, 1, 1),
    ),
    "wgmma": (product((256, 64, 232)), Way("sm_90a", GROUPS, False, 2), (2, 1, 1)),
    "wgmma, roles": (product((256, 64, 520)), Way("sm_90a", GROUPS, True, 4), (4, 1, 1)),
    "wgmma along columns": (product((128, 128, 256)), Way("sm_90a", TALL_GROUPS, True, 2), (1, 2, 1)),
    "wgmma of bytes": (
        product((128, 64, 512), "i8", transposed=True),
        Way("sm_90a", group_tiling(1, 64, 1, 128, 3), True, 2),
        (2, 1, 1),
    ),
    "two stages of warpgroups": (
        product((128, 64, 256)),
        Way("sm_90a", group_tiling(1, 64, 2, 128, 2), True, 2),
        (2, 1, 1),
    ),
}


@needs_cpu
@pytest.mark.parametrize(("case", "way", "cluster"), PRODUCTS.values(), ids=PRODUCTS.keys())
def test_products_are_exact(case: Case, way: Way, cluster: tuple[int, int, int]) -> None:
    program, arrays = compiled(case, way), case.arrays()
    assert program.launch.cluster == cluster
    np.testing.assert_array_equal(program(*arrays), wanted_of(case, arrays))


@pytest.mark.parametrize("name", ["mma.sync", "mma.sync, roles along columns", "wgmma", "wgmma, roles"])
def test_the_kernel_level_is_exact_too(name: str) -> None:
    case, way, _ = PRODUCTS[name]
    module = lower(case.text, gpu_architecture(way.architecture), script_of(case, way))
    arrays = case.arrays()
    np.testing.assert_array_equal(evaluate(module, *arrays), wanted_of(case, arrays))


@needs_cpu
@settings(max_examples=4)
@given(
    m=st.integers(1, 200),
    n=st.integers(1, 100),
    k=st.integers(17, 30),
    roles=st.booleans(),
    size=st.sampled_from((2, 3, 4)),
)
def test_products_of_any_size_are_exact(m: int, n: int, k: int, roles: bool, size: int) -> None:
    """Clusters are whole, whatever the number of blocks; boxes of blocks beyond the product are zeros."""
    case = product((m, n, 8 * k), transposed=True)
    tiling = ProductTiling((16, 8, 16), 1, 3, 2, 2, 4, 2) if size == 3 else LANES
    arrays = case.arrays()
    program = compiled(case, Way("sm_90", tiling, roles, size))
    assert program.launch.grid[0] % size == 0
    np.testing.assert_array_equal(program(*arrays), wanted_of(case, arrays))


@needs_cpu
@pytest.mark.parametrize(
    "way",
    [
        Way("sm_90", ProductTiling((16, 8, 16), 1, 2, 2, 2, 2, 2), True, 2),
        Way("sm_90a", group_tiling(1, 32, 2, 64, 2), True, 2),
    ],
    ids=["mma.sync", "wgmma"],
)
def test_blocks_of_a_convolution_share_the_kernels_boxes(way: Way) -> None:
    case = next(one for one in CASES.values() if one.image)
    program, arrays = compiled(case, way), case.arrays()
    assert "tma_load_4d_multicast(" in program.text
    np.testing.assert_array_equal(program(*arrays), wanted_of(case, arrays))


def test_a_script_can_be_written_down() -> None:
    case, way, _ = PRODUCTS["mma.sync, roles"]
    script = script_of(case, way)
    assert "schedule.cluster" in script
    record = gpu_architecture(way.architecture)
    schedule = tma_schedule(case.text, record, way.tiling, specialize=way.specialize, cluster=way.cluster)
    made = vtac.compile(case.text, "cuda", way.architecture, schedule=schedule)
    assert isinstance(made, CudaProgram)
    assert made.text == compiled(case, way).text


@needs_cpu
def test_a_saved_program_has_its_clusters(tmp_path: Path) -> None:
    case, way, _ = PRODUCTS["a tail"]
    program = compiled(case, way)
    program.save(tmp_path / "saved")
    loaded = vtac.load_program(tmp_path / "saved")
    assert isinstance(loaded, CudaProgram)
    assert loaded.launch == program.launch
    assert loaded.launch.cluster == (2, 1, 1)


@needs_compiler
@pytest.mark.parametrize(
    ("architecture", "specialize"),
    [("sm_90", False), ("sm_90", True), ("sm_90a", False), ("sm_90a", True), ("sm_100", True), ("sm_120", True)],
)
def test_large_products_compile_without_spills(architecture: str, specialize: bool) -> None:
    case = product((4096, 4096, 4096))
    program = compiled(case, Way(architecture, None, specialize, 2))
    found = compile_kernel(program.text, program.launch.kernel, architecture)
    assert not found.spills
    assert not found.serialised


@needs_cpu
def test_eight_blocks_with_four_stages_have_all_their_copies_under_way() -> None:
    """Eight parts for each of eight blocks, and a box of each block's own, in each of four stages: 288 copies."""
    case, arrays = product((1, 64, 1024)), product((1, 64, 1024)).arrays()
    program = compiled(case, Way("sm_90a", group_tiling(1, 64, 2, 128, 4), True, 8))
    np.testing.assert_array_equal(program(*arrays), wanted_of(case, arrays))


def test_clusters_are_of_two_to_eight_blocks() -> None:
    case = product((64, 64, 256))
    with pytest.raises(ScheduleError) as caught:
        tma_schedule(case.text, gpu_architecture("sm_90"), LANES, cluster=16)
    assert "tma_schedule: clusters of 16 blocks; 1, which is none, to 8 are possible" in caught.value.message


def test_boxes_that_cannot_be_cut_are_refused() -> None:
    """Eight parts of 32 rows of 64 bytes would start inside of a swizzle of 64 bytes."""
    case = product((256, 64, 256), transposed=True)
    script = tma_schedule(case.text, gpu_architecture("sm_90"), ProductTiling((16, 8, 16), 1, 2, 2, 2, 2, 3), cluster=8)
    with pytest.raises(CompileError) as caught:
        vtac.compile(case.text, "cuda", "sm_90", schedule=script)
    assert (
        "cluster: the box of 32 x 32 of 'b' is cut in 8 parts along its slowest dimension, and parts would start at "
        "multiples of 256 bytes; 512 are required" in caught.value.message
    )
