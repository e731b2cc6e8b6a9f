"""Parts of buffers are numpy's views: slices, reshapes without a copy, and whether two slices meet."""

from __future__ import annotations

from math import prod

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import TensorType, i8
from xdsl.dialects.tensor import EmptyOp

from vtac.analysis.types.strided_parts import Part, reshaped_strides, row_major
from vtac.analysis.types.tile_slices import Slice, slice_in_tiles
from vtac.evaluate.host import packed
from vtac.evaluate.numbers import Array


@st.composite
def slices(draw: st.DrawFn, shape: tuple[int, ...]) -> Slice:
    found: list[tuple[int, int, int]] = []
    for extent in shape:
        offset, step = draw(st.integers(0, extent - 1)), draw(st.integers(1, 3))
        found.append((offset, draw(st.integers(1, 1 + (extent - 1 - offset) // step)), step))
    offsets, sizes, steps = zip(*found, strict=True)
    return Slice(offsets, sizes, steps)


def _taken(array: Array, part: Slice) -> Array:
    runs = zip(part.offsets, part.sizes, part.strides, strict=True)
    return array[tuple(slice(offset, offset + (size - 1) * step + 1, step) for offset, size, step in runs)]


def _read(flat: Array, part: Part) -> Array:
    strides = [stride * flat.itemsize for stride in part.strides]
    return np.lib.stride_tricks.as_strided(flat[part.offset :], part.shape, strides)


SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


@given(SHAPES, st.data())
def test_a_slice_of_a_slice_is_where_numpy_has_it(shape: tuple[int, ...], data: st.DataObject) -> None:
    array = np.arange(prod(shape))
    first = data.draw(slices(shape))
    second = data.draw(slices(first.sizes))
    part = Part.whole(EmptyOp([], TensorType(i8, shape)).tensor, shape).cut(first).cut(second)
    np.testing.assert_array_equal(_read(array, part), _taken(_taken(array.reshape(shape), first), second))


@given(SHAPES, st.data())
def test_a_reshape_has_strides_where_numpy_needs_no_copy(shape: tuple[int, ...], data: st.DataObject) -> None:
    array = np.arange(prod(shape)).reshape(shape)
    view = _taken(array, data.draw(slices(shape)))
    factors = [factor for extent in view.shape for factor in _factors(extent)]
    new = data.draw(st.permutations(factors))
    strides = [stride // array.itemsize for stride in view.strides]
    found = reshaped_strides(view.shape, strides, new)
    copied = not np.shares_memory(view.reshape(new), array)
    assert (found is None) == copied
    if found is not None:
        whole = Part(EmptyOp([], TensorType(i8, shape)).tensor, 0, tuple(new), found)
        start = int(view.reshape(-1)[0])
        np.testing.assert_array_equal(_read(array.reshape(-1)[start:], whole), view.reshape(new))


def _factors(extent: int) -> list[int]:
    return {1: [1], 2: [2], 3: [3], 4: [2, 2]}[extent]


@given(SHAPES, st.data())
def test_slices_meet_where_they_have_an_element_in_common(shape: tuple[int, ...], data: st.DataObject) -> None:
    one, other = data.draw(slices(shape)), data.draw(slices(shape))
    array = np.arange(prod(shape)).reshape(shape)
    assert one.meets(other) == bool(np.intersect1d(_taken(array, one), _taken(array, other)).size)


@given(st.integers(1, 3), st.integers(0, 4), st.integers(1, 50), st.integers(1, 3))
def test_a_slice_between_tiles_is_one_of_the_packed_tensor(rows: int, first: int, size: int, step: int) -> None:
    whole, layout = (3, 70, 5), ((0, 1), (1, 16), (0, 1, 2))
    size = min(size, 70 - 16 * first)
    part = Slice((0, 16 * first, 1), (rows, size, 1 + 3 // step), (1, 1, step))
    found = slice_in_tiles(part, whole, layout)
    if size % 16 and 16 * first + size != 70:
        assert found == (
            "cut dimension 1 at multiples of 16, as many as a tile holds, in steps of 1: it is cut at "
            f"{16 * first} and {16 * first + size} in steps of 1"
        )
        return
    assert isinstance(found, Slice)
    array = np.arange(prod(whole), dtype=np.int32).reshape(whole)
    np.testing.assert_array_equal(_taken(packed(array, *layout), found), packed(_taken(array, part), *layout))


def test_parts_in_order_are_row_major() -> None:
    part = Part.whole(EmptyOp([], TensorType(i8, [1, 4, 3])).tensor, (1, 4, 3))
    assert part.cut(Slice((0, 1, 0), (1, 2, 3), (1, 1, 1))).is_row_major
    assert not part.cut(Slice((0, 1, 0), (1, 2, 2), (1, 1, 1))).is_row_major
    assert row_major((2, 3, 4)) == (12, 4, 1)
