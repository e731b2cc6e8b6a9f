"""Elementwise programs on the vector ALU, executed: every operation, chains, operands that live on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from run_checks import run_checked
from tile_programs import Step, TileProgram, binary, immediate
from workload_cases import BATCH_4, CONFIGS

import vtac
from vtac.dialects.hardware import VTAConfig

Int32 = NDArray[np.int32]
Expected = Callable[[Sequence[Int32]], Int32]

ONE_BODY = """%c3 = arith.constant 3 : i32
    %c100 = arith.constant 100 : i32
    %c2 = arith.constant 2 : i32
    %c50 = arith.constant 50 : i32
    %s0 = arith.shrsi %x0, %c3 : i32
    %s1 = arith.maxsi %s0, %x1 : i32
    %s2 = arith.minsi %c100, %s1 : i32
    %s3 = arith.shli %s2, %c2 : i32
    %y = arith.subi %s3, %c50 : i32"""

PROGRAMS: dict[str, tuple[TileProgram, Expected]] = {
    "add immediate": (TileProgram(1, (immediate("r", "in0", "addi", -300),), "r"), lambda v: v[0] - 300),
    "subtract immediate": (TileProgram(1, (immediate("r", "in0", "subi", 7),), "r"), lambda v: v[0] - 7),
    "max": (TileProgram(1, (immediate("r", "in0", "maxsi", -5),), "r"), lambda v: np.maximum(v[0], -5)),
    "min": (TileProgram(1, (immediate("r", "in0", "minsi", 5),), "r"), lambda v: np.minimum(v[0], 5)),
    "shift right": (TileProgram(1, (immediate("r", "in0", "shrsi", 31),), "r"), lambda v: v[0] >> 31),
    "shift left": (TileProgram(1, (immediate("r", "in0", "shli", 4),), "r"), lambda v: v[0] << 4),
    "add tensors": (TileProgram(2, (binary("r", "in0", "in1", "addi"),), "r"), lambda v: v[0] + v[1]),
    "max of tensors": (TileProgram(2, (binary("r", "in0", "in1", "maxsi"),), "r"), lambda v: np.maximum(v[0], v[1])),
    "min of tensors": (TileProgram(2, (binary("r", "in0", "in1", "minsi"),), "r"), lambda v: np.minimum(v[0], v[1])),
    "five operations in one body": (
        TileProgram(2, (Step("r", ("in0", "in1"), ONE_BODY),), "r"),
        lambda v: (np.minimum(np.maximum(v[0] >> 3, v[1]), 100) << 2) - 50,
    ),
    "no operand dies": (
        TileProgram(
            2,
            (binary("s", "in0", "in1", "addi"), binary("t", "in0", "in1", "maxsi"), binary("r", "s", "t", "minsi")),
            "r",
        ),
        lambda v: np.minimum(v[0] + v[1], np.maximum(v[0], v[1])),
    ),
    "the first operand lives on": (
        TileProgram(2, (binary("s", "in0", "in1", "addi"), binary("r", "s", "in0", "maxsi")), "r"),
        lambda v: np.maximum(v[0] + v[1], v[0]),
    ),
    "the second operand lives on": (
        TileProgram(2, (binary("s", "in0", "in1", "addi"), binary("r", "in1", "s", "minsi")), "r"),
        lambda v: np.minimum(v[1], v[0] + v[1]),
    ),
    "immediate on a value that lives on": (
        TileProgram(1, (immediate("s", "in0", "shrsi", 2), binary("r", "s", "in0", "maxsi")), "r"),
        lambda v: np.maximum(v[0] >> 2, v[0]),
    ),
    "an operand used twice": (TileProgram(1, (binary("r", "in0", "in0", "addi"),), "r"), lambda v: v[0] + v[0]),
    "a diamond of three inputs": (
        TileProgram(
            3,
            (
                binary("s", "in0", "in1", "addi"),
                binary("t", "in1", "in2", "maxsi"),
                immediate("u", "t", "addi", 9),
                binary("v", "s", "u", "minsi"),
                binary("r", "v", "in2", "addi"),
            ),
            "r",
        ),
        lambda v: np.minimum(v[0] + v[1], np.maximum(v[1], v[2]) + 9) + v[2],
    ),
    "batches of 4": (TileProgram(2, (binary("r", "in0", "in1", "addi"),), "r", 5, BATCH_4), lambda v: v[0] + v[1]),
    "one tile": (TileProgram(1, (immediate("r", "in0", "addi", 1),), "r", 1), lambda v: v[0] + 1),
}


def check(program: TileProgram, expected: Expected, seed: int = 0) -> None:
    """Compile, prove safe, run on all of int32, compare with numpy."""
    random = np.random.default_rng(seed)
    arrays = [random.integers(-(2**31), 2**31, program.shape, dtype=np.int32) for _ in range(program.inputs)]
    arrays = [np.where(random.random(program.shape) < 0.5, array >> 20, array).astype(np.int32) for array in arrays]
    schedule = program.schedule()
    result = run_checked(vtac.compile(program.text(), schedule=schedule), *arrays)
    assert np.array_equal(result, expected(arrays).astype(np.int8))


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str) -> None:
    check(*PROGRAMS[name])


NUMPY: dict[str, Callable[[Int32, Int32], Int32]] = {"addi": np.add, "maxsi": np.maximum, "minsi": np.minimum}


@settings(max_examples=25)
@given(st.data(), st.sampled_from(CONFIGS))
def test_random_graphs(data: st.DataObject, config: VTAConfig) -> None:
    names = ["in0", "in1"]
    steps: list[Step] = []
    for at in range(data.draw(st.integers(1, 5))):
        left = data.draw(st.sampled_from(names))
        op = data.draw(st.sampled_from(sorted(NUMPY)))
        others = [name for name in names if name != left]
        if data.draw(st.booleans()):
            steps.append(binary(f"s{at}", left, data.draw(st.sampled_from(others)), op))
        else:
            steps.append(immediate(f"s{at}", left, op, data.draw(st.integers(-200, 200))))
        names.append(steps[-1].name)

    def expected(inputs: Sequence[Int32]) -> Int32:
        values = {"in0": inputs[0], "in1": inputs[1]}
        for step in steps:
            words = step.body.split()
            op = words[words.index("%y") + 2].removeprefix("arith.")
            left, *others = step.sources
            right = values[others[0]] if others else np.full_like(values[left], int(words[3]))
            values[step.name] = NUMPY[op](values[left], right)
        return values[steps[-1].name]

    check(TileProgram(2, tuple(steps), steps[-1].name, data.draw(st.integers(1, 5)), config), expected)
