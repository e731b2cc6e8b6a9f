"""What can go wrong in emitted texts whose blocks form clusters: planted in them, and found."""

from __future__ import annotations

from functools import cache

import pytest
from mma_programs import product, wanted_of
from planted_faults import fault_of, planted, planted_anywhere

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import KernelFault, KernelTextError
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

CASE = product((256, 64, 520))
"""Nine steps of 64, the last one with 8 that are inside."""
LANES, GROUPS = ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 3), group_tiling(1, 64, 2, 128, 3)
WAYS = {
    "mma.sync": ("sm_90", LANES, False),
    "mma.sync, roles": ("sm_90", LANES, True),
    "wgmma": ("sm_90a", GROUPS, False),
    "wgmma, roles": ("sm_90a", GROUPS, True),
}

UNLIKE = ("mma.sync", "wgmma, roles")
"""Two that have both instructions, and roles or none."""


@cache
def program(way: str) -> CudaProgram:
    architecture, tiling, specialize = WAYS[way]
    script = tma_schedule(CASE.text, gpu_architecture(architecture), tiling, specialize=specialize, cluster=2)
    made = vtac.compile(CASE.text, "cuda", architecture, schedule=script)
    assert isinstance(made, CudaProgram)
    return made


def found_in(way: str, text: str) -> str:
    arrays = CASE.arrays()
    return fault_of(program(way), text, arrays, wanted_of(CASE, arrays))


