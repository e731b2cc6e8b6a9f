"""order-features: what a matrix product computes as flattened images comes out in the order of their tiles.

before: %y = (x * w + b) >> ...            of K x F, F = C * H * W
        %i = tensor.expand_shape %y        : tensor<NxFxi8> into tensor<NxCxHxWxi8>
after:  %y = (x * w' + b') >> ...          the columns of w', of b' in the order (C / 16, H, W, 16)
        %r = packing.reshape %y            : tensor<NxFxi8> to tensor<Nx(C/16)xHxWx16xi8>
        %i = packing.unpack %r dims [1] tiles [16] order [0, 1, 2, 3]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ModuleOp, TensorType, i8
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import FillOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.target import config_of
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.types.tile_slices import Layout
from vtac.dialects.packing import PackOp, ReshapeOp, UnpackOp, packed_shape
from vtac.partition.alu_operations import loops_of
from vtac.partition.anchors import match_anchor
from vtac.rewriting.walker import rewrite_once

MOST_OPERATIONS = 8
"""Operations from a matrix product to the reshape of its result."""


@dataclass
class OrderImages(RewritePattern):
    """A reshape of rows into images that convolutions read, behind a product of given weights."""

    block: int

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExpandShapeOp, rewriter: PatternRewriter) -> None:
        rows, images = shape_of(op.src), shape_of(op.result)
        if len(rows) != 2 or len(images) < 3 or images[0] != rows[0] or element_of(op.src) != i8:
            return
        layout = _image_layout(op.result, self.block)
        if layout is None or images[layout[0][0]] % self.block:
            return
        chain = _Chain(images, layout)
        if not chain.reaches(op.src):
            return
        chain.reorder(rewriter)
        kind: TensorType[Attribute] = TensorType(i8, packed_shape(images, *layout))
        tiles = ReshapeOp(operands=[op.src], result_types=[kind])
        plain = UnpackOp.build_from(tiles.result, op.result.type, *layout)
        for new in (tiles, plain):
            new.location = op.location
        plain.result.name_hint = op.result.name_hint
        rewriter.insert(tiles, InsertPoint.before(op))
        rewriter.replace(op, plain)


def _image_layout(images: SSAValue, block: int) -> Layout | None:
    """How the convolution or pooling that reads images wants them, rows aside; None where none does."""
    waiting = [images]
    while waiting:
        for use in waiting.pop().uses:
            reader = use.operation
            if isinstance(reader, tensor.PadOp | tensor.ExtractSliceOp):
                waiting.append(reader.results[0])
                continue
            found = match_anchor(reader)
            if not isinstance(found, str) and found.windows and len(found.data_dims) == len(shape_of(images)):
                rows, channels, *spatial = found.data_dims
                return ((channels,), (block,), (rows, channels, *spatial)) if rows == 0 else None
    return None


class _Chain:
    """The operations from a product to its result, and what is given along the features."""

    def __init__(self, images: Sequence[int], layout: Layout) -> None:
        self.images = images
        self.layout = layout
        self.given: list[tuple[Operation, int, int]] = []
        """Operands by operation and number, and their dimension of features."""

    def reaches(self, value: SSAValue) -> bool:
        """Whether all that a value is computed from along its features, its dimension 1, is given."""
        waiting, seen = [(value, 1)], 0
        while waiting:
            value, dim = waiting.pop()
            op, seen = value.owner, seen + 1
            if not isinstance(op, LinalgStructuredOperation) or not value.has_one_use() or seen > MOST_OPERATIONS:
                return False
            maps = [loops_of(attribute.data) for attribute in op.get_indexing_maps()]
            if maps[-1] is None or len(op.res) != 1:
                return False
            for number, (operand, loops) in enumerate(zip(op.operands, maps, strict=True)):
                if isinstance(operand.owner, FillOp | tensor.EmptyOp):
                    continue
                if loops is None:
                    return False
                if maps[-1][dim] not in loops:
                    continue
                place = loops.index(maps[-1][dim])
                if isinstance(operand.owner, LinalgStructuredOperation):
                    waiting.append((operand, place))
                elif isinstance(operand, BlockArgument) or isinstance(operand.owner, ConstantOp):
                    self.given.append((op, number, place))
                else:
                    return False
        return bool(self.given)

    def reorder(self, rewriter: PatternRewriter) -> None:
        """Give operands in the order of tiles along their features."""
        for op, number, dim in self.given:
            op.operands[number] = self._ordered(op.operands[number], dim, op, rewriter)
            rewriter.notify_op_modified(op)

    def _ordered(self, value: SSAValue, dim: int, before: Operation, rewriter: PatternRewriter) -> SSAValue:
        """A tensor with the features, dimension `dim`, in the order of tiles."""
        (channels,), (block,), order = self.layout
        shape, element, features = shape_of(value), element_of(value), self.images[1:]
        # Dimension 0 of the images, their rows, is none of the features; what follows these in the operand stays whole.
        apart = (*shape[:dim], *features, *shape[dim + 1 :])
        behind = range(dim + len(features), len(apart))
        dims, tiles = (dim + channels - 1, *behind), (block, *(apart[one] for one in behind))
        layout = (dims, tiles, (*range(dim), *(dim + other - 1 for other in order[1:]), *behind))
        wide = ReshapeOp(operands=[value], result_types=[TensorType(element, apart)])
        kind: TensorType[Attribute] = TensorType(element, packed_shape(apart, *layout))
        packed = PackOp.build_from(wide.result, kind, *layout)
        flat = ReshapeOp(operands=[packed.result], result_types=[value.type])
        for new in (wide, packed, flat):
            new.location = before.location
            new.result.name_hint = value.name_hint
        rewriter.insert([wide, packed, flat], InsertPoint.before(before))
        return flat.result


@dataclass(frozen=True)
class OrderFeatures(ModulePass):
    """Let matrix products compute images in the order in which these lie in tiles.

    The features of a product are computed in any order: weights and biases are given in another one, which the host
    changes at compile time where they are constants.

    requires: host functions at the integer level; the module's `vta.config`.
    ensures:  rows of bytes that become images of whole channel blocks, which a convolution or pooling reads, come out
              in the order of tiles, where what they are computed from along their features is given: constants and
              arguments.
    declines: nothing; other reshapes stay as they are.
    """

    name = "order-features"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, OrderImages(config_of(op).block_out))
