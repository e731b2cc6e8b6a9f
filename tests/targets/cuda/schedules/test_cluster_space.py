"""Clusters in the space of default schedules: where estimates take them, along which axis, and where there are none.

The texts so chosen are executed on the CPU, whole clusters of the real launch, against numpy.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from contraction_programs import convolution, matmul
from dynamic_programs import dynamic
from mma_programs import Case, product, wanted_of
from planted_faults import fault_of, planted

import vtac
from vtac.analysis.nests.nest import blocks_under
from vtac.analysis.operations.structured_view import block_view
from vtac.analysis.operations.tensor_products import is_tensor_product
from vtac.dialects.clusters import shares_cheaply
from vtac.dialects.gpu_hardware import gpu_architecture, gpu_architectures
from vtac.dialects.gpu_roofs import gpu_roof
from vtac.errors import ConfigError, ScheduleError
from vtac.schedule import Schedule
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.dynamic import CudaDynamic
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.box_tilings import BoxProbe
from vtac.targets.cuda.schedules.defaults import product_tiling
from vtac.targets.cuda.schedules.product_blocks import ProductBlocks, find_product_blocks
from vtac.targets.cuda.schedules.product_clusters import alone, clusters_of
from vtac.targets.cuda.schedules.roof import asked_bytes, estimate, ranked
from vtac.targets.cuda.schedules.tiling import ProductSize, ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_compiler = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
LANES = replace(ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 3), boxes=True)


def asking(text: str) -> str:
    return f'module attributes {{wmma.instructions = "tma"}} {{\n{text}}}\n'


@cache
def chosen(case: Case, architecture: str) -> CudaProgram:
    made = vtac.compile(asking(case.text), "cuda", architecture)
    assert isinstance(made, CudaProgram)
    return made


SMALL = product((70, 4008, 136))
"""One row of blocks, so that only neighbours along columns have something in common."""
CHOSEN = {
    "wgmma along rows": (product((4090, 4001, 136), transposed=True), "sm_90a", "wgmma of boxes", "along rows"),
    "wgmma along columns": (product((70, 20008, 136)), "sm_90a", "wgmma of boxes", "along columns"),
    "mma.sync along columns": (product((4090, 4008, 136), "bf16", tail=True), "sm_100a", "mma.sync", "along columns"),
    "a batch": (product((1000, 1008, 136), batch=8), "sm_90a", "mma.sync of boxes", "along columns"),
    "bytes": (product((3000, 3010, 272), "i8", transposed=True), "sm_90a", "wgmma of boxes", "along rows"),
}


@needs_cpu
@pytest.mark.parametrize(("case", "architecture", "instructions", "axis"), CHOSEN.values(), ids=CHOSEN.keys())
def test_chosen_clusters_are_exact(case: Case, architecture: str, instructions: str, axis: str) -> None:
    """Rows and columns end within a block, and the last cluster has blocks beyond the product."""
    program, arrays = chosen(case, architecture), case.arrays()
    assert re.search(rf"default, {instructions}.*, clusters of [24] {axis}", program.text)
    assert "_multicast(" in program.text
    blocks = program.launch.grid[0] * program.launch.grid[1] * program.launch.grid[2]
    run = program.run_on_cpu(*arrays, blocks=(0, blocks - 1))
    assert len(run.blocks) == 2 * program.launch.cluster_blocks
    written = run.written[0]
    assert written.any()
    np.testing.assert_array_equal(run.outputs[0][written], wanted_of(case, arrays)[written])


@needs_compiler
@pytest.mark.parametrize("architecture", ["sm_90a", "sm_100a"])
def test_large_products_do_not_spill(architecture: str) -> None:
    program = chosen(product((4096, 4096, 4096)), architecture)
    found = compile_kernel(program.text, program.launch.kernel, architecture)
    assert program.launch.cluster_blocks == 2
    assert not found.spills
    assert not found.serialised


@needs_cpu
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"(tma_load_2d_multicast\(.*?), (\d+)\);", r"\1, \2 >> 1);"),
        (r"tma_load_2d_multicast\((.*?), \d+\);", r"tma_load_2d(\1);"),
        (r"(tma_load_2d_multicast\(.*?a_map, .*?)(block\w*minor) \*", r"\1(1 - \2) *"),
        (r"(mbarrier_init\(empty_address.*?), (\d+)\)", r"\1, \2 / 2)"),
        (r"(mbarrier_arrive_expect_tx\(full_address.*?), (\d+)\)", r"\1, \2 / 2)"),
        (r"cluster_arrive\(\);\s+cluster_wait\(\);", "__syncthreads();"),
        (r"cluster_arrive\(\);\s+cluster_wait\(\);(?!.*cluster_arrive)", ""),
        (r"mbarrier_wait_cluster\(empty_address.*?;", ""),
        (r"(mbarrier_arrive_cluster\(empty_address.*?), (\d+)\)", r"\1, 1)"),
    ],
    ids=["mask", "whole box", "offset", "users", "bytes", "start", "end", "free slot", "one block"],
)
def test_faults_in_a_chosen_text_are_found(old: str, new: str) -> None:
    program, arrays = chosen(SMALL, "sm_90a"), SMALL.arrays()
    assert program.launch.cluster_blocks > 1
    assert fault_of(program, planted(program.text, old, new), arrays, wanted_of(SMALL, arrays))


def test_the_chosen_text_itself_is_right() -> None:
    program, arrays = chosen(SMALL, "sm_90a"), SMALL.arrays()
    assert fault_of(program, program.text, arrays, wanted_of(SMALL, arrays)) == ""


@pytest.mark.parametrize("extent", [1024, 4096, 8192])
def test_the_first_is_not_slower_by_estimate_than_without_clusters(extent: int) -> None:
    record = gpu_architecture("sm_90a")
    size, tiling = product_tiling(vtac.parse(product((extent, extent, extent)).text), record, 0, "tma")
    first = next(one for one in ranked(size, record) if one.cluster == 1)
    best, without = (estimate(one, size, record).cycles for one in (tiling, first))
    assert best <= 1.03 * without
    if tiling.cluster > 1:
        assert estimate(alone(tiling), size, record).bound == "cache"
        assert asked_bytes(tiling, size) < asked_bytes(alone(tiling), size)


def test_clusters_are_where_multicast_is_not_slow() -> None:
    """PTX names sm_90a, sm_100a and their kin; elsewhere a schedule may still ask for them by name."""
    size = ProductSize((4096, 4096, 4096), LANES.fragment, 2, (8, 8), staged=False, boxes=True)
    assert [name for name, one in gpu_architectures().items() if shares_cheaply(one)] == ["sm_90a", "sm_100a"]
    for name in ("sm_90", "sm_120", "sm_120a"):
        assert list(clusters_of(LANES, size, gpu_architecture(name))) == []
    assert list(clusters_of(LANES, size, None)) == []
    assert list(clusters_of(replace(LANES, boxes=False), size, gpu_architecture("sm_90a"))) == []
    found = list(clusters_of(LANES, size, gpu_architecture("sm_90a")))
    assert [(one.cluster, one.shares_columns) for one in found] == [(2, True), (2, False), (4, True), (4, False)]


def test_no_cluster_has_more_blocks_than_a_product_along_its_axis() -> None:
    size = ProductSize((32, 96, 4096), LANES.fragment, 2, (8, 8), staged=False, boxes=True)
    found = list(clusters_of(LANES, size, gpu_architecture("sm_90a")))
    assert LANES.block[:2] == (32, 32)
    assert [(one.cluster, one.shares_columns) for one in found] == [(2, False)]


def test_blocks_run_in_whole_clusters_of_one_part_of_a_chip() -> None:
    """Of eight parts of a chip each may have two multiprocessors that belong to no cluster of four."""
    roof = gpu_roof(gpu_architecture("sm_90a"))
    assert [roof.blocks_at_once(1, size) for size in (1, 2, 4)] == [132, 132, 116]
    assert roof.blocks_at_once(2, 4) == 232
    assert gpu_roof(gpu_architecture("sm_110")).blocks_at_once(1, 8) == 8


def test_pixels_are_not_shared_along_columns() -> None:
    """Each block asks for its own by maps for im2col; the kernel's boxes come to all."""
    text = convolution("nhwc_hwcf", (256, 256, 14, 14), 512, (3, 3), pad=1).text()
    _, tiling = product_tiling(vtac.parse(text), gpu_architecture("sm_90a"), 0, "tma")
    assert (tiling.cluster, tiling.shares_columns) == (2, True)
    probe = BoxProbe(text, _blocks(text))
    assert "come by maps for im2col" in probe.cluster_problem(replace(tiling, shares_columns=False))
    assert [probe.cluster_problem(one) for one in (tiling, alone(tiling))] == ["", ""]


