"""Lanes of a warp that pass values to each other: what they get, and every fault that was planted."""

from __future__ import annotations

import numpy as np
import pytest

from vtac.errors import KernelFault
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.launch import LaunchRecord, Parameter

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

SUMS = """#include <cuda_fp16.h>
extern "C" __global__ void __launch_bounds__(64) rows(const float *__restrict__ x, float *__restrict__ y) {
  __shared__ float parts[2];
  float sum = x[blockIdx.x * 64 + threadIdx.x];
  for (int step = 16; step > 0; step /= 2) {
    sum += __shfl_down_sync(0xffffffffu, sum, step);
  }
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) y[blockIdx.x] = parts[0] + parts[1];
}
"""
"""Each warp adds up a half of a row, the first thread both halves."""

KINDS = """#include <cuda_fp16.h>
extern "C" __global__ void __launch_bounds__(32) rows(const float *__restrict__ x, float *__restrict__ y) {
  const int lane = threadIdx.x;
  const float value = x[lane];
  y[lane] = __shfl_sync(0xffffffffu, value, 3, 8);
  y[32 + lane] = __shfl_up_sync(0xffffffffu, value, 5, 16);
  y[64 + lane] = __shfl_xor_sync(0xffffffffu, value, 7);
  y[96 + lane] = __half2float(__shfl_down_sync(0xffffffffu, __float2half(value), 30));
}
"""


def run(text: str, rows: int, columns: int, results: int, orders: int = 6) -> Array:
    parameters = (
        Parameter("x", "input", "float32", (rows, columns)),
        Parameter("y", "output", "float32", (results,)),
    )
    launch = LaunchRecord("rows", (rows, 1, 1), (columns, 1, 1), 0, parameters)
    x = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    return run_on_cpu(text, launch, [x], orders=orders).outputs[0]


def test_a_warp_adds_up_its_values() -> None:
    expected = np.arange(192, dtype=np.float32).reshape(3, 64).sum(axis=1)
    np.testing.assert_array_equal(run(SUMS, 3, 64, 3), expected)


def test_every_kind_reads_the_lane_that_it_says() -> None:
    lane = np.arange(32)
    expected = [
        lane // 8 * 8 + 3,
        np.where(lane % 16 < 5, lane, lane - 5),
        lane ^ 7,
        np.where(lane + 30 > 31, lane, lane + 30),
    ]
    np.testing.assert_array_equal(run(KINDS, 1, 32, 128).reshape(4, 32), expected)


FAULTS = {
    "in a condition": (
        "sum += __shfl",
        "if (threadIdx.x % 32 < step) sum += __shfl",
        r"divergence: not all threads .* waits at a shuffle in line \d+",
    ),
    "in two branches": (
        "sum += __shfl_down_sync(0xffffffffu, sum, step);",
        "if (threadIdx.x % 2) sum += __shfl_down_sync(0xffffffffu, sum, step);\n"
        "    else sum += __shfl_down_sync(0xffffffffu, sum, step);",
        "warp-divergence: the lanes of a warp did different warp-wide operations .* in other lines",
    ),
    "beside a barrier": (
        "sum += __shfl",
        "if (threadIdx.x == 7) __syncwarp();\n    else sum += __shfl",
        "warp-divergence: the lanes of a warp did different|divergence: not all threads",
    ),
    "of some lanes": ("0xffffffffu", "0x0000ffffu", "a shuffle with mask 0x0000ffff, .* only the full warp"),
    "among twelve": ("sum, step)", "sum, step, 12)", "a shuffle among 12 lanes, .* 1, 2, 4, 8, 16 or 32 are possible"),
    "as a barrier": ("__syncthreads();", "sum = __shfl_sync(0xffffffffu, sum, 0);", "race: .*no __syncthreads"),
}
"""What is replaced by what, and what is then said."""


@pytest.mark.parametrize("name", FAULTS)
def test_planted_faults_are_found(name: str) -> None:
    right, wrong, message = FAULTS[name]
    assert right in SUMS
    with pytest.raises(KernelFault, match=rf"(?s){message}"):
        run(SUMS.replace(right, wrong), 1, 64, 1, orders=2)


def test_a_lane_that_is_not_there() -> None:
    text = SUMS.replace("__launch_bounds__(64)", "__launch_bounds__(40)").replace("* 64", "* 40")
    with pytest.raises(KernelFault, match="a shuffle from lane 16 of a warp of 8 threads"):
        run(text, 1, 40, 1, orders=1)


@pytest.mark.parametrize(("right", "wrong"), [("step = 16", "step = 8"), ("sum, step)", "sum, step, 16)")])
def test_sums_that_leave_lanes_out_are_wrong(right: str, wrong: str) -> None:
    """No rule is broken: the reference tells."""
    assert run(SUMS.replace(right, wrong), 1, 64, 1)[0] != np.arange(64).sum()
