"""Random directives: whatever is accepted keeps the numbers, and the printed script gives the same payload."""

from __future__ import annotations

import numpy as np
import pytest
from directive_programs import PROGRAMS, chain
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from programs import SmallConv
from random_schedules import RandomDirectives
from xdsl.dialects.builtin import ModuleOp

from vtac.dialects.schedule.declared import RESULT
from vtac.evaluate import evaluate
from vtac.evaluate.buffers import element_type, shape_of_type
from vtac.evaluate.functions import function_of
from vtac.evaluate.numbers import Array, dtype_of
from vtac.pipelines import Runner
from vtac.schedule import Schedule
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.text.context import make_context
from vtac.text.source import parse

SOURCES = {
    **PROGRAMS,
    "conv": SmallConv(2, 2, 4, 5).text(),
    "strided": SmallConv(1, 2, 5, 5, stride=2).text(),
    "chain": chain((3, 5), "a", "b", "c"),
}

quick = settings(max_examples=14, suppress_health_check=[HealthCheck.too_slow])


def arguments(module: ModuleOp) -> list[NDArray[np.generic]]:
    """Random arrays for a payload's arguments, those of its results left out."""
    function = function_of(module)
    rng = np.random.default_rng(0)
    return [
        rng.integers(-100, 100, shape_of_type(kind)).astype(dtype_of(element_type(kind)))
        for position, kind in enumerate(function.function_type.inputs)
        if not RESULT.of_argument(function, position)
    ]


def results(module: ModuleOp, arrays: list[NDArray[np.generic]]) -> tuple[Array, ...]:
    found = evaluate(module, *arrays)
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("name", SOURCES)
@quick
@given(seed=st.integers(0, 1 << 16), count=st.integers(1, 16))
def test_legal_directives_keep_the_numbers(name: str, seed: int, count: int) -> None:
    schedule = Schedule(SOURCES[name])
    arrays = arguments(schedule.module)
    expected = results(schedule.module, arrays)
    for _ in RandomDirectives(schedule, seed).apply(count):
        pass
    schedule.module.verify()
    for found, wanted in zip(results(schedule.module, arrays), expected, strict=True):
        np.testing.assert_array_equal(found, wanted, str(schedule))


@pytest.mark.parametrize("name", SOURCES)
@quick
@given(seed=st.integers(1 << 16, 1 << 17), count=st.integers(1, 24))
def test_the_printed_script_gives_the_same_payload(name: str, seed: int, count: int) -> None:
    schedule = Schedule(SOURCES[name])
    for _ in RandomDirectives(schedule, seed).apply(count):
        pass
    module = parse(f"{SOURCES[name]}\n{schedule}")
    module.attributes |= schedule.module.attributes
    Runner(make_context()).run_phases(VTA_PIPELINE.through("scheduled"), module)
    assert str(module) == str(schedule.module)
