"""Which chunks of a contraction are loaded: those whose place holds them already stay.

A buffer with copies uses them in turn, so that a chunk stays where the one that was loaded as many chunks before as
there are copies is the same. Tiles are counted by three digits: loops outside of those that select weights, these,
and loops inside of them; a step back of so many tiles borrows from the digit before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from vtac.targets.vta.schedules.tiled_contraction import TiledContraction
from vtac.targets.vta.schedules.tilings import Column, Tilings


class _Nest(NamedTuple):
    """Tiles along the loops outside of those that select weights, along these, and along those inside; passes over the
    channels; and how many passes later each tile of the innermost loop begins."""

    outside: Column
    by_weight: Column
    inside: Column
    passes: Column
    step: Column


def chunks_loaded(
    contraction: TiledContraction, tilings: Tilings, counts: Sequence[Column], passes: Column
) -> tuple[Column, Column]:
    """Chunks of input and of weights that are loaded, given what stays on chip."""
    outside, by_weight, inside = _nests(contraction, tilings, counts)
    kept = np.where(inside == 1, tilings.inp, tilings.wgt)
    step = np.where((kept > 1) & (kept < passes) & (tilings.threads == 1), passes - kept, 0)
    nest = _Nest(outside, by_weight, inside, passes, step)
    total = outside * by_weight * inside * passes
    inputs = total - _stay(nest, tilings.inp, _same_inputs)
    weights = total - _stay(nest, tilings.wgt, _same_weights)
    return inputs * tilings.threads, weights * tilings.threads


def chunks_shared(contraction: TiledContraction, tilings: Tilings, counts: Sequence[Column], passes: Column) -> Column:
    """How many tiles in a row read one chunk of input: single results of a group, which one copy of it serves."""
    _, _, inside = _nests(contraction, tilings, counts)
    found = np.ones(len(tilings), np.int64)
    for size, share in zip(tilings.tile, contraction.shares, strict=True):
        found = found * np.where(size == 1, share, 1)
    return np.where((inside == 1) & (tilings.inp == 1) & (passes == 1), found, 1)


def _nests(contraction: TiledContraction, tilings: Tilings, counts: Sequence[Column]) -> tuple[Column, Column, Column]:
    """Tiles of the loops outside of those that select weights, of these, and of those inside; of each virtual thread.

    Where one of the loops alone has several tiles, it counts as innermost.
    """
    one = np.ones(len(tilings), np.int64)
    outside, by_weight, inside, moving = one, one, one, 0
    for count, weight in zip(counts, contraction.by_weight, strict=True):
        if weight:
            by_weight = by_weight * count
            continue
        is_out = tilings.weights_inside | (tilings.outside >> moving & 1 > 0)
        outside, inside = np.where(is_out, outside * count, outside), np.where(is_out, inside, inside * count)
        moving += 1
    inside, outside = np.where(by_weight == 1, inside * outside, inside), np.where(by_weight == 1, 1, outside)
    parts, is_last = tilings.threads, inside > 1
    by_weight = np.where(is_last | (by_weight == 1), by_weight, -(-by_weight // parts))
    return outside, by_weight, np.where(is_last, -(-inside // parts), inside)


def _stay(nest: _Nest, copies: Column, same: Callable[[_Nest, Column, Column], Column]) -> Column:
    """Chunks that are not loaded: `copies` chunks before is so many tiles and `rest` passes before, or a tile more."""
    tiles, rest = copies // nest.passes, copies % nest.passes
    return (nest.passes - rest) * same(nest, tiles, rest) + rest * same(nest, tiles + 1, rest)


def _same_weights(nest: _Nest, back: Column, rest: Column) -> Column:
    """Tiles that select the weights of the tile so many before, at passes that are `rest` apart."""
    around, inner = back // nest.inside, back % nest.inside
    found = np.zeros_like(back)
    for borrowed, number in ((0, nest.inside - inner), (1, inner)):
        pairs = np.maximum(0, nest.outside * nest.by_weight - around - borrowed)
        turned = np.where(nest.inside > 1, inner - borrowed * nest.inside, 0)
        is_same = ((around + borrowed) % nest.by_weight == 0) & ((nest.step * turned + rest) % nest.passes == 0)
        found = found + np.where(is_same, number * pairs, 0)
    return found


def _same_inputs(nest: _Nest, back: Column, rest: Column) -> Column:
    """Tiles that read the inputs of the tile so many before, at passes that are `rest` apart."""
    around = back // nest.inside
    turned = np.where(nest.inside > 1, 0, around)
    is_same = (back % nest.inside == 0) & ((nest.step * turned + rest) % nest.passes == 0)
    return np.where(is_same, nest.inside * nest.outside * np.maximum(0, nest.by_weight - around), 0)
