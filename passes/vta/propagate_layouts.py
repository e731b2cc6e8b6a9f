"""propagate-layouts: what is unpacked only to be packed again stays in tiles.

before: %y = packing.unpack %t ...      after: func.call @net_1(%t)
        %0 = packing.pack %y ...
        func.call @net_1(%0)
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.linalg.ops import BroadcastOp
from xdsl.dialects.tensor import ConcatOp, EmptyOp, ExtractSliceOp, InsertSliceOp, PadOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.operations.reshapes import RESHAPES, Reshape
from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.packing import JoinOp, PackOp, ReshapeOp, TransposeTilesOp, UnpackOp, UnspecifiedOp
from vtac.dialects.packing.declared import ANY_FILL
from vtac.dialects.packing.layout import PackOfUnpack, ReshapeOfReshape, UnpackOfPack
from vtac.partition.flat_images import layout_of_view
from vtac.partition.moved_blocks import PackOfMovedBlocks
from vtac.partition.taller_tiles import PackOfTallerTiles
from vtac.partition.tile_slices import PackOfInsertion, PackOfJoin, PackOfPad, PackOfSlice, SlicedTiles
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_greedily, rewrite_once

_UNREAD = (
    PackOp,
    UnpackOp,
    BroadcastOp,
    EmptyOp,
    UnspecifiedOp,
    ConcatOp,
    JoinOp,
    InsertSliceOp,
    ExtractSliceOp,
    PadOp,
    TransposeTilesOp,
    *RESHAPES,
)
"""What is gone when nothing reads it any more."""


class PackOfTiles(RewritePattern):
    """What is unpacked and packed again, where nothing depends on the fill of incomplete tiles, is as it was."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        plain = op.source.owner
        if not ANY_FILL.is_on(op) or not isinstance(plain, UnpackOp):
            return
        if plain.layout() == op.layout() and plain.source.type == op.result.type:
            rewriter.replace(op, [], [plain.source])


class PackOfView(RewritePattern):
    """Tiles of a reshape that only adds or drops dimensions of extent 1 are a reshape of tiles."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        view = op.source.owner
        if not ANY_FILL.is_on(op) or not isinstance(view, RESHAPES):
            return
        plain = view.operands[0].owner
        if not isinstance(plain, UnpackOp):
            return
        dims, tiles, order = op.layout()
        before, sizes, layout = plain.layout()
        if tiles != sizes or len(dims) != 2 or dims != order[:2] or before != layout[:2]:
            return
        if layout_of_view(shape_of(plain.result), shape_of(op.source), order, layout):
            new = ReshapeOp(operands=[plain.source], result_types=[op.result.type])
            new.result.name_hint = op.source.name_hint
            rewriter.replace(op, new)


class PackOfOrdered(RewritePattern):
    """Tiles of images whose features come in the order of tiles are a reshape of the tiles of rows."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        ordered = op.source.owner
        if not isinstance(ordered, UnpackOp) or not isinstance(ordered.source.owner, RESHAPES):
            return
        rows = ordered.source.owner.operands[0].owner
        (dims, tiles, order), (channels, block, before) = op.layout(), ordered.layout()
        if not isinstance(rows, UnpackOp) or rows.layout() != ((0, 1), tiles, (0, 1)) or order != before:
            return
        count = shape_of(op.source)[0]
        if shape_of(rows.result)[0] != count or (count % tiles[0] and not ANY_FILL.is_on(op)):
            return
        if dims == (0, *channels) and tiles[1:] == block and shape_of(op.source)[channels[0]] % block[0] == 0:
            new = ReshapeOp(operands=[rows.source], result_types=[op.result.type])
            new.result.name_hint = op.source.name_hint
            rewriter.replace(op, new)


class ReshapeOfView(RewritePattern):
    """Of reshapes in a row only the last shape counts."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Reshape, rewriter: PatternRewriter) -> None:
        before = op.operands[0].owner
        if not isinstance(before, RESHAPES) or (isinstance(op, ReshapeOp) and isinstance(before, ReshapeOp)):
            return
        source = before.operands[0]
        if source.type == op.results[0].type:
            rewriter.replace(op, [], [source])
            return
        new = ReshapeOp(operands=[source], result_types=[op.results[0].type])
        new.result.name_hint = op.results[0].name_hint
        rewriter.replace(op, new)


class SameLayout(RewritePattern):
    """A layout of a value that is made already is not made again."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp | BroadcastOp | ReshapeOp, rewriter: PatternRewriter) -> None:
        block = op.parent
        for use in op.operands[0].uses:
            other = use.operation
            if other is op or type(other) is not type(op) or other.parent is not block:
                continue
            if _are_the_same(other, op) and other.is_before_in_block(op):
                rewriter.replace(op, [], other.results)
                return


class ForgetFill(RewritePattern):
    """A pack that is left fills tiles with zeros."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        if ANY_FILL.remove(op):
            rewriter.notify_op_modified(op)


def _are_the_same(one: Operation, other: Operation) -> bool:
    """Whether two operations of one kind on one value give the same."""
    return one.result_types == other.result_types and one.properties == other.properties


@dataclass(frozen=True)
class PropagateLayouts(ModulePass):
    """Take out changes of layout that undo one another, and make each other one once.

    requires: host functions as pack-device-functions leaves them; a pack marked `packing.any_fill` feeds tiles
              whose fill reaches no result.
    ensures:  no tensor that a device function gives is unpacked and packed the same way; no mark is left.
    declines: nothing.
    """

    name = "propagate-layouts"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns = (
            ReshapeOfReshape(),
            ReshapeOfView(),
            UnpackOfPack(),
            PackOfUnpack(),
            PackOfTiles(),
            PackOfView(),
            PackOfOrdered(),
        )
        for function in host_functions(op):
            sliced = SlicedTiles.of(function)
            slices = (PackOfJoin(sliced), PackOfInsertion(sliced), PackOfSlice(sliced), PackOfPad(sliced))
            rewrite_greedily(function, *patterns, *slices, PackOfTallerTiles(sliced), PackOfMovedBlocks(sliced))
            rewrite_once(function, SameLayout())
            rewrite_once(function, DropUnread(_UNREAD), backwards=True)
            rewrite_once(function, ForgetFill())
