"""Boxes stored from shared memory: what arrives, and each fault of such a store, planted and found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vtac.dialects.im2col import Corners
from vtac.dialects.tensor_maps import TensorMap
from vtac.errors import KernelFault, KernelTextError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.inline_ptx import rewrite_asm
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.launch import LaunchRecord, Parameter

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
TEXT = Path(__file__).parent.parent.joinpath("kernels", "boxes_stored.cu").read_text(encoding="utf-8")
MAP = TensorMap("y", "float32", (56, 44), (256,), (32, 8), (1, 1), 128)
"""Rows of 64, of which the last eight elements, and the rows from 44 on, are outside."""
WRONG = "wrong numbers"


def launch(one: TensorMap = MAP) -> LaunchRecord:
    parameters = (Parameter("x", "input", "float32", (48, 32)), Parameter("y", "output", "float32", (44, 64)))
    return LaunchRecord("store", (2, 1, 1), (64, 1, 1), 0, parameters, (one,))


def source() -> Array:
    return np.random.default_rng(0).standard_normal((48, 32)).astype(np.float32)


def found_in(text: str, one: TensorMap = MAP, orders: int = 3) -> str:
    """The message of the fault that a run ends with, `wrong numbers` where it ends, nothing where it is right."""
    try:
        run = run_on_cpu(text, launch(one), [source()], orders=orders, workers=1)
    except KernelFault as fault:
        return fault.message
    wanted = np.concatenate([source(), source()], axis=1)[:44, :56]
    return "" if np.array_equal(run.outputs[0][:, :56], wanted) and not run.written[0][:, 56:].any() else WRONG


@needs_cpu
def test_boxes_are_stored_whatever_the_order_is() -> None:
    assert found_in(TEXT, orders=8) == ""


STORE = "tma_store_2d(__cvta_generic_to_shared(tile[warp][step % 2]), y_map, blockIdx.x * 32, (warp * 3 + step) * 8);"
FENCE = "    fence_async();\n"
WRITE = """    for (int row = 0; row < 8; ++row)
      tile[warp][step % 2][row][(lane / 4 ^ row) * 4 + lane % 4] = x[((warp * 3 + step) * 8 + row) * 32 + lane];
"""
SYNC = "    __syncwarp();\n    if (lane == 0) {"

FAULTS = {
    "no fence": (FENCE, "", "proxy-fence"),
    "a fence before the writes": (WRITE + FENCE, FENCE + WRITE, "proxy-fence"),
    "one lane alone fences": (FENCE, "    if (lane == 0) fence_async();\n", "proxy-fence"),
    "lanes do not wait for each other": (SYNC, "    if (lane == 0) {", "was written over"),
    "nobody commits": ("      commit();\n", "", "still reads its shared memory"),
    "nobody waits in the end": ("  if (lane == 0) wait_0();\n", "", "still reads its shared memory"),
    "one group is left in the end": ("wait_0();\n}", "wait_1();\n}", "still reads its shared memory"),
    "another lane waits in the end": ("  if (lane == 0) wait_0();", "  if (lane == 1) wait_0();", "still reads"),
    "another lane commits": ("      commit();\n    }", "    }\n    if (lane == 1) commit();", "still reads"),
    "slots are not waited for": ("    if (lane == 0) wait_1();\n", "", "was written over while it read it"),
    "slots are waited for by two groups": (
        "wait_group.read 1;",
        "wait_group.read 2;",
        "was written over while it read it",
    ),
    "lanes do not wait for the slot": ("wait_1();\n    __syncwarp();\n", "wait_1();\n", "race"),
    "all lanes store": ("    if (lane == 0) {\n      tma", "    if (lane >= 0) {\n      tma", "still reads"),
    "another warp's tile": (STORE, STORE.replace("tile[warp]", "tile[1 - warp]"), "race"),
    "another slot": (STORE, STORE.replace("[step % 2]", "[0]"), "was written over"),
    "other rows": (STORE, STORE.replace("+ step) * 8", "+ step) * 8 + 1"), WRONG),
    "other columns": (STORE, STORE.replace("* 32, (", "* 32 + 4, ("), WRONG),
    "coordinates change places": (
        STORE,
        STORE.replace("blockIdx.x * 32, (warp * 3 + step) * 8", "(warp * 3 + step) * 8, blockIdx.x * 32"),
        "",
    ),
    "both blocks store the same": (STORE, STORE.replace("blockIdx.x * 32", "0"), WRONG),
    "what is stored is not swizzled": ("(lane / 4 ^ row) * 4 + lane % 4", "lane", WRONG),
    "a slot starts within a swizzle": (STORE, STORE.replace("[step % 2])", "[step % 2]) + 128"), "misaligned"),
    "a box at three coordinates": (
        "tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}]",
        "tensor.3d.global.shared::cta.bulk_group [%0, {%2, %3, %2}]",
        "which has 2 dimensions",
    ),
    "the source is cleared at once": (
        "      commit();\n",
        "      commit();\n      tile[warp][step % 2][3][5] = 0;\n",
        "was written over",
    ),
}


@needs_cpu
@pytest.mark.parametrize(("old", "new", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_planted_faults_are_found(old: str, new: str, message: str) -> None:
    assert TEXT.count(old) >= 1, old
    found = found_in(TEXT.replace(old, new, 1))
    assert found
    assert message in found


MAPS = {
    "boxes of other rows": replace(MAP, box=(32, 4)),
    "a pitch of other rows": replace(MAP, strides=(128,)),
    "every other row": replace(MAP, steps=(1, 2)),
    "no swizzle": replace(MAP, swizzle=0),
    "more columns are inside": replace(MAP, extents=(64, 44)),
    "fewer rows are inside": replace(MAP, extents=(56, 40)),
    "an input": replace(MAP, array="x", extents=(32, 44), strides=(128,)),
}


@needs_cpu
@pytest.mark.parametrize("one", MAPS.values(), ids=MAPS.keys())
def test_wrong_maps_are_found(one: TensorMap) -> None:
    assert found_in(TEXT, one) != ""


@needs_cpu
def test_pixels_are_not_stored() -> None:
    parameters = (Parameter("x", "input", "float32", (48, 32)), Parameter("y", "output", "float32", (2, 4, 4, 32)))
    one = TensorMap(
        *("y", "float32", (32, 4, 4, 2), (128, 512, 2048), (32, 8), (1, 1, 1, 1), 128),
        corners=Corners((0, 0), (0, 0)),
    )
    text = TEXT.replace("tensor.2d", "tensor.4d").replace("{%2, %3}", "{%2, %3, %2, %3}")
    record = LaunchRecord("store", (1, 1, 1), (64, 1, 1), 0, parameters, (one,))
    with pytest.raises(KernelFault, match="by a map for im2col"):
        run_on_cpu(text, record, [source()], workers=1)


def test_the_compiler_is_told_of_memory() -> None:
    with pytest.raises(KernelTextError, match=r"`cp.async.bulk.commit_group` orders accesses of memory"):
        rewrite_asm(TEXT.replace('bulk.commit_group;" : : : "memory"', 'bulk.commit_group;" : : :'))


def test_coordinates_are_as_many_as_the_instruction_says() -> None:
    with pytest.raises(KernelTextError, match=r"cp.async.bulk.tensor.2d takes 2 coordinates, not 1"):
        rewrite_asm(TEXT.replace("{%2, %3}", "{%2}"))
