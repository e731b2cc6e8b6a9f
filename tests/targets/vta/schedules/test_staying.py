"""Chunks that stay on chip, against loading one after the other."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.targets.vta.schedules.staying import chunks_loaded
from vtac.targets.vta.schedules.tiled_contraction import InputDimension, TiledContraction
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.tilings import tilings_of

CONTRACTION = TiledContraction(
    "b", None, 0, (9, 9, 9), (False, True, False), 9, 0, (), (), (InputDimension(None, 1, None, 1, 9),), ()
)
few = st.integers(1, 5)


def loaded(counts: tuple[int, int, int], passes: int, inp: int, wgt: int) -> tuple[int, int]:
    """Loads of inputs and of weights where each pass takes the next copy of both, tile by tile, pass by pass.

    Each tile of the innermost loop begins as many passes later as leaves it what the one before loaded last.
    """
    outside, by_weight, inside = counts
    keeps_inputs = inside == 1 and (by_weight > 1 or outside == 1)
    kept = inp if keeps_inputs else wgt
    step = passes - kept if 1 < kept < passes else 0
    places: tuple[dict[int, tuple[int, ...]], dict[int, tuple[int, ...]]] = ({}, {})
    found = [0, 0]
    for number, (o, w, i, turn) in enumerate(product(range(outside), range(by_weight), range(inside), range(passes))):
        at = i if inside > 1 else w if by_weight > 1 else o
        channels = (step * at + turn) % passes
        for kind, (copies, chunk) in enumerate(((inp, (o, i, channels)), (wgt, (w, channels)))):
            found[kind] += places[kind].get(number % copies) != chunk
            places[kind][number % copies] = chunk
    return found[0], found[1]


@settings(max_examples=300)
@given(st.tuples(few, few, few), st.integers(1, 6), st.integers(1, 12), st.integers(1, 12))
def test_what_is_loaded_is_what_no_copy_holds(counts: tuple[int, int, int], passes: int, inp: int, wgt: int) -> None:
    tilings = tilings_of([Tiling((1, 1, 1), inp=inp, wgt=wgt, outside=1)], 3)
    columns = [np.array([count], np.int64) for count in counts]
    inputs, weights = chunks_loaded(CONTRACTION, tilings, columns, np.array([passes], np.int64))
    assert (int(inputs[0]), int(weights[0])) == loaded(counts, passes, inp, wgt)


def test_long_loops_are_counted_to_their_end() -> None:
    counts = [np.array([count], np.int64) for count in (1, 100, 100)]
    tilings = tilings_of([Tiling((1, 1, 1), inp=2, wgt=1)], 3)
    inputs, weights = chunks_loaded(CONTRACTION, tilings, counts, np.array([1], np.int64))
    assert (int(inputs[0]), int(weights[0])) == (100 * 100, 100)


@settings(max_examples=20)
@given(few, st.integers(2, 4))
def test_each_virtual_thread_has_copies_of_its_own(count: int, threads: int) -> None:
    """Tiles that run side by side load for themselves."""
    tilings = tilings_of([Tiling((1, 1, 1), inp=1, wgt=1, threads=threads)], 3)
    counts = [np.array([number], np.int64) for number in (1, 1, count * threads)]
    inputs, weights = chunks_loaded(CONTRACTION, tilings, counts, np.array([1], np.int64))
    assert (int(inputs[0]), int(weights[0])) == (count * threads, threads)
