"""Accesses next to an array, which its pages let pass and whose values change nothing, are faults to the byte."""

from __future__ import annotations

import numpy as np
import pytest

from vtac.errors import KernelFault
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.launch import LaunchRecord, Parameter

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

TEXT = """#include <cuda_pipeline.h>
extern "C" __global__ void __launch_bounds__(32) k(const float *__restrict__ x, float *__restrict__ y) {
  __shared__ __align__(16) float part[36];
  const int lane = threadIdx.x;
  part[lane] = 0.0f;
  %s
  y[lane] = 2.0f * x[lane] + (part[lane] < -1e30f ? 1.0f : 0.0f);
}
"""
"""Twice the first 32 of 33 numbers; lane 0 does something else before."""


def doubled(statement: str, orders: int = 2, *, races: bool = True) -> Array:
    parameters = (Parameter("x", "input", "float32", (33,)), Parameter("y", "output", "float32", (33,)))
    launch = LaunchRecord("k", (1, 1, 1), (32, 1, 1), 0, parameters)
    text = TEXT % f"if (lane == 0) {{ {statement} }}"
    return run_on_cpu(text, launch, [np.arange(33, dtype=np.float32)], orders=orders, races=races).outputs[0][:32]


def reading(place: str, kind: str = "float") -> str:
    """A read that is made, of a value that changes nothing."""
    return f"part[0] = *reinterpret_cast<const volatile {kind} *>({place}) == 12345 ? 1.0f : 0.0f;"


@pytest.mark.parametrize(
    "statement", [reading("x + 32"), reading("part + 0"), "__pipeline_memcpy_async(part + 32, x + 28, 16);"]
)
def test_the_last_of_an_array_is_its_own(statement: str) -> None:
    np.testing.assert_array_equal(doubled(statement), 2.0 * np.arange(32))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            reading("x + 33"),
            r"a read 0 bytes past the end of `x` \(132 bytes\), in block .*, thread \(0, 0, 0\)",
        ),
        (reading("x + 40"), r"a read 28 bytes past the end of `x` \(132 bytes\)"),
        (reading("x + 32", "double"), r"a read 0 bytes past the end of `x` \(132 bytes\)"),
        (reading("x - 1"), r"a read 4 bytes before the start of `x` \(132 bytes\)"),
        (reading("y + 33"), r"a read 0 bytes past the end of `y` \(132 bytes\)"),
        ("y[33] = 1.0f;", r"a write 0 bytes past the end of `y` \(132 bytes\)"),
        ("const_cast<float *>(x)[33] = 1.0f;", r"a write 0 bytes past the end of `x` \(132 bytes\)"),
        ("atomicAdd(&y[33], 1.0f);", r"a write 0 bytes past the end of `y` \(132 bytes\)"),
        ("__pipeline_memcpy_async(part + 32, x + 32, 16);", r"a read 0 bytes past the end of `x` \(132 bytes\)"),
        ("__pipeline_memcpy_async(part + 32, x + 32, 16, 8);", r"a read 0 bytes past the end of `x` \(132 bytes\)"),
    ],
)
def test_the_next_byte_is_a_fault(statement: str, message: str) -> None:
    with pytest.raises(KernelFault, match=message) as caught:
        doubled(statement)
    assert caught.value.kind == "out-of-bounds"


def test_zeros_stand_for_what_a_copy_does_not_read() -> None:
    np.testing.assert_array_equal(doubled("__pipeline_memcpy_async(part + 32, x + 32, 16, 12);"), 2.0 * np.arange(32))


def test_a_run_that_looks_for_no_races_sees_what_changes_results() -> None:
    """Arrays lie against either end of their pages, next to bytes of 0xFF."""
    np.testing.assert_array_equal(doubled(reading("x + 33"), races=False), 2.0 * np.arange(32))
