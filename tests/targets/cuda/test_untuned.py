"""A few of the shapes that nobody tuned for, executed as text on the CPU; `benchmarks/untuned_shapes.py` runs 200."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.workloads.untuned import untuned

SAMPLED = (0, 1, 8, 9, 10, 11, 22)


@pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
@pytest.mark.parametrize("number", SAMPLED)
def test_untuned_shapes_equal_numpy(number: int) -> None:
    case = untuned(number)
    result = vtac.compile(case.text, "cuda")(*case.inputs)
    assert isinstance(result, np.ndarray)
    assert np.array_equal(result, case.expected), case.name


def test_a_number_is_always_the_same_program() -> None:
    first, second = untuned(17), untuned(17)
    assert first.text == second.text
    assert all(np.array_equal(one, other) for one, other in zip(first.inputs, second.inputs, strict=True))
    assert len({untuned(number).name for number in range(200)}) > 190
