"""Tensors in tiles whose blocks come in another order, and whose rows become other dimensions, stored in that order.

before: %y = packing.unpack %t ... order [0, 1]      after: %0 = packing.transpose %t permutation [1, 0, 2, 3]
        %i = packing.reshape %y                              %1 = packing.reshape %0
        %w = packing.pack %i ... order [0, 1, 2, 3]          %w = tensor.insert_slice %1 into %e ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from xdsl.dialects import tensor
from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.operations.reshapes import RESHAPES, reshape_groups
from vtac.analysis.types.strided_parts import Part
from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.packing import PackOp, ReshapeOp, TransposeTilesOp, UnpackOp
from vtac.dialects.packing.declared import ANY_FILL
from vtac.partition.moved_parts import like
from vtac.partition.tile_operations import Made
from vtac.partition.tile_slices import SlicedTiles


@dataclass
class PackOfMovedBlocks(RewritePattern):
    """What keeps its lanes is stored in the order in which it is read: rows become images, images rows, or are turned.

    Rows may become other dimensions where a tile holds one.
    """

    tiles: SlicedTiles

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        view = op.source.owner if isinstance(op.source.owner, RESHAPES) else None
        value = op.source if view is None else view.operands[0]
        plain = value.owner
        if not ANY_FILL.is_on(op) or not isinstance(plain, UnpackOp) or not _keeps_lanes(op, plain):
            return
        key = op.source, op.layout(), True
        if key not in self.tiles.made:
            made = _moved(plain, op)
            if made is None:
                return
            for one in made:
                one.location = plain.location
            made[-1].results[0].name_hint = op.result.name_hint
            self.tiles.made[key] = made[-1].results[0]
            rewriter.insert(made, InsertPoint.after(plain))
        rewriter.replace(op, [], [self.tiles.made[key]])


def _keeps_lanes(op: PackOp, plain: UnpackOp) -> bool:
    """Whether the same dimension lies in lanes, and tiles hold the same rows."""
    (dims, sizes, order), (before, low, layout) = op.layout(), plain.layout()
    if len(dims) != 2 or len(before) != 2 or sizes != low or (dims, order) == (before, layout):
        return False
    source, result = shape_of(plain.result), shape_of(op.source)
    if sizes[0] > 1:
        return source == result and dims == before
    for group in reshape_groups(source, result):
        if dims[1] in group.result or before[1] in group.source:
            long = [dim for dim in group.source if source[dim] > 1 or dim == before[1]]
            made = [dim for dim in group.result if result[dim] > 1 or dim == dims[1]]
            if long != [before[1]] or made != [dims[1]]:
                return False
    return True


def _moved(plain: UnpackOp, op: PackOp) -> Made | None:
    """Tiles put into a buffer in the order of a pack; None where the way there has no strides."""
    tile, (_, _, layout), (_, _, order) = shape_of(plain.source)[-2:], plain.layout(), op.layout()
    blocks = shape_of(op.result)
    first = [*(layout.index(dim) for dim in range(len(layout))), len(layout), len(layout) + 1]
    last = [*order, len(order), len(order) + 1]
    natural = [shape_of(plain.source)[dim] for dim in first]
    middle = [*(blocks[order.index(dim)] for dim in range(len(order))), *tile]
    if prod(natural) != prod(middle) or not _has_strides(op.result, blocks, last, natural):
        return None
    made = Made()
    value = _in_order(plain.source, first, made)
    if natural != middle:
        value = made.put(ReshapeOp(operands=[value], result_types=[like(value, middle)]))
    value = _in_order(value, last, made)
    empty = made.put(tensor.EmptyOp([], op.result.type))
    zeros, ones = [0] * len(blocks), [1] * len(blocks)
    made.put(tensor.InsertSliceOp.from_static_parameters(value, empty, zeros, list(blocks), ones))
    return made


def _in_order(value: SSAValue, order: Sequence[int], made: Made) -> SSAValue:
    return value if list(order) == sorted(order) else made.put(TransposeTilesOp.of(value, order))


def _has_strides(root: SSAValue, blocks: Sequence[int], last: Sequence[int], natural: Sequence[int]) -> bool:
    """Whether what is put into a buffer of `blocks` can be stored there."""
    back = [last.index(dim) for dim in range(len(last))]
    return Part.whole(root, blocks).permuted(back).reshaped(natural) is not None
