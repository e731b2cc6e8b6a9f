"""Results of i32, in four planes of bytes: whatever the shared value that the planes are cut from starts with."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_programs import SMALL_BLOCK, run_against_numpy

from vtac.dialects.hardware import VTAConfig
from vtac.workloads.linalg_text import affine_map, iterators, tensor

CONFIGS = pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])


def total(shape: Sequence[int], kinds: Sequence[str], rows: Sequence[bool] = ()) -> str:
    """The i32 sum of arguments of some types; those of `rows` hold one row for all."""
    dims = ", ".join(f"d{i}" for i in range(len(shape)))
    one_row = [*rows, *[False] * (len(kinds) - len(rows))]
    shapes = [shape[-1:] if row else shape for row in one_row]
    reads = [affine_map(dims, f"d{len(shape) - 1}" if row else dims) for row in one_row]
    names = [f"%a{i}" for i in range(len(kinds))]
    types = [tensor(one, kind) for one, kind in zip(shapes, kinds, strict=True)]
    body = ["%z = arith.constant 0 : i32"]
    last = "%z"
    for i, kind in enumerate(kinds):
        wide = f"%x{i}"
        if kind == "i8":
            wide = f"%w{i}"
            body.append(f"{wide} = arith.extsi %x{i} : i8 to i32")
        body.append(f"%s{i} = arith.addi {last}, {wide} : i32")
        last = f"%s{i}"
    arguments = ", ".join(f"%x{i}: {kind}" for i, kind in enumerate(kinds))
    parameters = ", ".join(f"{name}: {kind}" for name, kind in zip(names, types, strict=True))
    result = tensor(shape, "i32")
    return "\n".join(
        [
            f"func.func @f({parameters}) -> {result} {{",
            f"  %e = tensor.empty() : {result}",
            f"  %r = linalg.generic {{indexing_maps = [{', '.join([*reads, affine_map(dims, dims)])}], "
            f"{iterators(len(shape))}}}",
            f"    ins({', '.join(names)} : {', '.join(types)}) outs(%e : {result}) {{",
            f"  ^bb0({arguments}, %o: i32):",
            *[f"    {line}" for line in body],
            f"    linalg.yield {last} : i32",
            f"  }} -> {result}",
            f"  func.return %r : {result}\n}}\n",
        ]
    )


@CONFIGS
@pytest.mark.parametrize(
    "kinds",
    ["i8 i8 i8", "i8 i8 i8 i8", "i32 i8", "i32 i8 i8", "i32 i32 i8 i8"],
    ids=lambda kinds: kinds.replace(" ", "-"),
)
def test_sums_of_several_operands(kinds: str, config: VTAConfig | None) -> None:
    """Products that go on from products, and products onto what is loaded."""
    run_against_numpy(total((5, 20), kinds.split()), config)


@settings(max_examples=8)
@given(
    st.lists(st.sampled_from(["i8", "i32"]), min_size=1, max_size=4),
    st.lists(st.booleans(), max_size=3),
    st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 3), st.integers(1, 20)),
    st.sampled_from([2, 4]),
    st.sampled_from([None, SMALL_BLOCK]),
)
def test_random_sums(
    kinds: list[str], rows: list[bool], shape: tuple[int, ...], rank: int, config: VTAConfig | None
) -> None:
    run_against_numpy(total(shape[:rank], kinds, [*rows[: len(kinds) - 1]][::-1] if rank == 2 else ()), config)


@CONFIGS
def test_a_window_of_one_element_in_steps(config: VTAConfig | None) -> None:
    """What the planes share is a slice of what was loaded."""
    data, result = tensor((2, 20, 5, 4), "i32"), tensor((2, 20, 3, 4), "i32")
    window = tensor((1, 1), "i32")
    text = f"""func.func @f(%a: {data}) -> {result} {{
  %least = arith.constant -2147483648 : i32
  %e = tensor.empty() : {result}
  %w = tensor.empty() : {window}
  %i = linalg.fill ins(%least : i32) outs(%e : {result}) -> {result}
  %r = linalg.pooling_nchw_max {{dilations = dense<1> : tensor<2xi64>, strides = dense<[2, 1]> : tensor<2xi64>}}
    ins(%a, %w : {data}, {window}) outs(%i : {result}) -> {result}
  func.return %r : {result}
}}
"""
    run_against_numpy(text, config)


def test_a_sum_that_keeps_only_one_row() -> None:
    """Factors of zero may leave an operand that lacks the result's rows."""
    a, row, result = tensor((5, 20), "i32"), tensor((20,), "i8"), tensor((5, 20), "i32")
    text = f"""func.func @f(%a: {a}, %row: {row}) -> {result} {{
  %e = tensor.empty() : {result}
  %r = linalg.generic {{indexing_maps = [{affine_map("i, j", "i, j")}, {affine_map("i, j", "j")},
      {affine_map("i, j", "i, j")}], {iterators(2)}}} ins(%a, %row : {a}, {row}) outs(%e : {result}) {{
  ^bb0(%x: i32, %b: i8, %o: i32):
    %zero = arith.constant 0 : i32
    %w = arith.extsi %b : i8 to i32
    %p = arith.muli %x, %zero : i32
    %s = arith.addi %p, %w : i32
    linalg.yield %s : i32
  }} -> {result}
  func.return %r : {result}
}}
"""
    run_against_numpy(text)