def test_boxes_that_cannot_be_cut_are_no_clusters() -> None:
    """Four parts of 16 rows of 64 bytes would start inside of a swizzle: the probe says it before a schedule does."""
    case = product((256, 64, 256), transposed=True)
    probe = BoxProbe(case.text, _blocks(case.text))
    small = replace(ProductTiling((16, 8, 16), 1, 2, 2, 1, 2, 3), boxes=True, cluster=4)
    assert "the box of 16 x 32 of 'b' is cut in 4 parts along its slowest dimension, and parts would start at " in (
        probe.cluster_problem(small)
    )
    assert probe.cluster_problem(replace(small, cluster=2)) == ""
    with pytest.raises(ScheduleError, match="blocks of 32 x 16 in steps of 32, 3 stages do not fit a product of"):
        tma_schedule(case.text, "sm_90a", small, cluster=None)


def _blocks(text: str) -> ProductBlocks:
    function = Schedule(text).function
    return find_product_blocks(
        function, next(one for one in blocks_under(function) if is_tensor_product(block_view(one)))
    )


def test_a_dynamic_size_has_no_clusters() -> None:
    """How many blocks a launch has is known when it runs, and clusters are whole."""
    text = asking(dynamic(matmul(777, 4096, 4096).text()))
    made = vtac.compile(text, "cuda", "sm_100a")
    assert isinstance(made, CudaDynamic)
    assert "clusters of 2 " in chosen(product((4096, 4096, 4096)), "sm_100a").text
    assert "of boxes" in made.text
    assert "clusters of" not in made.text
    assert all(one.cluster is None for one in made.plan.kernels)


def test_a_launch_that_is_no_whole_clusters_is_refused() -> None:
    launch = chosen(SMALL, "sm_90a").launch
    with pytest.raises(ConfigError, match=r"grid.y is \d+, and clusters have \d blocks along it; whole clusters are"):
        replace(launch, grid=(launch.grid[0], launch.grid[1] + 1, launch.grid[2]))


def test_a_schedule_leaves_it_to_the_estimate() -> None:
    case = product((4096, 4096, 512))
    assert ", clusters of 4 along rows" in str(tma_schedule(case.text, "sm_90a", cluster=None).name)
    assert "clusters" not in str(tma_schedule(case.text, "sm_90a").name)
    assert "clusters" not in str(tma_schedule(case.text, "sm_90a", group_tiling(2, 256, 2), cluster=None).name)
