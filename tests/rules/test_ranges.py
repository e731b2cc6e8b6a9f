"""Ranges of expressions, on which rules depend, hold every result: random bodies over all pairs of bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_proofs import elementwise
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import ReturnOp

import vtac
from vtac.analysis.values.tensor_ranges import TensorRanges
from vtac.evaluate import evaluate
from vtac.evaluate.functions import function_of

EVERY = np.arange(-128, 128, dtype=np.int8)
LEFT, RIGHT = np.meshgrid(EVERY, EVERY, indexing="ij")
NUMBERS = st.one_of(st.integers(-200, 200), st.sampled_from([-(1 << 31), (1 << 31) - 1, -(1 << 20), 70000]))


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """Up to eight operations on `l` and `r`, i32 of two bytes, with wrapping and casts between."""
    lines = ["l = extsi a : i8 to i32", "r = extsi b : i8 to i32"]
    names = ["l", "r"]
    for place in range(draw(st.integers(1, 8))):
        one, name = draw(st.sampled_from(names)), f"v{place}"
        operation = draw(st.sampled_from(["addi", "subi", "maxsi", "minsi", "muli", "shli", "shrsi", "cast"]))
        if operation == "cast":
            kind, extension = draw(st.sampled_from(["i8", "i16"])), draw(st.sampled_from(["extsi", "extui"]))
            lines += [f"n{place} = trunci {one} : i32 to {kind}", f"{name} = {extension} n{place} : {kind} to i32"]
        else:
            other = str(draw(NUMBERS))
            if operation in ("addi", "maxsi", "minsi") and draw(st.booleans()):
                other = draw(st.sampled_from(names))
            if operation in ("shli", "shrsi"):
                other = str(draw(st.integers(0, 31)))
            elif operation == "muli":
                other = str(draw(st.sampled_from([-128, -2, -1, 0, 1, 2, 5, 64, 1 << 12, 1 << 30])))
            lines.append(f"{name} = {operation} {one} {other} : i32")
        names.append(name)
    return "\n".join([*lines, f"y = addi {names[-1]} 0 : i32"])


@settings(max_examples=25)
@given(bodies())
def test_ranges_of_bodies_hold_every_result(body: str) -> None:
    module = vtac.parse(elementwise(body, ("i8", "i8"), "i32", "256x256"))
    low, high = bounds(module)
    found = np.asarray(evaluate(module, LEFT, RIGHT))
    assert low <= found.min() and found.max() <= high, body


def bounds(module: ModuleOp) -> tuple[int, int]:
    """The range of a function's result."""
    returned = function_of(module).body.block.last_op
    assert isinstance(returned, ReturnOp)
    return TensorRanges(function_of(module).body.block).of(returned.operands[0])


@pytest.mark.parametrize("shift", [0, 1, 3, 7])
@pytest.mark.parametrize("number", [-128, -1, 0, 1, 127])
def test_ranges_of_single_operations_are_tight(shift: int, number: int) -> None:
    """Not only sound: a clamp behind such a shift is dropped just where it does nothing."""
    lines = f"l = extsi a : i8 to i32\ns = shrsi l {shift} : i32\ny = maxsi s {number} : i32"
    module = vtac.parse(elementwise(lines, ("i8", "i8"), "i32", "256x256"))
    found = np.asarray(evaluate(module, LEFT, RIGHT))
    assert bounds(module) == (found.min(), found.max())


def test_ranges_of_long_programs_need_no_recursion() -> None:
    lines = ["func.func @f(%v0: tensor<4xi8>) -> tensor<4xi8> {"]
    lines += [
        f"  %v{number + 1} = tensor.extract_slice %v{number} [0] [4] [1] : tensor<4xi8> to tensor<4xi8>"
        for number in range(3000)
    ]
    text = "\n".join([*lines, "  return %v3000 : tensor<4xi8>", "}"])
    assert bounds(vtac.parse(text)) == (-128, 127)
