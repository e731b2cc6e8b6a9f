"""Tensors in tiles as weight tiles, of more rows each, and with their outer dimensions in another order.

before: %y = packing.unpack %t ... tiles [1, 16]     after: %0 = packing.transpose %t permutation [1, 0, 2, 3]
        %w = packing.pack %y ... tiles [16, 16]             %1 = tensor.insert_slice %0 into %e[0, 0, 0, 0] ...
                                                            %2 = packing.reshape %1
                                                            %w = packing.transpose %2 permutation [1, 0, 2, 3]
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import tensor
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing import PackOp, ReshapeOp, TransposeTilesOp, UnpackOp, UnspecifiedOp
from vtac.dialects.packing.declared import ANY_FILL
from vtac.partition.tile_operations import Made
from vtac.partition.tile_slices import MOVES, SlicedTiles


def is_from_tiles(value: SSAValue) -> bool:
    """Whether a tensor is what a device function stores, or cut out of that, or joined of such."""
    op = value.owner
    if isinstance(op, MOVES):
        return any(is_from_tiles(operand) for operand in op.operands)
    return isinstance(op, UnpackOp)


@dataclass
class PackOfTallerTiles(RewritePattern):
    """Neighbouring rows of tiles are the rows of taller ones, where tiles of the same lanes lie behind one another.

    The rows that the last of them lacks may hold anything, which the pack has to allow. Nothing moves: the first
    tensor is stored in the order of the second, as place-tensors plans.
    """

    tiles: SlicedTiles

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        plain = op.source.owner
        if not ANY_FILL.is_on(op) or not isinstance(plain, UnpackOp) or len(shape_of(op.source)) != 2:
            return
        (dims, tall, order), (before, low, layout) = op.layout(), plain.layout()
        if dims != before or len(dims) != 2 or tall[1] != low[1] or tall[0] % low[0]:
            return
        if (tall, order) == (low, layout):
            return
        key = op.source, op.layout(), True
        if key not in self.tiles.made:
            made = _taller(plain.source, tall[0], layout == dims, order == dims)
            for one in made:
                one.location = plain.location
            made[-1].results[0].name_hint = op.result.name_hint
            self.tiles.made[key] = made[-1].results[0]
            rewriter.insert(made, InsertPoint.after(plain))
        rewriter.replace(op, [], [self.tiles.made[key]])


def _taller(value: SSAValue, height: int, rows_first: bool, wanted_first: bool) -> list[Operation]:
    """Tiles of `height` rows each; rows come before lanes in the source's outer dimensions, and in the result's."""
    made, element = Made(), element_of(value)
    if rows_first:
        value = made.put(TransposeTilesOp.of(value, (1, 0, 2, 3)), value.name_hint)
    lanes, rows, low, width = shape_of(value)
    blocks = -(-rows * low // height)
    # Put into a buffer of its own even if it fills that, so that it is stored in this order.
    whole: TensorType[Attribute] = TensorType(element, [lanes, blocks * height // low, low, width])
    is_whole = blocks * height == rows * low
    empty = made.put(tensor.EmptyOp([], whole) if is_whole else UnspecifiedOp(result_types=[whole]))
    zeros, ones = [0] * 4, [1] * 4
    value = made.put(tensor.InsertSliceOp.from_static_parameters(value, empty, zeros, [lanes, rows, low, width], ones))
    if height != low:
        kind = TensorType(element, [lanes, blocks, height, width])
        value = made.put(ReshapeOp(operands=[value], result_types=[kind]))
    if wanted_first:
        made.put(TransposeTilesOp.of(value, (1, 0, 2, 3)))
    return made
