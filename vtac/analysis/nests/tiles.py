"""Buffers seen as rows of hardware tiles, strides and offsets in tiles; and perfect nests around one block."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import prod

from vtac.analysis.expressions.linear import Extents, Linear
from vtac.analysis.nests.bodies import is_copy
from vtac.analysis.nests.nest import buffer_name, scope_of, shape_of, strides_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.payload import BlockOp, ForOp


def tile_shape(config: VTAConfig, memory: str) -> tuple[int, int]:
    """Rows and columns of one tile of a memory (`inp`, `wgt`, `acc` or `out`)."""
    if memory == "wgt":
        return config.block_out, config.block_in
    return config.batch, config.block_in if memory == "inp" else config.block_out


def flat_index(indices: Sequence[Linear], shape: Sequence[int]) -> Linear:
    """Row-major flat index, in scalars."""
    total = Linear(0)
    for position, index in enumerate(indices):
        total = total + index * prod(shape[position + 1 :])
    return total


def strided_index(indices: Sequence[Linear], strides: Sequence[int]) -> Linear:
    """Offset in elements of a buffer with those strides."""
    total = Linear(0)
    for index, stride in zip(indices, strides, strict=True):
        total = total + index * stride
    return total


def tile_access(
    block: BlockOp, position: int, indices: Sequence[Linear], inner: Sequence[ForOp], tile: tuple[int, int]
) -> tuple[Linear, list[ForOp]] | str:
    """(flat tile index without the loops inside a tile, those loops); or why there are no whole tiles.

    The access is at `indices` over loop variables. The loops inside a tile must run over its `rows x columns` scalars
    in order.
    """
    buffer = block.buffers[position]
    shape = shape_of(buffer)
    scalars = tile[0] * tile[1]
    name = f"'{buffer_name(buffer)}'"
    if len(shape) < 2 or tuple(shape[-2:]) != tile:
        return f"expected {name} to end in a {tile[0]} x {tile[1]} tile, found shape {'x'.join(map(str, shape))}"
    flat = strided_index(indices, strides_of(buffer))
    within: list[ForOp] = []
    covered = 1
    for loop in reversed(inner):
        stride = flat.coefficient(loop.induction_variable)
        if loop.trip_count > 1 and covered < scalars and stride == covered:
            within.insert(0, loop)
            covered *= loop.trip_count
    if covered != scalars:
        return (
            f"expected loops over the {tile[0]} x {tile[1]} scalars of a tile of {name} inside, found {covered} of them"
        )
    for loop in within:
        flat = flat.without(loop.induction_variable)
    index = divide_exactly(flat, scalars)
    if index is None:
        return f"expected {name} to be accessed in whole tiles of {scalars} scalars, found offset {flat.constant}"
    return index, within


def divide_exactly(expression: Linear, divisor: int) -> Linear | None:
    """expression / divisor when every term divides; None otherwise."""
    if expression.constant % divisor or any(factor % divisor for factor in expression.terms.values()):
        return None
    terms: dict[Hashable, int] = {atom: factor // divisor for atom, factor in expression.terms.items()}
    return Linear(expression.constant // divisor, terms)


def divide_tiles(index: Linear, size: int, step: int, extents: Extents) -> Linear | None:
    """The number of the tile that starts at an index, of tiles of every `step`-th of `size` * `step` elements.

    Such tiles lie interleaved: the first of `step` of them starts at element 0, the second at 1. None where the index
    is not known to be the start of one.
    """
    whole: dict[Hashable, int] = {}
    first = Linear(index.constant % (size * step))
    for atom, factor in index.terms.items():
        if factor % (size * step):
            first += Linear(0, {atom: factor})
        else:
            whole[atom] = factor // size
    lowest, highest = first.bounds(extents)
    if lowest < 0 or highest >= step:
        return None
    return first + Linear(index.constant // (size * step) * step, whole)


def perfect_nest(loop: ForOp) -> tuple[list[ForOp], BlockOp] | None:
    """The loops from `loop` down to the one block they hold; None when there is more."""
    nest = match_nest(loop)
    return None if isinstance(nest, str) else nest


def match_nest(loop: ForOp) -> tuple[list[ForOp], BlockOp] | str:
    """The loops from `loop` down to the one block they hold; or what they hold instead."""
    loops = [loop]
    while True:
        first = loops[-1].body.block.first_op
        if first is None or first is not loops[-1].body.block.last_op:
            return f"expected a perfect nest, loop '{loops[-1].loop_name}' holds several statements"
        if isinstance(first, BlockOp):
            return loops, first
        if not isinstance(first, ForOp):
            return f"expected a block inside, found {first.name}"
        loops.append(first)


def match_copy(loop: ForOp, source: str, target: str) -> tuple[list[ForOp], BlockOp] | str:
    """The loops and the block of a perfect nest that copies from one scope to another; or why it is none."""
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    block = nest[1]
    if not is_copy(block):
        return f"block '{block.block_name}' computes; a plain copy is required"
    found = scope_of(block.inputs[0]), scope_of(block.output)
    if found != (source, target):
        return f"it copies from {found[0]} to {found[1]} memory; from {source} to {target} is required"
    return nest
