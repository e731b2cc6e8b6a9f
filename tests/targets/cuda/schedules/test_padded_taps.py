"""Packed convolutions leave out steps whose tap lies in the padding: counted, exact, and wrong conditions are found."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from lowering import lower
from nhwc_programs import Convolution
from numpy.typing import NDArray
from packed_convolutions import PackedConvolution
from planted_faults import WRONG, fault_of, planted

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.evaluate import evaluate
from vtac.schedule import Schedule
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules import default_schedule
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling, wgmma_schedule
from vtac.workloads.wmma_conv2d import WmmaConv2D

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_compiler = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
CASE = PackedConvolution(Convolution.of(64, (5, 4), (3, 3), padding=1, channels=64, features=64))
"""Blocks of all 64 images of a pixel; a step is one tap of all channels, four products deep."""
DEEP = 4
LANES, GROUPS = ProductTiling((16, 8, 16), 2, 2, 2, 2, 4, 3), group_tiling(1, 32, 2, 128, 3)
WAYS = ("WMMA", "mma.sync", "wgmma", "boxes", "boxes, roles", "wgmma of boxes", "wgmma of boxes, roles")


def script_of(case: PackedConvolution, way: str) -> tuple[str, Schedule]:
    text, roles = case.text(), "roles" in way
    if way == "WMMA":
        return "sm_80", default_schedule(vtac.parse(text), gpu_architecture("sm_80"))
    if way == "mma.sync":
        return "sm_90", mma_schedule(text, "sm_90", LANES)
    if way == "wgmma":
        return "sm_90a", wgmma_schedule(text, "sm_90a", GROUPS)
    architecture, tiling = ("sm_90a", GROUPS) if "wgmma" in way else ("sm_90", LANES)
    return architecture, tma_schedule(text, architecture, tiling, specialize=roles)


@cache
def program(way: str) -> CudaProgram:
    architecture, script = script_of(CASE, way)
    made = vtac.compile(CASE.text(), "cuda", architecture, schedule=script)
    assert isinstance(made, CudaProgram)
    return made


def taps_of(plain: Convolution) -> NDArray[np.int64]:
    """How many taps of each pixel's window lie in the image."""
    ones = np.pad(np.ones(plain.sizes, np.int64), list(zip(plain.low, plain.high, strict=True)))
    (kh, kw), (rows, columns) = plain.window, plain.results
    counts = [[int(ones[h : h + kh, w : w + kw].sum()) for w in range(columns)] for h in range(rows)]
    return np.array(counts, np.int64)