MULTICAST = r"(tma_load_2d_multicast\()"
FAULTS = {
    "nobody meets before mbarriers are used": (r"cluster_arrive\(\);\s+cluster_wait\(\);", ""),
    "blocks meet alone before mbarriers are used": (r"cluster_arrive\(\);\s+cluster_wait\(\);", "__syncthreads();"),
    "nobody waits before mbarriers are used": (r"(cluster_arrive\(\);)\s+cluster_wait\(\);", r"\1"),
    "nobody meets at the end": (r"cluster_arrive\(\);\s+cluster_wait\(\);(?!.*cluster_arrive)", ""),
    "blocks meet alone at the end": (
        r"cluster_arrive\(\);\s+cluster_wait\(\);(?!.*cluster_arrive)",
        "__syncthreads();",
    ),
    "parts come to the first block": (MULTICAST + r"(.*?), 3\);", r"\1\2, 1);"),
    "parts come to the own block": (MULTICAST + r"(.*?), 3\);", r"\1\2, 1 << blockIdx.x % 2);"),
    "parts come to the other block": (MULTICAST + r"(.*?), 3\);", r"\1\2, 2 >> blockIdx.x % 2);"),
    "parts come to a block that there is not": (MULTICAST + r"(.*?), 3\);", r"\1\2, 15);"),
    "a whole box is asked for as the own one": (r"tma_load_2d_multicast\((.*?), 3\);", r"tma_load_2d(\1);"),
    "a part is not asked for": (r"tma_load_2d_multicast\(.*?;", ""),
    "one block asks for its part": (r"(tma_load_2d_multicast\()", r"if (blockIdx.x % 2) \1"),
    "parts are asked for twice": (r"(tma_load_2d_multicast\(.*?;)", r"\1 \1"),
    "both blocks ask for the same part": (MULTICAST + r"(.*?b_map, .*?)block\w*minor \* 32", r"\1\g<2>0"),
    "blocks ask for each other's part": (MULTICAST + r"(.*?b_map, .*?)(block\w*minor) \* 32", r"\1\2(1 - \3) * 32"),
    "parts lie in one place": (MULTICAST + r"(\w+b_address[^,]*?)block\w*minor \*", r"\1\g<2>0 *"),
    "parts lie in each other's place": (MULTICAST + r"(\w+b_address[^,]*?)(block\w*minor) \*", r"\1\2(1 - \3) *"),
    "parts go to another stage": (MULTICAST + r"(\w+b_address[^,]*?)\b(i|i_minor|slice_minor) \*", r"\1\g<2>0 *"),
    "parts complete another stage's mbarrier": (
        MULTICAST + r"(.*?full_address)\s*\+ 8 \* (\w+)",
        r"\1\2 + 8 * ((\3 + 1) % 3)",
    ),
    "the bytes of the own part are expected": (
        r"(mbarrier_arrive_expect_tx\(full_address.*?), (\d+)\)",
        r"\1, \2 / 2)",
    ),
    "more bytes are expected": (r"(mbarrier_arrive_expect_tx\(full_address.*?), (\d+)\)", r"\1, \2 + 16)"),
    "no bytes are expected": (r"(mbarrier_arrive_expect_tx\(full_address.*?), \d+\)", r"\1, 0)"),
    "slots count the own warps": (r"(mbarrier_init\(empty_address.*?), 8\)", r"\1, 4)"),
    "slots count one warp more": (r"(mbarrier_init\(empty_address.*?), 8\)", r"\1, 9)"),
    "slots count two that ask": (r"(mbarrier_init\(full_address.*?), 1\)", r"\1, 2)"),
    "warps release the first block's slot": (r"(mbarrier_arrive_cluster\(empty_address.*?), 2\)", r"\1, 1)"),
    "warps release slots of a block that there is not": (
        r"(mbarrier_arrive_cluster\(empty_address.*?), 2\)",
        r"\1, 3)",
    ),
    "warps never release": (r"mbarrier_arrive_cluster\(empty_address.*?;", ""),
    "warps release twice": (r"(mbarrier_arrive_cluster\(empty_address.*?;)", r"\1 \1"),
    "warps release one stage only": (
        r"mbarrier_arrive_cluster\(empty_address.*?;",
        "mbarrier_arrive_cluster(empty_address, 2);",
    ),
    "one warp never releases": (r"mbarrier_arrive_cluster\(empty", "if (threadIdx.y) mbarrier_arrive_cluster(empty"),
    "who asks does not wait": (r"mbarrier_wait_cluster\(empty_address.*?;", ""),
    "who asks waits for the other parity": (r"(mbarrier_wait_cluster\(empty_address.*?) \+ 1\) % 2\);", r"\1) % 2);"),
    "users do not wait": (r"mbarrier_wait\(full_address.*?;", ""),
    "users wait for another stage": (r"mbarrier_wait\(full_address \+ 8 \* \w+,", "mbarrier_wait(full_address,"),
    "mbarriers are not shown to other blocks": (r"fence_mbarrier_init\(\);\n", "\n"),
    "all lanes ask": (r"threadIdx\.x == 0 && (?!.*threadIdx\.x == 0)", ""),
}
OF_TEXTS = {
    "the kernel has no clusters": (r"__cluster_dims__\(2, 1, 1\) ", "", "has no clusters by its __cluster_dims__"),
    "arrivals go to the own block": (r"mapa\.shared::cluster\.u32 there, %0, %1;", "mov.u32 there, %0;", "cannot run"),
    "arrivals release nothing to the cluster": (
        "arrive.release.cluster.shared::cluster",
        "arrive.shared::cluster",
        "cannot run",
    ),
    "arrivals go to the block before": (r'"r"\(threadIdx\.x % 32\)', '"r"(threadIdx.x % 32 - 1)', "mapa to rank"),
    "waits acquire the own block's": (
        r"parity\.acquire\.cluster\.",
        "parity.",
        "try_wait.parity.acquire.cluster is required",
    ),
    "the compiler is not told of the barrier": (
        r'(barrier\.cluster\.wait\.acquire;" : :) : "memory"',
        r"\1 :",
        "orders accesses of memory",
    ),
}


@pytest.mark.parametrize("way", UNLIKE[:1])
@pytest.mark.parametrize(("old", "new", "message"), OF_TEXTS.values(), ids=OF_TEXTS.keys())
def test_faults_of_functions_are_found(way: str, old: str, new: str, message: str) -> None:
    text = planted_anywhere(program(way).text, old, new)
    with pytest.raises((KernelFault, KernelTextError)) as caught:
        run_on_cpu(text, program(way).launch, CASE.arrays(), orders=3, blocks=(0,), workers=1)
    assert message in caught.value.message


@pytest.mark.parametrize("way", WAYS)
def test_the_text_itself_is_right(way: str) -> None:
    assert found_in(way, program(way).text) == ""


@pytest.mark.parametrize("way", UNLIKE)
@pytest.mark.parametrize(("old", "new"), FAULTS.values(), ids=FAULTS.keys())
def test_planted_faults_are_found(way: str, old: str, new: str) -> None:
    assert found_in(way, planted(program(way).text, old, new))
