"""Two regions are equal where they hold the same program, whatever it calls its values."""

from __future__ import annotations

import pytest
from small_function import ADDITION

from vtac.analysis.operations.equal_regions import are_equal
from vtac.text.source import parse


def equal(one: str, other: str) -> bool:
    (left,), (right,) = parse(one).ops, parse(other).ops
    return are_equal(left.regions[0], right.regions[0])


def test_names_and_places_do_not_count() -> None:
    assert equal(ADDITION, "\n\n" + ADDITION.replace("%c", "%constant").replace("%x", "%given"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ins(%x", "ins(%y"),
        ("constant 3", "constant 4"),
        ("addi %a, %c", "addi %c, %a"),
        ("arith.addi", "arith.maxsi"),
        ('iterator_types = ["parallel"]', 'iterator_types = ["parallel"], doc = "new"'),
        ("4xi32>", "8xi32>"),
        ("return %s", "return %x"),
        ("    %d = arith", "    %e0 = arith.constant 3 : i32\n    %d = arith"),
    ],
)
def test_any_other_difference_counts(old: str, new: str) -> None:
    assert old in ADDITION
    assert not equal(ADDITION, ADDITION.replace(old, new))


def test_types_of_results_count() -> None:
    """Also where no operand tells them."""
    short, long = (f"func.func @f() {{\n  %e = tensor.empty() : tensor<{size}xi32>\n  return\n}}" for size in (4, 8))
    assert equal(short, short)
    assert not equal(short, long)


def test_values_from_outside_are_themselves() -> None:
    (function,) = parse(ADDITION).ops
    generic = next(op for op in function.regions[0].block.ops if op.regions)
    assert are_equal(generic.regions[0], generic.clone().regions[0])
