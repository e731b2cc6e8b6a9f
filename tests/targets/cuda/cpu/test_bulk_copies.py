"""Bulk copies of boxes, completed by mbarriers: what they bring; each fault of a protocol, planted and found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vtac.dialects.tensor_maps import TensorMap
from vtac.errors import KernelFault, KernelTextError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.inline_ptx import rewrite_asm
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.launch import LaunchRecord, Parameter

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

TEXT = Path(__file__).parent.parent.joinpath("kernels", "boxes_in_a_ring.cu").read_text(encoding="utf-8")
MAP = TensorMap("a", "float32", (60, 90), (256,), (32, 16), (1, 1), 128)
"""Boxes of 16 rows; of the 64 columns of the array the last four count as outside."""
WRONG = "wrong numbers"


def launch(one: TensorMap = MAP) -> LaunchRecord:
    parameters = (Parameter("a", "input", "float32", (90, 64)), Parameter("c", "output", "float32", (2, 96, 32)))
    return LaunchRecord("copy", (2, 1, 1), (96, 1, 1), 0, parameters, (one,))


def source() -> Array:
    return np.random.default_rng(0).standard_normal((90, 64)).astype(np.float32)


def boxes(outside: float = 0) -> Array:
    """Both blocks' columns, from -8 and from 32 on, of all rows and six more."""
    padded = np.full((96, 80), outside, np.float32)
    padded[:90, 8:68] = source()[:, :60]
    return np.stack([padded[:, 40 * block : 40 * block + 32] for block in range(2)])


def found_in(text: str, one: TensorMap = MAP, orders: int = 3) -> str:
    """The message of the fault that a run ends with, `wrong numbers` where it ends, nothing where it is right."""
    try:
        run = run_on_cpu(text, launch(one), [source()], orders=orders, workers=1)
    except KernelFault as fault:
        return fault.message
    return "" if np.array_equal(run.outputs[0], boxes()) else WRONG


def test_boxes_arrive_whatever_the_order_is() -> None:
    assert found_in(TEXT, orders=8) == ""


def test_elements_outside_can_be_nan() -> None:
    one = TensorMap("a", "float32", MAP.extents, MAP.strides, MAP.box, MAP.steps, 128, "nan")
    run = run_on_cpu(TEXT, launch(one), [source()], workers=1)
    assert np.array_equal(run.outputs[0], boxes(np.nan), equal_nan=True)


WAIT_FULL = "mbarrier_wait(full_at + 8 * slot, step / 2 % 2);"
WAIT_FREE = "mbarrier_wait(free_at + 8 * slot, (step / 2 + 1) % 2);"
EXPECT = "mbarrier_arrive_expect_tx(full_at + 8 * slot, 2048);"
LOAD = "tma_load_2d(__cvta_generic_to_shared(tile[slot]), a_map, blockIdx.x * 40 - 8, step * 16, full_at + 8 * slot);"
RELEASE = "      mbarrier_arrive(free_at + 8 * slot);\n"

FAULTS = {
    "consumers wait for the other parity": (WAIT_FULL, WAIT_FULL.replace("step / 2", "(step / 2 + 1)"), "mbarrier"),
    "consumers wait for the first round's parity": (WAIT_FULL, WAIT_FULL.replace("step / 2 % 2", "0"), "deadlock"),
    "the producer waits for the other parity": (WAIT_FREE, WAIT_FREE.replace("step / 2 + 1", "step / 2"), "deadlock"),
    "the producer never waits for another parity": (
        WAIT_FREE,
        WAIT_FREE.replace("(step / 2 + 1) % 2", "1"),
        "mbarrier",
    ),
    "too few bytes are expected": ("2048", "2040", "deadlock"),
    "too many bytes are expected": ("2048", "4096", "deadlock"),
    "no bytes are expected": (EXPECT, "mbarrier_arrive(full_at + 8 * slot);", "race"),
    "nobody expects anything": (EXPECT, "", "deadlock"),
    "the copy completes another stage's mbarrier": (
        LOAD,
        LOAD.replace("full_at + 8 * slot", "full_at + 8 * (1 - slot)"),
        "race",
    ),
    "more arrivals are counted than come": ("free_at + 8 * i, 64", "free_at + 8 * i, 65", "deadlock"),
    "fewer arrivals are counted than come": ("free_at + 8 * i, 64", "free_at + 8 * i, 63", "race"),
    "consumers never release": (RELEASE, "", "deadlock"),
    "one warp never releases": (RELEASE, "      if (warp == 1)" + RELEASE.lstrip(" ").rjust(1), "deadlock"),
    "consumers release twice": (RELEASE, RELEASE + RELEASE, "deadlock"),
    "consumers do not wait": (WAIT_FULL, "", "mbarrier"),
    "the producer does not wait": (WAIT_FREE, "", "mbarrier"),
    "the mbarriers are not shown to the async proxy": ("    fence_mbarrier_init();\n", "", "proxy-fence"),
    "nobody waits for the mbarriers to be": ("  __syncthreads();\n", "", "mbarrier"),
    "all lanes ask for the box": ("    if (threadIdx.x == 0)\n", "", "mbarrier"),
    "a box of other rows": ("step * 16, full_at", "step * 16 + 1, full_at", WRONG),
    "a box of other columns": ("* 40 - 8", "* 40", WRONG),
    "coordinates change places": ("blockIdx.x * 40 - 8, step * 16,", "step * 16, blockIdx.x * 32 - 8,", WRONG),
    "what is read is not swizzled": ("(column / 4 ^ row % 8)", "(column / 4)", WRONG),
    "what is read is swizzled by less": ("(column / 4 ^ row % 8)", "(column / 4 ^ row % 4)", WRONG),
    "a stage is used for every box": (LOAD, LOAD.replace("tile[slot]", "tile[0]"), "race"),
    "a stage starts within a swizzle": (LOAD, LOAD.replace("(tile[slot])", "(tile[slot]) + 128"), "misaligned"),
    "tiles are cleared without a fence": (
        "  __syncthreads();\n",
        "  for (int i = threadIdx.x; i < 512; i += 96) tile[0][i / 32][i % 32] = 0;\n  __syncthreads();\n",
        "proxy-fence",
    ),
    "an mbarrier is cleared": (
        "  if (warp == 0) {",
        "  if (threadIdx.x == 40) full[1] = 0;\n  if (warp == 0) {",
        "mbarrier",
    ),
    "an mbarrier is initialised twice": (
        "      mbarrier_init(free_at",
        "      mbarrier_init(full_at + 8 * i, 1);\n      mbarrier_init(free_at",
        "mbarrier",
    ),
    "the last box is never waited for": (
        "step < 6; ++step) {\n      const",
        "step < 5; ++step) {\n      const",
        "bulk-copy",
    ),
    "a box at three coordinates": (
        '.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "\n               "[%0], [%1, {%2, %3}]',
        '.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "\n               "[%0], [%1, {%2, %3, %2}]',
        "bulk-copy",
    ),
}


