"""Tensors cut into tiles and put together again, and windows laid side by side: strided copies of numpy.

Where the elements of a tile's last dimension lie side by side in both arrays, they are copied as one element
of so many bytes, which is several times faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import as_strided

from vtac.dialects.packing.folding import Folding
from vtac.evaluate.numbers import Array


def packed(array: Array, dims: Sequence[int], tiles: Sequence[int], order: Sequence[int]) -> Array:
    """Cut dimensions `dims` into `tiles`, filling with zeros; outer dimensions in `order`, then the tile."""
    size = dict(zip(dims, tiles, strict=True))
    outer = [-(-extent // size.get(dim, 1)) for dim, extent in enumerate(array.shape)]
    shape = [*(outer[dim] for dim in order), *tiles]
    is_filled = all(array.shape[dim] % tile == 0 for dim, tile in size.items())
    result = np.empty(shape, array.dtype) if is_filled else np.zeros(shape, array.dtype)
    parts = [_parts(array.shape[dim], tile) for dim, tile in size.items()]
    for chosen in product(*parts):
        taken = [slice(None)] * array.ndim
        tiles_of, lanes_of = [slice(None)] * array.ndim, list[slice]()
        for dim, (at, outside, inside) in zip(dims, chosen, strict=True):
            taken[dim], tiles_of[dim] = at, outside
            lanes_of.append(inside)
        target = result[(*(tiles_of[dim] for dim in order), *lanes_of)]
        _copy(_tiled(array[tuple(taken)], dims, target.shape[len(order) :], order), target)
    return result


def _parts(extent: int, tile: int) -> list[tuple[slice, slice, slice]]:
    """What of a dimension fills tiles, and what is left: where it lies, which tiles it is in, and where in them."""
    whole, rest = divmod(extent, tile)
    found = [(slice(0, whole * tile), slice(0, whole), slice(None))] if whole else []
    if rest:
        found.append((slice(whole * tile, extent), slice(whole, whole + 1), slice(0, rest)))
    return found


def _tiled(array: Array, dims: Sequence[int], tiles: Sequence[int], order: Sequence[int]) -> Array:
    """A view of an array whose dimensions consist of whole tiles, in tiles."""
    size = dict(zip(dims, tiles, strict=True))
    split: list[int] = []
    outer: list[int] = []
    inner: dict[int, int] = {}
    for dim, extent in enumerate(array.shape):
        outer.append(len(split))
        tile = size.get(dim)
        split += [extent] if tile is None else [extent // tile, tile]
        if tile is not None:
            inner[dim] = len(split) - 1
    return array.reshape(split).transpose([*(outer[dim] for dim in order), *(inner[dim] for dim in dims)])


def _copy(source: Array, target: Array) -> None:
    """Copy elements; those along the last dimension at once where they lie side by side."""
    step = source.itemsize
    if source.dtype.hasobject or not source.ndim:
        target[...] = source
        return
    if source.shape[-1] > 1 and source.strides[-1] == target.strides[-1] == step:
        run = np.dtype((np.void, step * source.shape[-1]))
        source, target = source.view(run), target.view(run)
    target[...] = source


def unpacked(
    array: Array, shape: Sequence[int], dims: Sequence[int], tiles: Sequence[int], order: Sequence[int]
) -> Array:
    """The inverse of `packed`, cropped to `shape`."""
    rank = len(shape)
    axes: list[int] = []
    whole: list[int] = []
    for dim in range(rank):
        place = list(order).index(dim)
        axes.append(place)
        extent = array.shape[place]
        if dim in dims:
            position = list(dims).index(dim)
            axes.append(rank + position)
            extent *= tiles[position]
        whole.append(extent)
    plain = array.transpose(axes).reshape(whole)
    return np.array(plain[tuple(slice(extent) for extent in shape)], order="C")


def folded(array: Array, order: Sequence[int], extents: Sequence[int], folding: Folding) -> Array:
    """Places of windows as channels, (rows, extents, places and channels), zeros outside; see `packing.fold`."""
    reach = [
        (extent - 1) * stride + (places - 1) * dilation + 1
        for extent, stride, places, dilation in zip(
            extents, folding.strides, folding.window, folding.dilations, strict=True
        )
    ]
    image = _surrounded(array.transpose([order[0], *order[2:], order[1]]), reach, folding.low)
    rows, _, _, channels = image.shape
    (height, width), (by_row, by_column) = folding.window, folding.dilations
    run = width if by_column == 1 else 1
    shape = (rows, *extents, height, width // run)
    row, line, column, _ = image.strides
    strides = (row, line * folding.strides[0], column * folding.strides[1], line * by_row, column * by_column)
    whole = (rows, *extents, height * width * channels)
    if image.dtype.hasobject:
        windows = as_strided(image, (*shape, channels * run), (*strides, image.itemsize))
        return np.ascontiguousarray(windows).reshape(whole)
    element = np.dtype((np.void, image.itemsize * channels * run))
    windows = np.ndarray(shape, element, image, 0, strides)
    return np.ascontiguousarray(windows).view(array.dtype).reshape(whole)


def _surrounded(image: Array, reach: Sequence[int], low: Sequence[int]) -> Array:
    """An image of `reach` rows and columns, channels last, which starts `low` before that given; zeros around it."""
    inside = [min(size, end - start) for size, end, start in zip(image.shape[1:3], reach, low, strict=True)]
    if (*low, *image.shape[1:3]) == (0, 0, *reach) and image.flags.c_contiguous:
        return image
    found = np.zeros((image.shape[0], *reach, image.shape[3]), image.dtype)
    if min(inside) > 0:
        top, left = low
        height, width = inside
        target, source = found[:, top : top + height, left : left + width], image[:, :height, :width]
        if source.strides[3] == source.itemsize:
            target[...] = source
            return found
        for channel in range(image.shape[3]):
            target[..., channel] = source[..., channel]
    return found
