"""Scalar bodies that are said to rise with an argument do, for every pair of neighbouring numbers."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.ops import GenericOp

from vtac.analysis.values.rising import is_rising
from vtac.analysis.values.tensor_ranges import TensorRanges
from vtac.evaluate import evaluate
from vtac.text.source import parse

NUMBERS = np.arange(-70_000, 70_000, dtype=np.int32)
CONSTANTS = "".join(f"    %c{number} = arith.constant {number} : i32\n" for number in (0, 1, 3, 7, 8, 127, 100_000))


def text(body: str, element: str) -> str:
    """A function of one elementwise operation of numbers within +-70,000 and others of unknown size."""
    count = len(NUMBERS)
    tensor = f"tensor<{count}xi32>"
    bound = """    %lo = arith.constant -70000 : i32
    %hi = arith.constant 70000 : i32
    %above = arith.maxsi %x, %lo : i32
    %s = arith.minsi %above, %hi : i32
"""
    return f"""func.func @f(%given: {tensor}, %other: {tensor}) -> tensor<{count}x{element}> {{
  %e = tensor.empty() : tensor<{count}x{element}>
  %y = linalg.generic {{indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]}} ins(%given, %other : {tensor}, {tensor}) outs(%e : tensor<{count}x{element}>) {{
  ^bb0(%x: i32, %v: i32, %o: {element}):
{bound}{CONSTANTS}{body}
    linalg.yield %y : {element}
  }} -> tensor<{count}x{element}>
  func.return %y : tensor<{count}x{element}>
}}"""


def verdict(body: str, element: str = "i32") -> tuple[bool, bool]:
    """What the analysis says, and whether no result falls where the number rises, with another number of 20."""
    module = parse(text(body, element))
    function = next(op for op in module.ops if isinstance(op, FuncOp))
    generic = next(op for op in function.body.block.ops if isinstance(op, GenericOp))
    ranges = TensorRanges(function.body.block).scalars(generic)
    found = evaluate(module, NUMBERS, np.full_like(NUMBERS, 20))
    rises = isinstance(found, np.ndarray) and bool((np.diff(found.astype(np.int64)) >= 0).all())
    return is_rising(generic.body.block, generic.body.block.args[0], ranges), rises


HALF_TO_EVEN = """    %a = arith.addi %s, %c8 : i32
    %five = arith.constant 5 : i32
    %l = arith.shrsi %a, %five : i32
    %fifteen = arith.constant 15 : i32
    %b = arith.addi %a, %fifteen : i32
    %r = arith.shrsi %b, %five : i32
    %y = arith.addi %l, %r : i32"""
CLIPPED = """    %a = arith.shrsi %s, %c3 : i32
    %b = arith.maxsi %a, %c0 : i32
    %c = arith.minsi %b, %c127 : i32
    %y = arith.trunci %c : i32 to i8"""
BOUNDED = "    %w = arith.minsi %v, %c127 : i32\n    %u = arith.maxsi %w, %c0 : i32\n"


@pytest.mark.parametrize(
    ("body", "element"),
    [
        ("    %y = arith.addi %s, %c100000 : i32", "i32"),
        ("    %y = arith.shli %s, %c7 : i32", "i32"),
        (f"{BOUNDED}    %y = arith.addi %s, %u : i32", "i32"),
        ("    %y = arith.maxsi %s, %v : i32", "i32"),
        (HALF_TO_EVEN, "i32"),
        (CLIPPED, "i8"),
    ],
)
def test_what_rises(body: str, element: str) -> None:
    assert verdict(body, element) == (True, True)


@pytest.mark.parametrize(
    ("body", "element"),
    [
        ("    %y = arith.subi %c0, %s : i32", "i32"),
        ("    %y = arith.trunci %s : i32 to i8", "i8"),
        ("    %sixteen = arith.constant 16 : i32\n    %y = arith.shli %s, %sixteen : i32", "i32"),
        ("    %y = arith.muli %s, %s : i32", "i32"),
        ("    %y = arith.addi %v, %c1 : i32", "i32"),
        ("    %y = arith.addi %s, %v : i32", "i32"),
        ("    %y = arith.shrsi %s, %v : i32", "i32"),
    ],
)
def test_what_is_not_known_to(body: str, element: str) -> None:
    """It falls, wraps, may wrap, or does not depend on the number."""
    assert not verdict(body, element)[0]
