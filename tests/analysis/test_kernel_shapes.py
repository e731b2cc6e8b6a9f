"""Micro-op loops in an order in which no destination comes again within three: told by how loops move on."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import permutations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.vta.kernel_shapes import KernelLoop, KernelShape, with_distinct_neighbours
from vtac.dialects.schedule.payload import ForOp

LOOPS = st.lists(st.tuples(st.integers(2, 4), st.integers(-3, 6)), max_size=4)


def shape_of(loops: list[tuple[int, int]]) -> KernelShape:
    """A kernel whose destinations are sums over loops, each an (extent, factor)."""
    made = [KernelLoop(ForOp.get(extent, f"i{position}"), extent) for position, (extent, _) in enumerate(loops)]
    terms: dict[Hashable, int] = {
        loop.variable: factor for loop, (_, factor) in zip(made, loops, strict=True) if factor
    }
    return KernelShape((), tuple(made), (Linear(5, terms),), ())


def is_distinct(shape: KernelShape, order: tuple[KernelLoop, ...]) -> bool:
    """Whether no destination is one of the two before it, point by point."""
    index = shape.indices[0]
    points = product(*(range(loop.extent) for loop in order))
    found = [
        sum(index.coefficient(loop.variable) * value for loop, value in zip(order, point, strict=True))
        for point in points
    ]
    return all(dst not in found[max(0, place - 2) : place] for place, dst in enumerate(found))


@given(LOOPS)
@settings(max_examples=300)
def test_the_first_order_that_is_distinct_point_by_point(loops: list[tuple[int, int]]) -> None:
    shape = shape_of(loops)
    wanted = next((order for order in permutations(shape.micro) if is_distinct(shape, order)), None)
    found = with_distinct_neighbours(shape)
    assert (None if found is None else found.micro) == wanted


def test_indices_that_divide_are_told_point_by_point() -> None:
    shape = shape_of([(4, 1)])
    (loop,) = shape.micro
    half = Linear.variable(loop.variable).floor_divide(2, {loop.variable: 4})
    assert with_distinct_neighbours(shape) == shape
    halves = KernelShape((), (loop,), (half,), ())
    assert with_distinct_neighbours(halves) is None
