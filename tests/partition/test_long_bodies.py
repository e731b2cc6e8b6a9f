"""Sums of one argument in more steps than a device function has: over several operations, and in one body."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.compiler import lower
from vtac.evaluate import evaluate

_GENERIC = (
    "linalg.generic {indexing_maps = [affine_map<(a) -> (a)>, affine_map<(a) -> (a)>, affine_map<(a) -> (a)>], "
    'iterator_types = ["parallel"]}'
)
X = np.arange(64, dtype=np.int32) * 99_999


def sums(*lengths: int) -> str:
    """An operation for each length, which adds the argument so many times to what the one before it gives."""
    lines: list[str] = []
    source = "x"
    for number, length in enumerate(lengths):
        lines += [
            f"  %e{number} = tensor.empty() : tensor<64xi32>",
            f"  %y{number} = {_GENERIC} ins(%{source}, %x : tensor<64xi32>, tensor<64xi32>) outs(%e{number} : "
            "tensor<64xi32>) {",
            "  ^bb0(%t: i32, %v: i32, %o: i32):",
            *(f"    %t{n} = arith.addi %t{n - 1 if n else ''}, %v : i32" for n in range(length)),
            f"    linalg.yield %t{length - 1} : i32",
            "  } -> tensor<64xi32>",
        ]
        source = f"y{number}"
    head = "func.func @sums(%x: tensor<64xi32>) -> tensor<64xi32> {"
    return "\n".join([head, *lines, f"  func.return %{source} : tensor<64xi32>", "}", ""])


@pytest.mark.parametrize("lengths", [(30, 30, 30), (48, 48, 5), (10,) * 12, (130,)])
def test_an_argument_is_added_in_three_device_functions_and_more(lengths: tuple[int, ...]) -> None:
    program = vtac.compile(sums(*lengths))
    assert np.array_equal(program(X), X * (sum(lengths) + 1))  # pyright: ignore[reportArgumentType]
    assert program.summary["host_operations"] == []  # pyright: ignore[reportAttributeAccessIssue]


def test_a_long_body_is_cut_where_one_scalar_crosses() -> None:
    cut = lower(sums(130), "vta", phase="outlined")
    functions = str(cut).split("func.func private")[1:]
    assert len(functions) == 3
    assert all(text.count("arith.addi") <= 48 + 8 for text in functions)  # bytes added up are none of its steps
    assert np.array_equal(evaluate(cut, X), X * 131)


def test_two_running_sums_that_meet_at_the_end_stay_right() -> None:
    steps = [
        line
        for n in range(30)
        for line in (f"    %p{n + 1} = arith.addi %q{n}, %v : i32", f"    %q{n + 1} = arith.maxsi %p{n}, %t : i32")
    ]
    body = ["    %p0 = arith.addi %t, %v : i32", "    %q0 = arith.maxsi %t, %v : i32", *steps]
    before = "    %t0 = arith.addi %t, %v : i32\n    linalg.yield %t0 : i32"
    after = "\n".join([*body, "    %y = arith.addi %p30, %q30 : i32", "    linalg.yield %y : i32"])
    text = sums(1).replace(before, after)
    assert text != sums(1)
    assert np.array_equal(vtac.compile(text)(X), evaluate(vtac.parse(text), X))  # pyright: ignore[reportArgumentType]
