"""What results need of a contraction and of regions, against counting all of it step by step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.targets.vta.schedules.roof import Needed
from vtac.targets.vta.schedules.tile_regions import Side, tiles_of
from vtac.targets.vta.schedules.tiled_contraction import InputDimension, TiledContraction

numbers = st.integers(1, 4)


@st.composite
def contractions(draw: st.DrawFn, shared: bool = True) -> tuple[TiledContraction, tuple[int, ...]]:
    """Two outer loops and two of a window, read along two dimensions; behind them windows, with gaps or not."""
    extents = draw(st.tuples(numbers, numbers))
    window = draw(st.tuples(numbers, numbers))
    sides: list[Side] = []
    whole: list[int] = []
    for number, extent in enumerate(extents):
        stride, reach = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        offsets = draw(st.sets(st.integers(0, reach - 1), min_size=1))
        size = (extent - 1) * stride + reach
        sides.append(Side(number, stride, reach, size, tuple(sorted(offsets))))
        whole.append(size)
    dimensions: list[InputDimension] = []
    for number in (0, 1):
        loop = draw(st.integers(0, 1)) if shared else number
        position = draw(st.integers(0, 1)) if shared else number
        steps = draw(st.integers(1, 2)), draw(st.integers(1, 2))
        dimensions.append(
            InputDimension(
                loop, steps[0], position, steps[1], draw(st.integers(1, 9)), draw(numbers) - 1, draw(st.integers(1, 3))
            )
        )
    channels = InputDimension(None, 1, None, 1, 2)
    found = TiledContraction(
        "b", None, 0, tuple(whole), (False, False), 2, 0, window, (1, 2), (*dimensions, channels), tuple(sides)
    )
    return found, extents


def steps_of(found: TiledContraction, extents: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Outer indices that some result needs, each with every position of the window."""
    outer = [sorted(side.touched(extents)) for side in found.region]
    yield from product(product(*outer), product(*map(range, found.window)))


def indices_of(found: TiledContraction, outer: tuple[int, ...], at: tuple[int, ...]) -> tuple[int, ...] | None:
    """The place of the input that a step reads; None for padding."""
    moving = found.dimensions[:2]
    place = tuple(d.index(outer[d.spatial or 0], at[d.window or 0]) for d in moving)
    return place if all(0 <= index < d.size for index, d in zip(place, moving, strict=True)) else None


@settings(max_examples=150)
@given(contractions())
def test_nothing_is_counted_that_is_not_needed(given_: tuple[TiledContraction, tuple[int, ...]]) -> None:
    found, extents = given_
    needed = Needed(found, extents)
    steps = list(steps_of(found, extents))
    inside = [(outer, at) for outer, at in steps if indices_of(found, outer, at) is not None]
    assert needed.outputs <= len({outer for outer, _ in steps})
    assert needed.inputs <= 2 * len({indices_of(found, outer, at) for outer, at in inside})
    assert needed.positions <= len({at for _, at in inside})


@settings(max_examples=150)
@given(contractions(shared=False))
def test_where_no_loop_moves_two_dimensions_everything_is_exact(
    given_: tuple[TiledContraction, tuple[int, ...]],
) -> None:
    found, extents = given_
    needed = Needed(found, extents)
    steps = list(steps_of(found, extents))
    inside = [(outer, at) for outer, at in steps if indices_of(found, outer, at) is not None]
    assert needed.outputs == len({outer for outer, _ in steps})
    assert needed.products == 2 * len(inside)
    assert needed.inputs == 2 * len({indices_of(found, outer, at) for outer, at in inside})
    assert needed.positions == len({at for _, at in inside})


@settings(max_examples=100)
@given(contractions())
def test_products_are_none_too_many(given_: tuple[TiledContraction, tuple[int, ...]]) -> None:
    found, extents = given_
    inside = [one for one in steps_of(found, extents) if indices_of(found, *one) is not None]
    assert Needed(found, extents).products <= 2 * len(inside)


def test_a_diagonal_is_as_long_as_it_is() -> None:
    side = Side(0, 1, 1, 6, (0,))
    assert tiles_of((side, side), (6,)) == 6
    assert tiles_of((side, Side(1, 1, 1, 6, (0,))), (6, 6)) == 36
    assert tiles_of((side, Side(0, 1, 2, 7, (0, 1)), Side(None, 1, 1, 3, (0,))), (6,)) == 12


@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.sets(st.integers(0, 3), min_size=1))
def test_regions_are_counted_place_by_place(along: int, one: int, two: int, offsets: set[int]) -> None:
    sides = Side(0, one, 1, 9, (0,)), Side(0, two, max(offsets) + 1, 7, tuple(sorted(offsets)))
    places = {(i * one, i * two + o) for i in range(along) for o in offsets if i * one < 9 and i * two + o < 7}
    assert tiles_of(sides, (along,)) == len(places)