@pytest.mark.parametrize(("old", "new", "kind"), FAULTS.values(), ids=FAULTS.keys())
def test_planted_faults_are_found(old: str, new: str, kind: str) -> None:
    assert TEXT.count(old) >= 1, old
    found = found_in(TEXT.replace(old, new, 1))
    assert f": {kind}:" in f": {found}:", found


def test_a_parity_is_0_or_1() -> None:
    """The number of a phase is none, though its last bit would be."""
    found = found_in(TEXT.replace("(full_at + 8 * slot, step / 2 % 2);", "(full_at + 8 * slot, step / 2);"))
    assert "for a phase of parity 2" in found
    assert "a parity is 0 or 1" in found


def test_a_release_before_the_last_read_is_found() -> None:
    early = TEXT.replace(RELEASE, "").replace(WAIT_FULL, f"{WAIT_FULL}\n{RELEASE}")
    assert "race: `tile[" in found_in(early)


MAPS = {
    "boxes of other rows": TensorMap("a", "float32", (60, 90), (256,), (32, 8), (1, 1), 128),
    "a pitch of other rows": TensorMap("a", "float32", (60, 90), (240,), (32, 16), (1, 1), 128),
    "every other row": TensorMap("a", "float32", (60, 90), (256,), (32, 16), (1, 2), 128),
    "no swizzle": TensorMap("a", "float32", (60, 90), (256,), (32, 16), (1, 1), 0),
    "more columns are inside": TensorMap("a", "float32", (64, 90), (256,), (32, 16), (1, 1), 128),
    "fewer rows are inside": TensorMap("a", "float32", (60, 88), (256,), (32, 16), (1, 1), 128),
}


@pytest.mark.parametrize("one", MAPS.values(), ids=MAPS.keys())
def test_wrong_maps_are_found(one: TensorMap) -> None:
    assert found_in(TEXT, one) != ""


def test_a_deadlock_says_who_waits_for_what() -> None:
    message = found_in(TEXT.replace("2048", "2040"))
    assert "65 threads of block (0, 0, 0) wait for mbarriers, and nothing is left that could arrive" in message
    assert "thread (0, 0, 0) waits in line" in message
    assert (
        "for phase 0 (parity 0) of the mbarrier `free_again[0]`, which misses 64 of 64 arrivals and 0 bytes" in message
    )
    assert "for phase 0 (parity 0) of the mbarrier `full[0]`, which misses 0 of 1 arrivals and -8 bytes" in message


def test_a_kernel_without_its_map_is_refused() -> None:
    record = launch()
    bare = LaunchRecord(record.kernel, record.grid, record.block, 0, record.parameters)
    with pytest.raises(KernelFault, match="the kernel has 3 parameters, the launch record 2"):
        run_on_cpu(TEXT, bare, [source()], workers=1)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ('"mbarrier.arrive.shared::cta.b64 _, [%1];" : : "r"(x)', "asm operand %1 of 1"),
        ('"mbarrier.init.shared::cta.b64 [%0], %1;" : "=r"(x) : "r"(y)', "asm operand %0 is read, and its constraint"),
        ('"{ .reg .pred p; nanosleep.u32 20; }" : :', "cannot run `nanosleep.u32 20` on the CPU beside other"),
        ('"cp.async.bulk.prefetch.L2 [%0], 16;" : "l"(x)', "cannot run `cp.async.bulk.prefetch.L2` on the CPU"),
    ],
)
def test_instructions_without_a_model_are_refused(statement: str, message: str) -> None:
    with pytest.raises(KernelTextError) as caught:
        rewrite_asm(f"asm volatile({statement});")
    assert message in caught.value.message
