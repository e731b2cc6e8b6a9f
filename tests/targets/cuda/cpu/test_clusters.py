"""Blocks of a cluster that run at once: what bulk copies bring to several of them; each fault of a protocol, found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vtac.dialects.clusters import whole_clusters
from vtac.dialects.tensor_maps import TensorMap
from vtac.errors import KernelFault, KernelTextError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.launch import Extent3, LaunchRecord, Parameter

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

TEXT = Path(__file__).parent.parent.joinpath("kernels", "boxes_in_a_cluster.cu").read_text(encoding="utf-8")
MAP = TensorMap("a", "float32", (60, 90), (256,), (32, 8), (1, 1), 128)
"""Halves, of 8 rows, of boxes; of the 64 columns of the array the last four count as outside."""
WRONG = "wrong numbers"


def launch(one: TensorMap = MAP, cluster: Extent3 | None = (2, 1, 1)) -> LaunchRecord:
    parameters = (Parameter("a", "input", "float32", (90, 64)), Parameter("c", "output", "float32", (4, 96, 32)))
    return LaunchRecord("copy", (4, 1, 1), (96, 1, 1), 0, parameters, (one,), cluster)


def source() -> Array:
    return np.random.default_rng(0).standard_normal((90, 64)).astype(np.float32)


def boxes() -> Array:
    """The columns of both clusters, from -8 and from 32 on, of all rows and six more, for each block."""
    padded = np.zeros((96, 80), np.float32)
    padded[:90, 8:68] = source()[:, :60]
    return np.stack([padded[:, 40 * (block // 2) : 40 * (block // 2) + 32] for block in range(4)])


def found_in(text: str, one: TensorMap = MAP, orders: int = 3) -> str:
    """The message of the fault that a run ends with, `wrong numbers` where it ends, nothing where it is right."""
    try:
        run = run_on_cpu(text, launch(one), [source()], orders=orders, workers=1)
    except (KernelFault, KernelTextError) as fault:
        return fault.message
    return "" if np.array_equal(run.outputs[0], boxes()) else WRONG


def test_halves_of_boxes_come_to_both_blocks_whatever_the_order_is() -> None:
    assert found_in(TEXT, orders=8) == ""


def test_sampled_blocks_are_whole_clusters() -> None:
    run = run_on_cpu(TEXT, launch(), [source()], blocks=[3], workers=4)
    assert run.blocks == (2, 3)
    assert [bool(run.written[0][block].all()) for block in range(4)] == [False, False, True, True]


def test_ranks_count_x_first() -> None:
    assert whole_clusters((4, 6, 2), (2, 3, 1), [47, 0]) == (38, 39, 42, 43, 46, 47, 0, 1, 4, 5, 8, 9)


def test_a_deadlock_names_blocks() -> None:
    found = found_in(TEXT.replace("full_at + 8 * slot, 3);", "full_at + 8 * slot, 1);"))
    assert "of block (1, 0, 0) waits in line" in found
    assert "`free_again[0]` of block (1, 0, 0), which misses 2 of 4 arrivals" in found


def test_a_race_names_blocks() -> None:
    found = found_in(TEXT.replace("(tile[slot]) + rank * 1024", "(tile[slot])"))
    assert "race: `tile[0][0][0]` of block (0, 0, 0): the bulk copy in line" in found, found


BARRIER = "  cluster_arrive();\n  cluster_wait();\n"
END = BARRIER + "}"
WAIT_FULL = "mbarrier_wait(full_at + 8 * slot, step / 2 % 2);"
WAIT_FREE = "mbarrier_wait_cluster(free_at + 8 * slot, (step / 2 + 1) % 2);"
EXPECT = "mbarrier_arrive_expect_tx(full_at + 8 * slot, 2048);"
RELEASE = "mbarrier_arrive_at(free_at + 8 * slot, threadIdx.x % 32);"
ARRIVES = "      if (threadIdx.x % 32 < 2)\n        " + RELEASE + "\n"
OTHER = " ^ 1);"

FAULTS = {
    "the cluster does not wait before the first copy": (f"{BARRIER}  if", "  if", "has not begun"),
    "blocks wait for their own threads before the first copy": (
        f"{BARRIER}  if",
        "  __syncthreads();\n  if",
        "race",
    ),
    "a block ends while others use its memory": (END, "}", "cluster"),
    "blocks wait for their own threads before they end": (END, "  __syncthreads();\n}", "cluster"),
    "threads arrive at the cluster's barrier only": (END, "  cluster_arrive();\n}", "cluster"),
    "threads wait for the cluster without arriving": (END, "  cluster_wait();\n}", "cluster"),
    "threads arrive twice": (END, f"  cluster_arrive();\n{END}", "cluster"),
    "one block does not come to the cluster's barrier": (
        END,
        "  if (rank == 0) {\n  cluster_arrive();\n  cluster_wait();\n  }\n}",
        "cluster",
    ),
    "one warp does not come to the cluster's barrier": (
        END,
        "  if (warp) {\n  cluster_arrive();\n  cluster_wait();\n  }\n}",
        "deadlock",
    ),
    "a copy goes to the own block only": ("full_at + 8 * slot, 3);", "full_at + 8 * slot, 1 << rank);", "deadlock"),
    "a copy leaves out the own block": ("full_at + 8 * slot, 3);", "full_at + 8 * slot, 2 >> rank);", "deadlock"),
    "a copy goes to one block": ("full_at + 8 * slot, 3);", "full_at + 8 * slot, 1);", "deadlock"),
    "a copy goes to a block that there is not": ("full_at + 8 * slot, 3);", "full_at + 8 * slot, 7);", "cluster"),
    "a copy goes to no block": ("full_at + 8 * slot, 3);", "full_at + 8 * slot, 0);", "cluster"),
    "half of the bytes are expected": ("slot, 2048);", "slot, 1024);", "mbarrier"),
    "the bytes of both blocks are expected": ("slot, 2048);", "slot, 4096);", "deadlock"),
    "no bytes are expected": (EXPECT, "mbarrier_arrive_at(full_at + 8 * slot, rank);", "mbarrier"),
    "warps release their own block's slot only": (ARRIVES, ARRIVES.replace("% 32);", "% 32 * 0 + rank);"), "mbarrier"),
    "one lane releases its own block's slot": (ARRIVES, ARRIVES.replace("< 2", "== rank"), "deadlock"),
    "one lane releases the other block's slot": (ARRIVES, ARRIVES.replace("< 2", "== 1 - rank"), "deadlock"),
    "a warp releases a slot that there is not": (ARRIVES, ARRIVES.replace("< 2", "< 3"), "cluster"),
    "both lanes release the first block's slot": (RELEASE, "mbarrier_arrive_at(free_at + 8 * slot, 0);", "mbarrier"),
    "a slot counts the own block's warps": ("free_at + 8 * i, 4", "free_at + 8 * i, 2", "mbarrier"),
    "a slot counts one warp more": ("free_at + 8 * i, 4", "free_at + 8 * i, 5", "deadlock"),
    "a slot counts two producers": ("full_at + 8 * i, 1", "full_at + 8 * i, 2", "deadlock"),
    "the release acquires the own block only": ("mbarrier_wait_cluster(free", "mbarrier_wait(free", "cluster"),
    "the producer does not wait": (WAIT_FREE, "", "mbarrier"),
    "the producer waits for the other parity": (WAIT_FREE, WAIT_FREE.replace("step / 2 + 1", "step / 2"), "deadlock"),
    "consumers do not wait": (WAIT_FULL, "", "mbarrier"),
    "consumers wait for the other parity": (WAIT_FULL, WAIT_FULL.replace("step / 2", "(step / 2 + 1)"), "mbarrier"),
    "consumers release before they read": (WAIT_FULL, f"{WAIT_FULL}\n{ARRIVES}", "mbarrier"),
    "a part lies where the other does": ("(tile[slot]) + rank * 1024", "(tile[slot])", "race"),
    "parts change places": ("(tile[slot]) + rank * 1024", "(tile[slot]) + (1 - rank) * 1024", WRONG),
    "a part lies beside its place": ("(tile[slot]) + rank * 1024", "(tile[slot]) + rank * 512", "misaligned"),
    "both blocks ask for the first half": ("step * 16 + rank * 8", "step * 16", WRONG),
    "blocks ask for the other half": ("step * 16 + rank * 8", "step * 16 + (1 - rank) * 8", WRONG),
    "blocks ask for halves that overlap": ("step * 16 + rank * 8", "step * 16 + rank * 4", WRONG),
    "blocks ask for columns of their own": ("blockIdx.x / 2 * 40", "blockIdx.x * 40", WRONG),
    "a slot is used again at once": ("(tile[slot])", "(tile[0])", "race"),
    "the copy completes another slot": (", full_at + 8 * slot, 3", ", full_at + 8 * (1 - slot), 3", "mbarrier"),
    "mbarriers are not shown to other blocks": ("    fence_mbarrier_init();\n", "", "proxy-fence"),
    "the text says nothing of clusters": ("__cluster_dims__(2, 1, 1) ", "", "has no clusters by its __cluster_dims__"),
    "the text has larger clusters": (
        "dims__(2, 1, 1)",
        "dims__(4, 1, 1)",
        "has clusters of [4, 1, 1] blocks by its __cluster_dims__",
    ),
    "the mask is left out": (", %5;", ";", "or neither"),
}


@pytest.mark.parametrize(("old", "new", "kind"), FAULTS.values(), ids=FAULTS.keys())
def test_planted_faults_are_found(old: str, new: str, kind: str) -> None:
    assert TEXT.count(old) >= 1, old
    found = found_in(TEXT.replace(old, new, 1))
    assert kind in found, found
