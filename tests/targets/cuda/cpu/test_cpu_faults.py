"""Planted faults: each is caught, as a fault of the run or as a wrong result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cuda_kernels import Sample, blocked_conv2d, pipelined_matmul

from vtac.errors import KernelFault
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.source import host_program
from vtac.targets.cuda.cpu.toolchain import compile_program, cpu_unavailable_reason

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

_MATMUL_FAULTS = {
    "barrier before the products": ("__syncthreads();  // before the products", ""),
    "barrier before the epilogue": ("__syncthreads();  // before the epilogue", ""),
    "wait too weak": ("__pipeline_wait_prior(kStages - 2)", "__pipeline_wait_prior(kStages - 1)"),
    "no wait": ("__pipeline_wait_prior(kStages - 2);", ""),
    "one commit missing": ("    __pipeline_commit();\n    const int stage", "    const int stage"),
    "accumulator not zeroed": ("wmma::fill_fragment(acc[i], 0.0f)", "(void)i"),
    "pitch of b": ("&b_tile[stage][warp_n], kPitchB", "&b_tile[stage][warp_n], kPitchB - 8"),
    "pitch of a at the copy": ("&a_tile[stage][row * kPitchA + part]", "&a_tile[stage][row * kStep + part]"),
    "ring one stage short": ("step + kStages - 1 < kSteps) copy_stage(step + kStages - 1)", "false) {}"),
    "next copy overwrites this stage": (
        "copy_stage(step + kStages - 1);\n    __p",
        "copy_stage(step + kStages);\n    __p",
    ),
    "layout of a": ("matrix_a, 16, 16, 16, half, wmma::row_major", "matrix_a, 16, 16, 16, half, wmma::col_major"),
    "epilogue reads bias of another block": ("&bias[block_n + column]", "&bias[column]"),
}
_CONV_FAULTS = {
    "barrier after the products": ("__syncthreads();  // after the products", ""),
    "barrier before the products": ("__syncthreads();  // before the products", ""),
    "bounds test of the column dropped": (" && 1 <= w + kw && w + kw < SIDE + 1", ""),
    "bounds test of the row dropped": ("1 <= h + kh && h + kh < SIDE + 1 && ", ""),
    "accumulator not zeroed": ("wmma::fill_fragment(acc[f], 0.0f)", "(void)f"),
}


def _is_caught(sample: Sample, text: str) -> bool:
    try:
        run = run_on_cpu(text, sample.launch, sample.arrays)
    except KernelFault:
        return True
    return not np.array_equal(run.outputs[0], sample.expected)


def _planted(sample: Sample, old: str, new: str) -> str:
    assert sample.text.count(old) == 1
    return sample.text.replace(old, new)


@pytest.mark.parametrize("name", _MATMUL_FAULTS)
def test_planted_in_the_pipelined_matmul(name: str) -> None:
    sample = pipelined_matmul()
    assert _is_caught(sample, _planted(sample, *_MATMUL_FAULTS[name]))


@pytest.mark.parametrize("name", _CONV_FAULTS)
def test_planted_in_the_convolution(name: str) -> None:
    sample = blocked_conv2d()
    assert _is_caught(sample, _planted(sample, *_CONV_FAULTS[name]))


_NAMED_FAULTS = [
    ("out-of-bounds", "&a[(block_m + row)", "&a[(block_m + row + 64)", r"read \d+ bytes past the end of `a` \(24576"),
    ("out-of-bounds", "&c[(block_m + row)", "&c[(block_m + row - 1)", r"write \d+ bytes before the start of `c`"),
    ("out-of-bounds", "&b_tile[stage][line", "&b_tile[stage + 3][line", r"kernel.cu:\d+: index 3 of an array"),
    ("out-of-bounds", "acc[i].x[e] = 2", "acc[i + 1].x[e] = 2", r"kernel.cu:\d+: index 2 of an array"),
    ("write-to-input", "&c[(block_m", "&const_cast<half*>(a)[(block_m", "a write to input `a`"),
    ("misaligned", "b_tile[stage][warp_n]", "b_tile[stage][warp_n + 8]", "must be a multiple of 32 bytes"),
    ("misaligned", "__align__(128) half a_tile", "__align__(16) half a_tile", "must be a multiple of 32 bytes"),
    ("misaligned", "kPitchA = kStep + 8", "kPitchA = kStep + 4", "must be multiples of its size"),
    (
        "misaligned",
        "row * kPitchC + column]);\n    const",
        "row * kPitchC + column + 1]);\n    const",
        r"kernel.cu:\d+: address",
    ),
    ("pitch", "kPitchC, wmma::mem", "12, wmma::mem", "a tile's line has 16, so lines would overlap"),
    ("divergence", "__syncthreads();  // before the e", "if (thread < 64) __syncthreads();  //", "has returned"),
    ("warp-divergence", "wmma::mma_sync(acc", "if (thread % 2) wmma::mma_sync(acc", "all 32 must do the same"),
    ("warp-divergence", "&b_tile[stage][warp_n]", "&b_tile[stage][thread % 2 * 16]", "with other addresses"),
    ("async-copy", "+ part], 16)", "+ part], 2)", "of 2 bytes, .*: 4, 8 or 16 are possible"),
    ("async-copy", "(&a_tile[stage][row * kPitchA + part]", "(&c[row * kPitchA + part]", "destination must be shared"),
    ("shared-memory", "kStages = 3", "kStages = 13", "static shared arrays take .*CUDA allows 49152"),
]


@pytest.mark.parametrize(("kind", "old", "new", "message"), _NAMED_FAULTS, ids=lambda value: str(value)[:24])
def test_fault_says_what_and_where(kind: str, old: str, new: str, message: str) -> None:
    sample = pipelined_matmul()
    with pytest.raises(KernelFault, match=message) as caught:
        run_on_cpu(_planted(sample, old, new), sample.launch, sample.arrays)
    assert caught.value.kind == kind


def test_fault_names_block_and_thread() -> None:
    sample = blocked_conv2d()
    text = _planted(sample, "1 <= h + kh && h + kh < SIDE + 1 && ", "")
    with pytest.raises(KernelFault, match=r"a read .* in block \(0, 0, 1\), thread \(0, 0, 0\)"):
        run_on_cpu(text, sample.launch, sample.arrays, blocks=[1])


def test_dynamic_shared_memory_ends_where_the_launch_says() -> None:
    sample = pipelined_matmul()
    with pytest.raises(KernelFault, match=r"past the end of `dynamic shared memory` \(4096 bytes") as caught:
        run_on_cpu(sample.text, replace(sample.launch, shared_bytes=4096), sample.arrays)
    assert caught.value.kind == "out-of-bounds"
    with pytest.raises(KernelFault, match=r"declares `extern __shared__ c_tile\[\]`, .* shared_bytes is 0"):
        run_on_cpu(sample.text, replace(sample.launch, shared_bytes=0), sample.arrays)


def test_a_race_on_an_output_is_told_as_such() -> None:
    sample = pipelined_matmul()
    text = _planted(sample, "&c[(block_m + row) * kN + block_n + column]", "&c[column]")
    with pytest.raises(KernelFault, match=r"race: `c\[0\]\[0\]`: .* no __syncthreads\(\) orders") as caught:
        run_on_cpu(text, sample.launch, sample.arrays, workers=1)
    assert caught.value.kind == "race"
    with pytest.raises(KernelFault, match=r"output `c` depends on the order of threads") as caught:
        run_on_cpu(text, sample.launch, sample.arrays, workers=1, races=False)
    assert caught.value.kind == "order-dependent"


def test_a_kernel_that_never_ends_is_stopped() -> None:
    sample = pipelined_matmul()
    text = _planted(sample, "__syncthreads();  // before the epilogue", "for (volatile int i = 0;;) i = i;")
    with pytest.raises(KernelFault, match=r"ran for more than 0\.5 s") as caught:
        run_on_cpu(text, sample.launch, sample.arrays, workers=2, timeout_seconds=0.5)
    assert caught.value.kind == "timeout"
    executable = str(compile_program(host_program(text, sample.launch))).encode()
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if executable in _contents(path)]


def _contents(path: Path) -> bytes:
    """A file of /proc; nothing when its process is gone."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