@needs_cpu
@pytest.mark.parametrize("way", WAYS)
def test_as_many_products_are_executed_as_taps_lie_in_the_image(way: str) -> None:
    """Each product adds one to a sum instead, so that results say how many there were: 130 taps of 180."""
    pattern = r"(?:wgmma_m64n32k16|mma_m16n8k16)_f16_f32\w*\((?:&)?(sums\[[^;]*?\]), left.*?\);"
    added = r"\1[0] += 1.0f;"
    if way == "WMMA":
        pattern, added = r"wmma::mma_sync\((sums\[\w+\]), [^;]*;", r"wmma::fill_fragment(\1, \1.x[0] + 1.0f);"
    text, count = re.subn(pattern, added, program(way).text.partition('extern "C"')[2], flags=re.DOTALL)
    assert count == 1
    head = program(way).text.partition('extern "C"')
    run = run_on_cpu(head[0] + head[1] + text, program(way).launch, CASE.arrays(), orders=1, races=False)
    found, wanted = run.outputs[0][0, :, :, 0, 0, 0], DEEP * taps_of(CASE.plain)
    np.testing.assert_array_equal(found, wanted)
    assert (wanted.sum() // DEEP, 9 * wanted.size) == (130, 180)


@pytest.mark.parametrize("way", WAYS)
def test_the_kernel_level_is_exact_too(way: str) -> None:
    architecture, script = script_of(CASE, way)
    module = lower(CASE.text(), gpu_architecture(architecture), script)
    np.testing.assert_array_equal(evaluate(module, *CASE.arrays()), CASE.wanted())


ROLES = "wgmma of boxes, roles"
ASKS, USES = r"(mbarrier_wait\(empty.*?if \([^;{]*?)", r"(mbarrier_wait\(full.*?if \([^;{]*?)"
"""What stands before the conditions of the producer and of the consumers."""
EXPECTED = r"(mbarrier_arrive_expect_tx\(full_address \+ 8 \* \w+), 0\);"
LAST = 39
"""The block of the last pixel; the first one is that of the first."""
FAULTS = {
    "a tap above the image is multiplied": (ROLES, USES + ">= 1", r"\1>= 0", "unwritten"),
    "a tap below the image is multiplied": (ROLES, USES + "< 6", r"\1< 7", WRONG),
    "a tap of the image is not loaded": (ROLES, ASKS + ">= 1", r"\1>= 2", "unwritten"),
    "a last tap is not loaded": (ROLES, ASKS + "< 6", r"\1< 5", WRONG),
    "a tap of the image is not multiplied": (ROLES, USES + ">= 1", r"\1>= 2", WRONG),
    "a last tap is not multiplied": (ROLES, USES + "< 6", r"\1< 5", WRONG),
    "nobody arrives where nothing is loaded": (ROLES, EXPECTED, "", "deadlock"),
    "bytes are expected where nothing is loaded": (ROLES, EXPECTED, r"\1, 16);", "deadlock"),
    "groups are committed where there are products": (
        ROLES,
        r"else \{\s+wgmma_commit\(\);\s+\}",
        "",
        "wgmma-wait",
    ),
    "slots are free where there were products": (
        ROLES,
        r"if \(slice >= 1\) \{(\s+mbarrier_arrive\(empty)",
        r"if (slice >= 1 && block_x_major + slice * 64 / 192 >= 1) {\1",
        "deadlock",
    ),
    "the first steps expect no bytes": ("boxes", EXPECTED.replace(", 0", r", \d{3,}"), r"\1, 0);", "race"),
    "threads copy no tap of the image": (
        "wgmma",
        r"(__pipeline_wait_prior.*?if \(block\w+ [^;{]*?)>= 1",
        r"\1>= 2",
        "unwritten",
    ),
    "warps multiply a tap that threads did not copy": (
        "mma.sync",
        r"(steps - [^;{]*?\{.*?__pipeline_commit.*?if \([^;{]*?)>= 1",
        r"\1>= 0",
        "unwritten",
    ),
}


@needs_cpu
@pytest.mark.parametrize(("way", "old", "new", "kind"), FAULTS.values(), ids=FAULTS.keys())
def test_wrong_conditions_are_found(way: str, old: str, new: str, kind: str) -> None:
    text, arrays, wanted = planted(program(way).text, old, new), CASE.arrays(), CASE.wanted()
    found = [fault_of(program(way), text, arrays, wanted, (block,)) for block in (0, LAST)]
    assert kind in found


@needs_cpu
@pytest.mark.parametrize("way", [ROLES, "boxes", "wgmma", "mma.sync", "WMMA"])
def test_the_texts_themselves_are_right(way: str) -> None:
    assert fault_of(program(way), program(way).text, CASE.arrays(), CASE.wanted(), (0, LAST)) == ""


@needs_compiler
@pytest.mark.parametrize("roles", [False, True])
def test_products_under_a_condition_stay_asynchronous(roles: bool) -> None:
    """In roles compilers have to be told that warps do not part: one lane tells the condition to its warp."""
    text = WmmaConv2D().text()
    script = tma_schedule(text, "sm_90a", group_tiling(2, 256, 2, 128, 4), specialize=roles)
    made = vtac.compile(text, "cuda", "sm_90a", schedule=script)
    assert isinstance(made, CudaProgram)
    assert ("if (__shfl_sync(~0u, group < 2, 0)) {" in made.text) == roles
    found = compile_kernel(made.text, made.launch.kernel, "sm_90a")
    assert (found.spills, found.serialised) == (False, "")


@needs_compiler
@pytest.mark.parametrize("stages", [2, 3, 4])
def test_few_steps_stay_asynchronous_where_padding_comes_first(stages: int) -> None:
    """Compilers part such a loop where its condition is settled, unless they are told to leave it as it is."""
    plain = replace(CASE.plain, sizes=(6, 6), window=(3, 1), low=(2, 0), high=(0, 0))
    text = PackedConvolution(plain).text()
    script = wgmma_schedule(text, "sm_90a", group_tiling(1, 64, 2, 32, stages))
    made = vtac.compile(text, "cuda", "sm_90a", schedule=script)
    assert isinstance(made, CudaProgram)
    assert ("#pragma unroll 1\n" in made.text) == (stages > 2)
    found = compile_kernel(made.text, made.launch.kernel, "sm_90a")
    assert (found.spills, found.serialised) == (False, "")


@pytest.mark.parametrize(
    ("plain", "tiling"),
    [
        (CASE.plain, group_tiling(2, 32, 2, 128, 3)),
        (replace(CASE.plain, sizes=(5, 3)), group_tiling(2, 32, 2, 128, 3)),
        (replace(CASE.plain, low=(0, 0), high=(0, 0)), GROUPS),
    ],
    ids=["two pixels of a row", "two pixels of other rows", "no padding"],
)
def test_blocks_of_several_pixels_skip_what_all_of_them_do(plain: Convolution, tiling: ProductTiling) -> None:
    """A block of 128 rows has two pixels of 64 images: taps above and below a row of them are padding for both."""
    case = PackedConvolution(plain)
    script = wgmma_schedule(case.text(), "sm_90a", tiling)
    assert ("skip_padding" in str(script)) == (plain is CASE.plain)
    module = lower(case.text(), gpu_architecture("sm_90a"), script)
    np.testing.assert_array_equal(evaluate(module, *case.arrays()), case.wanted())
