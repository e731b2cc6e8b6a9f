"""Elementwise operations whose operands lack dimensions of the result, and long chains of them."""

from __future__ import annotations

import pytest
from plain_programs import run_against_numpy, said

from vtac.workloads.linalg_text import affine_map, iterators, tensor


def repeated(operands: list[tuple[int, ...]], reads: list[str], shape: tuple[int, ...]) -> str:
    """The sum of two operands, each read by some of the result's dimensions."""
    dims = ", ".join(f"d{i}" for i in range(len(shape)))
    kinds = [tensor(one, "i8") if one else "tensor<i8>" for one in operands]
    result = tensor(shape, "i8") if shape else "tensor<i8>"
    maps = ", ".join(affine_map(dims, read) for read in [*reads, dims])
    return f"""func.func @f(%a: {kinds[0]}, %b: {kinds[1]}) -> {result} {{
  %e = tensor.empty() : {result}
  %r = linalg.generic {{indexing_maps = [{maps}], {iterators(len(shape))}}}
    ins(%a, %b : {kinds[0]}, {kinds[1]}) outs(%e : {result}) {{
  ^bb0(%x: i8, %y: i8, %o: i8):
    %s = arith.addi %x, %y : i8
    linalg.yield %s : i8
  }} -> {result}
  func.return %r : {result}
}}
"""


def test_scalars() -> None:
    assert run_against_numpy(repeated([(), ()], ["", ""], ())).choices == ()


@pytest.mark.parametrize(
    ("operands", "reads", "shape"),
    [
        ([(), ()], ["", ""], (7,)),
        ([(20,), (20,)], ["d1", "d1"], (5, 20)),
        ([(20,), ()], ["d1", ""], (5, 20)),
        ([(5,), (5,)], ["d2", "d2"], (2, 3, 5)),
    ],
)
def test_what_only_repeats_its_operands_is_for_the_host(
    operands: list[tuple[int, ...]], reads: list[str], shape: tuple[int, ...]
) -> None:
    (choice,) = said(run_against_numpy(repeated(operands, reads, shape)))
    assert choice.endswith("none of its operands has all dimensions of its result")


@pytest.mark.parametrize(("element", "length"), [("i8", 110), ("i32", 52)])
def test_long_chains(element: str, length: int) -> None:
    """More operations than one expression holds: i8 goes on from what is stored, i32 from what the host adds."""
    kind = tensor((1, 16), element)
    lines = ["#id = affine_map<(i, j) -> (i, j)>", f"func.func @f(%r0: {kind}) -> {kind} {{"]
    for number in range(1, length + 1):
        lines += [
            f"  %e{number} = tensor.empty() : {kind}",
            f"  %r{number} = linalg.generic {{indexing_maps = [#id, #id, #id], {iterators(2)}}}",
            f"    ins(%r{number - 1}, %r0 : {kind}, {kind}) outs(%e{number} : {kind}) {{",
            f"  ^bb0(%x: {element}, %y: {element}, %o: {element}):",
            f"    %s = arith.maxsi %x, %y : {element}",
            f"    linalg.yield %s : {element}",
            f"  }} -> {kind}",
        ]
    run_against_numpy("\n".join([*lines, f"  func.return %r{length} : {kind}", "}", ""]))
