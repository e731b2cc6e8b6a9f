"""Parts of expressions that go through memory as signed bytes, and come back as sums of i8 elements.

x is s + 256 * y, where s are its low 8 bits with their sign, and y is (x + 128) >> 8; also
where the addition wraps, as the sum then wraps back.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

from xdsl.dialects.builtin import i32

from vtac.partition.alu_trees import Number, Step, Tree
from vtac.partition.expressions import Apply, Element, Expression, Literal, substituted
from vtac.partition.graph import accumulators


def part_around(expression: Expression, found: Element) -> Expression:
    """The largest i32 part that holds a convolution's result, everywhere it is read, and no other's."""
    part: Expression = expression
    while part != found:
        part = next(argument for argument in cast(Apply, part).arguments if found in accumulators(argument))
        rest = substituted(expression, partial(_without, part))
        if part.kind == i32 and accumulators(part) == [found] and found not in accumulators(rest):
            return part
    return found


def _without(part: Expression, expression: Expression) -> Expression | None:
    return Literal(0, i32) if expression == part else None


def planes_of(tree: Tree, number: Number) -> list[Tree]:
    """What has the planes of a number as its low 8 bits, lowest first: as many as its bounds need."""
    planes = [tree]
    while len(planes) < 4 and not number.within(*_byte_range(len(planes))):
        planes.append(Step("shr", Step("add", planes[-1], 128), 8))
    return planes


def sum_of_planes(planes: Sequence[Element]) -> Expression:
    """The number whose planes these are, lowest first."""
    *lower, highest = planes
    total = Apply("arith.extsi", (highest,), i32)
    for plane in reversed(lower):
        shifted = Apply("arith.shli", (total, Literal(8, i32)), i32)
        total = Apply("arith.addi", (shifted, Apply("arith.extsi", (plane,), i32)), i32)
    return total


def _byte_range(planes: int) -> tuple[int, int]:
    """What a number of signed bytes can hold."""
    ones = ((1 << (8 * planes)) - 1) // 255
    return -128 * ones, 127 * ones
