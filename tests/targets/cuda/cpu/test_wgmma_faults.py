"""What can go wrong in a text of wgmma: each fault is planted, and found."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import vtac
from vtac.errors import KernelFault
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.wgmma_products import group_tiling, wgmma_schedule
from vtac.workloads.wmma_matmul import WmmaMatmul

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

LAYER = WmmaMatmul(128, 128, 384, bias=True)
WRONG = "wrong numbers"


@cache
def program() -> CudaProgram:
    """One block of two groups; a along k, b along n in two panels; six steps of four instructions, four stages."""
    script = wgmma_schedule(LAYER.text(), None, group_tiling(2, 128, 2, 128, 4))
    made = vtac.compile(LAYER.text(), "cuda", "sm_90a", schedule=script)
    assert isinstance(made, CudaProgram)
    return made


@cache
def arrays() -> tuple[Array, ...]:
    random = np.random.default_rng(0)
    a, b = (random.integers(-4, 5, shape).astype(np.float16) for shape in ((128, 384), (384, 128)))
    return a, b, random.integers(-9, 10, 128).astype(np.float32)


def found_in(text: str) -> str:
    """The kind of fault that a run of a text ends with, `wrong numbers` where it ends, nothing where it is right."""
    try:
        run = run_on_cpu(text, program().launch, arrays(), orders=2, workers=1)
    except KernelFault as fault:
        return fault.kind
    a, b, bias = (array.astype(np.float32) for array in arrays())
    return "" if np.array_equal(run.outputs[0], a @ b + bias) else WRONG


def planted(old: str, new: str) -> str:
    """The text with its first occurrence of something changed."""
    text = program().text
    assert old in text, text
    return text.replace(old, new, 1)


FENCE = "    wgmma_fence();  // sums that other instructions touched are settled\n"
PROXY = "    fence_proxy_async();  // what threads wrote to shared memory is there for the products\n"
FREE = "    wgmma_wait_1();  // the products of the step before are done, and its slot may be filled\n"
DONE = "  wgmma_wait_0_for_64(sums);  // the sums are there\n"
PRODUCT = "      wgmma_m64n128k16_f16_f32_km(&sums[0], left, right);\n"
FAULTS = {
    "another swizzle of a": ("+ slice * 16), 16, 1024, 1)", "+ slice * 16), 16, 1024, 2)", "descriptor"),
    "no swizzle of a": ("+ slice * 16), 16, 1024, 1)", "+ slice * 16), 16, 1024, 0)", WRONG),
    "another swizzle of b": ("8192, 1024, 1)", "8192, 1024, 3)", "wgmma-wait"),
    "pieces of a at another stride": ("16, 1024, 1)", "16, 2048, 1)", "race"),
    "pieces of a that overlap": ("16, 1024, 1)", "16, 512, 1)", "descriptor"),
    "pieces of b at another stride": ("8192, 1024, 1)", "8192, 2048, 1)", "race"),
    "panels of b at another distance": ("8192, 1024, 1)", "4096, 1024, 1)", WRONG),
    "strides change places": ("8192, 1024, 1)", "1024, 8192, 1)", WRONG),
    "strides in units of 16 bytes": (
        "leading >> 4 << 16 | stride >> 4 << 32",
        "leading << 16 | stride << 32",
        "out-of-bounds",
    ),
    "an address in bytes": ("(address & 0x3ffff) >> 4", "(address & 0x3fff)", "descriptor"),
    "a buffer that is not aligned": ("__align__(1024)", "__align__(128)", "descriptor"),
    "a starts in another row of a piece": ("product_a_address + 2 *", "product_a_address + 128 + 2 *", "descriptor"),
    "b starts beyond its array": ("product_b_address + 2 *", "product_b_address + 131072 + 2 *", "out-of-bounds"),
    "k runs on in wrong steps": ("+ slice * 16), 16", "+ slice * 8), 16", WRONG),
    "k runs on beyond a row": ("+ slice * 16), 16", "+ slice * 32), 16", "descriptor"),
    "b is read along k": ("1, 1, 0, 1;", "1, 1, 0, 0;", "race"),
    "a is read along m": ("1, 1, 0, 1;", "1, 1, 1, 1;", WRONG),
    "what is written is not swizzled": ("(lane % 8) ^ (", "(lane % 8) ^ 0 * (", WRONG),
    "no fence before the products": (FENCE, "", "wgmma-fence"),
    "a fence before the sums are set": (FENCE, "    if (step == 0) sums[0][0] = 0.0f;\n", "wgmma-fence"),
    "a sum is set after the fence": (FENCE, FENCE + "    if (step == 0) sums[3][1] = 0.0f;\n", "wgmma-fence"),
    "no fence of the writes": (PROXY, "", "proxy-fence"),
    "a fence of the writes before they are there": (
        "    __pipeline_wait_prior(copy_stages - 2);\n" + PROXY,
        PROXY + "    __pipeline_wait_prior(copy_stages - 2);\n",
        "proxy-fence",
    ),
    "a fence of the writes after the barrier": (
        PROXY + "    __syncthreads();\n",
        "    __syncthreads();\n" + PROXY,
        "proxy-fence",
    ),
    "copies are waited for one group too few": ("wait_prior(copy_stages - 2)", "wait_prior(copy_stages - 1)", "race"),
    "no barrier": ("    __syncthreads();\n", "", "race"),
    "no commit of the products": ("    wgmma_commit();\n", "", "wgmma-wait"),
    "no wait for the step before": (FREE, "", "wgmma-wait"),
    "a wait that leaves one group too many": ("wait_group.sync.aligned 1;", "wait_group.sync.aligned 2;", "wgmma-wait"),
    "no wait for the sums": (DONE, "", "wgmma-wait"),
    "a wait for the sums that is too weak": ("wait_group.sync.aligned 0;", "wait_group.sync.aligned 1;", "wgmma-wait"),
    "sums are read while products are under way": (FREE, FREE + "    c[0] += sums[0][0];\n", "wgmma-wait"),
    "a stage that is read still is copied to": (
        "begin_copies((step + 2) % 4",
        "begin_copies((step + 3) % 4",
        "wgmma-wait",
    ),
    "a stage is copied to that is read in this step": (
        "begin_copies((step + 2) % 4",
        "begin_copies(step % 4",
        "wgmma-wait",
    ),
    "a stage is read a step early": ("slot * 8192 + group * 4096", "(slot + 1) % 4 * 8192 + group * 4096", "race"),
    "an instruction is left out": ("slice < 4", "slice < 3", WRONG),
    "a product is begun twice": (PRODUCT, PRODUCT + PRODUCT, WRONG),
    "sums do not go on": ("setp.ne.b32 add, 1, 0", "setp.ne.b32 add, 0, 0", WRONG),
    "registers of sums change places": ("{%0, %1, %2, %3,", "{%0, %2, %1, %3,", WRONG),
    "a register of sums is another's": ('"+f"(sums[0][1])', '"+f"(sums[0][2])', WRONG),
    "sums of another tile": ("&sums[0], left", "&sums[1] - 1 + step % 2, left", "wgmma-fence"),
    "groups read each other's rows": ("group * 4096", "(1 - group) * 4096", WRONG),
    "one warp alone": (PRODUCT, "      if (warp) " + PRODUCT.lstrip(), "warpgroup"),
    "some lanes alone": (PRODUCT, "      if (lane < 16) " + PRODUCT.lstrip(), "warp-divergence"),
    "warps of a group read different rows": ("group * 4096", "group * 4096 + warp * 1024", "race"),
    "lanes of a warp read different rows": ("group * 4096", "group * 4096 + lane / 16 * 1024", "warpgroup"),
    "results of other rows": ("c_to + i * 8 + 1024]", "c_to + i * 8 + 896]", "race"),
    "results of neighbours": ("const float sum_1 = sums[i][1];", "const float sum_1 = sums[i][0];", WRONG),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    old, new, wanted = FAULTS[name]
    assert found_in(planted(old, new)) == wanted


def test_the_text_is_right() -> None:
    assert found_in(program().text) == ""
