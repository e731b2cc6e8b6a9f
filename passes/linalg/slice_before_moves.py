"""slice-before-moves: parts of moved tensors are moved parts, so that each head of attention is columns of a matrix.

before: %p = tensor.expand_shape %x : tensor<20x48xi8> into tensor<20x4x12xi8>
        %t = linalg.transpose ins(%p) permutation = [1, 0, 2]
        %h = tensor.extract_slice %t[2, 0, 0] [1, 20, 12] [1, 1, 1]
after:  %0 = tensor.extract_slice %x[0, 24] [20, 12] [1, 1]
        %h = packing.reshape %0 : tensor<20x12xi8> to tensor<1x20x12xi8>
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.linalg.ops import GenericOp, TransposeOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.operations.reshapes import RESHAPES, reshape_groups
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.types.tile_slices import Slice, slice_of
from vtac.dialects.packing import JoinOp, ReshapeOp
from vtac.partition.moved_parts import cut, slice_of_source, transposed
from vtac.partition.moves import moved_from
from vtac.partition.tile_operations import Made
from vtac.rewriting.edits import replace_by
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_greedily, rewrite_once

BATCHED = 3
"""Dimensions of a batch of matrices: channels of images are moved by other passes."""


class SliceOfTranspose(RewritePattern):
    """What is cut out of a transpose, of which nothing but parts are read, is the transpose of a part."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExtractSliceOp, rewriter: PatternRewriter) -> None:
        part, moved = slice_of(op), moved_from(op.source)
        if part is None or moved is None or len(moved[1]) != len(part.sizes) or not _is_batch_cut(op.source):
            return
        source, dims = moved
        made = Made()
        piece = made.put(
            cut(
                source,
                Slice(
                    tuple(part.offsets[dim] for dim in dims),
                    tuple(part.sizes[dim] for dim in dims),
                    tuple(part.strides[dim] for dim in dims),
                ),
            ),
            op.result.name_hint,
        )
        transposed(piece, [dims.index(dim) for dim in range(len(dims))], made)
        replace_by(op, made, rewriter)


class SliceOfReshape(RewritePattern):
    """What is cut out of a reshape is the reshape of a part, where its elements are a slice of the source."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExtractSliceOp, rewriter: PatternRewriter) -> None:
        part, view = slice_of(op), op.source.owner
        if part is None or not isinstance(view, RESHAPES) or not _is_batch_cut(op.source):
            return
        source = view.operands[0]
        found = slice_of_source(part, shape_of(source), shape_of(op.source))
        if found is None:
            return
        made = Made()
        piece = made.put(cut(source, found), op.result.name_hint)
        if shape_of(piece) != part.sizes:
            made.put(ReshapeOp(operands=[piece], result_types=[op.result.type]))
        replace_by(op, made, rewriter)


class SliceOfJoin(RewritePattern):
    """What is cut out of one of several joined tensors is cut out of that one, or is all of it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExtractSliceOp, rewriter: PatternRewriter) -> None:
        part, join = slice_of(op), op.source.owner
        if part is None or not isinstance(join, JoinOp) or len(part.sizes) != BATCHED or part.strides[0] != 1:
            return
        first = part.offsets[0]
        for value in join.operands:
            extent = shape_of(value)[0]
            if first >= 0 and first + part.sizes[0] <= extent:
                if shape_of(value) == part.sizes:
                    rewriter.replace(op, [], [value])
                else:
                    rewriter.replace(op, cut(value, Slice((first, *part.offsets[1:]), part.sizes, part.strides)))
                return
            first -= extent


class TransposeOfJoin(RewritePattern):
    """The transpose of tensors behind one another is their transposes behind one another."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp | GenericOp, rewriter: PatternRewriter) -> None:
        moved = moved_from(op.results[0]) if len(op.results) == 1 else None
        if moved is None or not isinstance(join := moved[0].owner, JoinOp) or not moved[0].has_one_use():
            return
        dims = moved[1]
        if len(dims) != len(shape_of(op.results[0])) or len(dims) != BATCHED:
            return
        made, parts = Made(), list[SSAValue]()
        for part in join.operands:
            parts.append(transposed(part, [dims.index(dim) for dim in range(len(dims))], made))
        made.put(tensor.ConcatOp(parts, dims[0], TensorType(element_of(parts[0]), shape_of(op.results[0]))))
        replace_by(op, made, rewriter)


class ReshapeOfConcatenation(RewritePattern):
    """Concatenated slices of a dimension that is merged with those behind it are concatenated along all of these."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.CollapseShapeOp | ReshapeOp, rewriter: PatternRewriter) -> None:
        concat = op.operands[0].owner
        if not isinstance(concat, tensor.ConcatOp) or not op.operands[0].has_one_use():
            return
        if len(shape_of(concat.result)) != BATCHED:
            return
        dim, shape, result = concat.dim.value.data, shape_of(concat.result), shape_of(op.results[0])
        group = next(group for group in reshape_groups(shape, result) if dim in group.source)
        before = [shape[one] for one in group.source if one < dim]
        if len(group.result) != 1 or prod(before) != 1:
            return
        (merged,) = group.result
        rest, made, parts = prod(shape[one] for one in group.source if one > dim), Made(), list[SSAValue]()
        for part in concat.operands:
            sizes = [*result[:merged], shape_of(part)[dim] * rest, *result[merged + 1 :]]
            kind = TensorType(element_of(part), sizes)
            parts.append(made.put(ReshapeOp(operands=[part], result_types=[kind]), part.name_hint))
        made.put(tensor.ConcatOp(parts, merged, TensorType(element_of(parts[0]), result)))
        replace_by(op, made, rewriter)


def _is_batch_cut(value: SSAValue) -> bool:
    """Whether nothing but parts of a batch of matrices is read, by what is read itself."""
    readers = [use.operation for use in value.uses]
    unread = [one for one in readers if one.results and not any(result.uses for result in one.results)]
    is_cut = all(one in unread or isinstance(one, tensor.ExtractSliceOp) for one in readers)
    return is_cut and len(shape_of(value)) == BATCHED


@dataclass(frozen=True)
class SliceBeforeMoves(ModulePass):
    """Cut tensors before they are transposed and reshaped, and join them behind that.

    Batches of products, as attention has its heads, are products of parts of matrices then: columns that lie there.

    requires: host functions with batches unrolled (unroll-batches).
    ensures:  no slice of a transpose, or of a reshape that keeps it a slice, where nothing but slices reads that; joins
              along a new dimension that is moved, and merged with others, are joins along these.
    declines: nothing; other moves, and those of images, stay as they are.
    """

    name = "slice-before-moves"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        unread = DropUnread((TransposeOp, GenericOp, JoinOp, tensor.ConcatOp, tensor.EmptyOp, *RESHAPES))
        patterns = (SliceOfTranspose(), SliceOfReshape(), SliceOfJoin(), TransposeOfJoin(), ReshapeOfConcatenation())
        for function in host_functions(op):
            if any(isinstance(one, tensor.ExtractSliceOp | JoinOp) for one in function.body.block.ops):
                rewrite_greedily(function, *patterns)
                rewrite_once(function, unread, backwards=True)
