"""Blocks of a cluster leave out what none of them needs of taps in the padding: counted, exact, faults are found."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from lowering import lower
from nhwc_programs import Convolution
from packed_convolutions import PackedConvolution
from planted_faults import WRONG, fault_of, planted

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling
from vtac.workloads.wmma_conv2d import WmmaConv2D

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_compiler = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
CASE = PackedConvolution(Convolution.of(64, (3, 4), (3, 3), padding=1, channels=64, features=64))
"""A block is one pixel of 64 images; two neighbours, of one row of pixels, are a cluster."""
BYTES = 64 * 64 * 2
"""Of images, and of the kernel, in a step of one tap."""
ALONG_ROWS = ProductTiling((16, 8, 16), 2, 4, 2, 2, 4, 3)
WAYS = {
    "mma.sync": ("sm_90", ALONG_ROWS, False, 2),
    "mma.sync, roles": ("sm_90", ALONG_ROWS, True, 4),
    "wgmma": ("sm_90a", group_tiling(1, 64, 2, 128, 3), False, 4),
    "wgmma, roles": ("sm_90a", group_tiling(1, 64, 2, 128, 3), True, 2),
    "wgmma, roles, along columns": ("sm_90a", group_tiling(1, 32, 2, 128, 3), True, 2),
}


@cache
def program(way: str) -> CudaProgram:
    architecture, tiling, roles, blocks = WAYS[way]
    script = tma_schedule(CASE.text(), architecture, tiling, specialize=roles, cluster=blocks)
    made = vtac.compile(CASE.text(), "cuda", architecture, schedule=script)
    assert isinstance(made, CudaProgram)
    return made


def taps_of(row: int, column: int) -> set[tuple[int, int]]:
    """Those of a pixel's window that lie in the image."""
    rows, columns = CASE.plain.sizes
    window = [(h, w) for h in range(3) for w in range(3)]
    return {(h, w) for h, w in window if 1 <= row + h <= rows and 1 <= column + w <= columns}


@needs_cpu
def test_each_block_expects_what_it_and_its_neighbour_need() -> None:
    """The thread that asks adds up the bytes in its first sum, and nothing is multiplied."""
    head, found, kernel = program("mma.sync").text.partition('extern "C"')
    kernel, products = re.subn(r"mma_m16n8k16_f16_f32\w*\([^;]*;", "", kernel)
    kernel, expected = re.subn(r"(mbarrier_arrive_expect_tx\([^;]*, (\d+)\);)", r"\1 sums[0][0] += \2.0f;", kernel)
    assert (products, expected) == (1, 6)
    run = run_on_cpu(head + found + kernel, program("mma.sync").launch, CASE.arrays(), orders=1, races=False)
    rows, columns = CASE.plain.sizes
    wanted = [
        [BYTES * (len(taps_of(h, w)) + len(taps_of(h, w) | taps_of(h, w // 2 * 2 + 1 - w % 2))) for w in range(columns)]
        for h in range(rows)
    ]
    np.testing.assert_array_equal(run.outputs[0][0, :, :, 0, 0, 0], np.array(wanted, np.float32))
    assert min(map(min, wanted)) < max(map(max, wanted)) == 2 * 9 * BYTES


@needs_cpu
@pytest.mark.parametrize("way", WAYS)
def test_clusters_are_exact(way: str) -> None:
    made = program(way)
    np.testing.assert_array_equal(made(*CASE.arrays()), CASE.wanted())


@pytest.mark.parametrize("way", ["mma.sync, roles", "wgmma"])
def test_the_kernel_level_is_exact_too(way: str) -> None:
    architecture, tiling, roles, blocks = WAYS[way]
    record = gpu_architecture(architecture)
    module = lower(CASE.text(), record, tma_schedule(CASE.text(), record, tiling, specialize=roles, cluster=blocks))
    np.testing.assert_array_equal(evaluate(module, *CASE.arrays()), CASE.wanted())


ROLES = "wgmma, roles"
OF_OTHERS = r"(mbarrier_wait_cluster\(empty.*?\} else \{\s+if \()(.*?)(\) \{)"
"""The condition under which another block of the cluster uses a tap."""
FAULTS = {
    "nothing is loaded for the neighbour": (ROLES, OF_OTHERS, r"\1false\3", {"deadlock"}),
    "what nobody needs is asked for by one block alone": (
        ROLES,
        OF_OTHERS,
        r"\1\2 || blockIdx.x % 2 == 0\3",
        {"deadlock"},
    ),
    "own boxes are expected where the neighbour's are loaded": (
        ROLES,
        OF_OTHERS + r"(\s+mbarrier_arrive_expect_tx\([^;]*, )8192",
        r"\1\2\3\g<4>16384",
        {"deadlock"},
    ),
    "the neighbour's are not expected": (
        ROLES,
        OF_OTHERS + r"(\s+mbarrier_arrive_expect_tx\([^;]*, )8192",
        r"\1\2\3\g<4>0",
        {"mbarrier", "deadlock", WRONG, "race", "bulk-copy"},
    ),
    "bytes are expected where nobody needs any": (
        ROLES,
        r"(mbarrier_arrive_expect_tx\([^;]*, )0\)",
        r"\g<1>16)",
        {"deadlock"},
    ),
}


@needs_cpu
@pytest.mark.parametrize(("way", "old", "new", "kinds"), FAULTS.values(), ids=FAULTS.keys())
def test_wrong_conditions_are_found(way: str, old: str, new: str, kinds: set[str]) -> None:
    text = planted(program(way).text, old, new)
    found = {fault_of(program(way), text, CASE.arrays(), CASE.wanted(), blocks) for blocks in ((0, 1), (10, 11))}
    assert found & kinds, found


def test_blocks_that_agree_ask_for_all_or_nothing() -> None:
    """Neighbours along columns have the same pixel: no block loads for others what it does not need itself."""
    expected = set(re.findall(r"expect_tx\([^;]*, (\d+)\);", program("wgmma, roles, along columns").text))
    assert expected == {"0", str(BYTES + BYTES // 2)}
    assert set(re.findall(r"expect_tx\([^;]*, (\d+)\);", program(ROLES).text)) == {"0", str(BYTES), str(2 * BYTES)}


@needs_compiler
@pytest.mark.parametrize("roles", [False, True])
def test_products_of_clusters_stay_asynchronous(roles: bool) -> None:
    """Without roles, too, compilers have to be told that warps do not part where one lane asks for boxes."""
    text = WmmaConv2D().text()
    script = tma_schedule(text, "sm_90a", group_tiling(2, 256, 2, 128, 4), specialize=roles, cluster=2)
    made = vtac.compile(text, "cuda", "sm_90a", schedule=script)
    assert isinstance(made, CudaProgram)
    assert made.text.count("if (__shfl_sync(~0u, ") == 1
    found = compile_kernel(made.text, made.launch.kernel, "sm_90a")
    assert (found.spills, found.serialised) == (False, "")
