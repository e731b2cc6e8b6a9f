"""Micro-ops of many kernels at once, against those of one after the other."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.targets.vta.schedules.room import NO_KERNEL, micro_op_counts
from vtac.targets.vta.schedules.tiled_contraction import InputDimension, TiledContraction
from vtac.targets.vta.schedules.tiling import Tiling, kernel_order
from vtac.targets.vta.schedules.tilings import tilings_of

extents = st.sampled_from([1, 1, 2, 3, 4, 14])


@settings(max_examples=200)
@given(st.data(), st.integers(1, 3), st.tuples(extents, extents))
def test_counts_are_those_of_the_shortest_kernels(data: st.DataObject, rank: int, window: tuple[int, int]) -> None:
    dimension = InputDimension(0, 1, None, 1, 4, shared=data.draw(st.sampled_from([1, 2, 4])))
    contraction = TiledContraction("b", None, 0, (14,) * rank, (False,) * rank, 4, 0, window, (1, 2), (dimension,), ())
    kernels = st.tuples(st.tuples(*(extents for _ in range(rank))), extents, st.booleans())
    tilings = [Tiling(tile, channels, taps=taps) for tile, channels, taps in data.draw(st.lists(kernels, min_size=1))]
    orders = [kernel_order(contraction, tiling) for tiling in tilings]
    expected = [NO_KERNEL if order is None else order[1] for order in orders]
    assert micro_op_counts(contraction, tilings_of(tilings, rank)).tolist() == expected


def test_a_kernel_that_would_write_a_tile_twice_in_a_row_is_none() -> None:
    """Two loops in hardware leave two window positions below, which write the same two tiles."""
    contraction = TiledContraction(
        "b", None, 0, (2,), (False,), 4, 0, (3, 3), (1, 2), (InputDimension(None, 1, None, 1, 4),), ()
    )
    assert micro_op_counts(contraction, tilings_of([Tiling((2,), 4)], 1)).tolist() == [NO_KERNEL]
