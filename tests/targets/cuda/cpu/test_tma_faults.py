"""What can go wrong in a text whose warps have roles and whose operands come as boxes: planted in it, and found."""

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

CASE = product((64, 64, 520))
"""Nine steps of 64, the last one with 8 that are inside."""
TILINGS = {"sm_90": ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 3), "sm_90a": group_tiling(1, 64, 2, 128, 3)}


@cache
def program(architecture: str) -> CudaProgram:
    script = tma_schedule(CASE.text, gpu_architecture(architecture), TILINGS[architecture], specialize=True)
    made = vtac.compile(CASE.text, "cuda", architecture, schedule=script)
    assert isinstance(made, CudaProgram)
    return made


def found_in(architecture: str, text: str) -> str:
    arrays = CASE.arrays()
    return fault_of(program(architecture), text, arrays, wanted_of(CASE, arrays))


FAULTS = {
    "consumers wait for the other parity": (
        r"(mbarrier_wait\(full_address \+ 8 \* \w+, )(.*?)\);",
        r"\1(\2 + 1) % 2);",
    ),
    "consumers wait for the first round only": (r"(mbarrier_wait\(full_address \+ 8 \* \w+, )(.*?)\);", r"\g<1>0);"),
    "consumers do not wait": (r"mbarrier_wait\(full_address.*?;", ""),
    "consumers wait for another stage": (r"mbarrier_wait\(full_address \+ 8 \* \w+,", "mbarrier_wait(full_address,"),
    "producers wait for the other parity": (r"(mbarrier_wait\(empty_address.*?), \((.*?) \+ 1\)", r"\1, (\2)"),
    "producers do not wait": (r"mbarrier_wait\(empty_address.*?;", ""),
    "warps never release a stage": (r"mbarrier_arrive\(empty_address.*?;", ""),
    "warps release one stage only": (r"mbarrier_arrive\(empty_address.*?;", "mbarrier_arrive(empty_address);"),
    "one warp never releases": (r"mbarrier_arrive\(empty_address", "if (threadIdx.y) mbarrier_arrive(empty_address"),
    "warps release twice": (r"(mbarrier_arrive\(empty_address.*?;)", r"\1 \1"),
    "a stage counts one warp more": (r"(mbarrier_init\(empty_address.*?), 4\)", r"\1, 5)"),
    "a stage counts one warp less": (r"(mbarrier_init\(empty_address.*?), 4\)", r"\1, 3)"),
    "a stage counts two producers": (r"(mbarrier_init\(full_address.*?), 1\)", r"\1, 2)"),
    "fewer bytes are expected": (r"(mbarrier_arrive_expect_tx\(full_address.*?), (\d+)\)", r"\1, \2 - 16)"),
    "more bytes are expected": (r"(mbarrier_arrive_expect_tx\(full_address.*?), (\d+)\)", r"\1, \2 + 16)"),
    "no bytes are expected": (r"(mbarrier_arrive_expect_tx\(full_address.*?), \d+\)", r"\1, 0)"),
    "one box is not asked for": (r"tma_load_2d\(\w*b_address.*?;", ""),
    "a box is asked for twice": (r"(tma_load_2d\(\w*b_address.*?;)", r"\1 \1"),
    "boxes of another step": (r"(tma_load_2d\(\w*a_address.*?a_map, )i \* 64", r"\1i * 64 + 8"),
    "boxes of other rows": (r"(tma_load_2d\(\w*b_address.*?b_map, \S.*?, )i \* 64", r"\1i * 64 + 1"),
    "operands' maps change places": (r"(tma_load_2d\(\w*a_address.*?), a_map", r"\1, b_map"),
    "boxes go to another stage": (r"(tma_load_2d\(\w*a_address) \+ 2 \* \((\w+) \* (\d+)\)", r"\1 + 2 * (0 * \3)"),
    "boxes go beside a stage": (r"(tma_load_2d\(\w*a_address) \+ ", r"\1 + 128 + "),
    "all lanes ask for boxes": (r"if \(threadIdx\.x == 0 && (threadIdx\.y == 0 && threadIdx\.z == [12])", r"if (\1"),
    "nobody asks for boxes": (r"if \((threadIdx\.x == 0 && threadIdx\.y == 0 && threadIdx\.z == )[12]", r"if (\g<1>9"),
    "mbarriers are not shown to the async proxy": (r"fence_mbarrier_init\(\);\n", "\n"),
    "nobody waits for mbarriers to be there": (r"__syncthreads\(\);", ""),
    "a box without its map": (r"(tma_load_2d\(\w*a_address.*?), a_map", r"\1, TensorMap()"),
}
OF_GROUPS = {
    "stages are released while products read them": (r"wgmma_wait_1\(\);[^\n]*", ""),
    "the step's own stage is released": (r"\(slice \+ 2\) % 3", "slice % 3"),
}


HEADS = {
    "nobody asks again whether a phase is complete": (r"do \{(.*?)\} while \(!is_complete\);", r"\1", ""),
    "maps are copied to local memory": ("const __grid_constant__ ", "const ", "others are copied to local memory"),
    "maps start anywhere": (r"alignas\(64\) ", "", "a tensor map starts at a multiple of 64 bytes"),
    "the compiler is not told of a wait": (
        r'"r"\(barrier\), "r"\(parity\)\s*: "memory"',
        r'"r"(barrier), "r"(parity)',
        "`mbarrier.try_wait.parity.shared::cta.b64` orders accesses of memory",
    ),
    "the compiler is not told of a fence": (r': : : "memory"', ": : :", "`fence.mbarrier_init.release.cluster` orders"),
    "fewer threads are announced": (r"__launch_bounds__\(\d+\)", "__launch_bounds__(128)", "a GPU refuses the launch"),
}


@pytest.mark.parametrize("architecture", TILINGS)
@pytest.mark.parametrize(("old", "new", "message"), HEADS.values(), ids=HEADS.keys())
def test_what_only_a_gpu_would_trip_over_is_found(architecture: str, old: str, new: str, message: str) -> None:
    text = planted_anywhere(program(architecture).text, old, new)
    with pytest.raises((KernelFault, KernelTextError)) as caught:
        run_on_cpu(text, program(architecture).launch, CASE.arrays(), orders=3, blocks=(0,), workers=1)
    assert message in caught.value.message


@pytest.mark.parametrize("architecture", TILINGS)
def test_the_text_itself_is_right(architecture: str) -> None:
    assert found_in(architecture, program(architecture).text) == ""


@pytest.mark.parametrize("architecture", TILINGS)
@pytest.mark.parametrize(("old", "new"), FAULTS.values(), ids=FAULTS.keys())
def test_planted_faults_are_found(architecture: str, old: str, new: str) -> None:
    assert found_in(architecture, planted(program(architecture).text, old, new))


@pytest.mark.parametrize(("old", "new"), OF_GROUPS.values(), ids=OF_GROUPS.keys())
def test_planted_faults_of_warpgroups_are_found(old: str, new: str) -> None:
    assert found_in("sm_90a", planted(program("sm_90a").text, old, new))
