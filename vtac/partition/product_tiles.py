"""The factors of a product in a device function, in tiles as GEMM takes them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, IntegerAttr, TensorType, i8
from xdsl.dialects.func import CallOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, IndexOp, YieldOp
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.analysis.reshapes import RESHAPES
from vtac.dialects.packing import BlockDiagonalOp, UnpackOp
from vtac.partition.alu_operations import shape_of
from vtac.partition.anchors import source_of
from vtac.partition.convolutions import Convolution
from vtac.partition.device_tiles import DeviceTiles, Insert
from vtac.partition.flat_images import flattened_dims
from vtac.partition.groups import Groups, groups_of
from vtac.partition.tile_operations import Made, padded, product, window_sums
from vtac.rewriting.edits import append


class ProductTiles:
    """Makes the operations of one product; `call` is that of its device function."""

    def __init__(self, found: Convolution, call: CallOp, tiles: DeviceTiles, insert: Insert) -> None:
        self.found = found
        self.call = call
        self.tiles = tiles
        self.insert = insert
        self.inputs = (tiles.config.batch, tiles.config.block_in)

    def run(self) -> SSAValue:
        """The accumulators."""
        found, shape = self.found, self.tiles.shape(self.found.op.res[0])
        if (flat := self._flattened()) is not None:
            return self._add(product(*flat, shape, (), None))
        source, pads, _ = source_of(found)
        data = self.tiles.pack(source, found.data_dims, self.inputs, self.insert, name="data")
        if any((*pads.low, *pads.high)):
            data = self._add(padded(data, pads.low, pads.high))
        if found.kernel is None:
            return self._add(window_sums(data, shape, found.windows, self.tiles.diagonal(found.op)))
        if found.depthwise:
            self.tiles.diagonal(found.op)
            weights, groups = self._diagonal(found.kernel), (1, 1)
        elif (grouped := groups_of(found.kernel)) is not None and found.kernel_dims == (0, 1, 2, 3):
            weights, groups = self._grouped(grouped)
        else:
            weights, groups = self._with_taps(self._pack_weights(found.kernel, found.kernel_dims), 2), None
            self._note_channels(shape_of(found.kernel)[found.kernel_dims[1]])
        weights.name_hint = "kernel" if found.windows else "weight"
        return self._add(product(data, weights, shape, found.windows, groups))

    def _pack_weights(self, value: SSAValue, order: tuple[int, ...]) -> SSAValue:
        return self.tiles.pack(value, order, self.tiles.weight, self.insert, any_fill=False, name="weight")

    def _with_taps(self, packed: SSAValue, blocks: int) -> SSAValue:
        """Weights behind dimensions of `blocks`, with those of windows, of one tap where the kernel has none."""
        shape = shape_of(packed)
        wanted = [window.size for window in self.found.windows]
        if prod(wanted) > 1 or len(self.found.kernel_dims) > blocks:
            return packed
        return self.tiles.reshape(packed, (*shape[:blocks], *wanted, *shape[blocks:]), self.insert)

    def _note_channels(self, channels: int) -> None:
        """Few channels, as first layers have, leave most of a block empty."""
        block = self.tiles.config.block_in
        if 2 * channels <= block:
            self.tiles.choices.append(
                f"{channels} input channel{'s' if channels > 1 else ''} padded with zeros to a block of {block}: "
                f"{block / channels:.1f} times the products"
            )

    def _grouped(self, groups: Groups) -> tuple[SSAValue, tuple[int, int] | None]:
        """The blocks of a kernel in groups that are not all zeros; how many a group has of features and channels."""
        features, channels = self.tiles.weight
        merged = groups.together(features)
        if (choice := groups.choice(features)) is not None:
            self.tiles.choices.append(choice)
        width = merged * groups.channels
        kernel = cast(SSAValue, self.found.kernel)
        if width != shape_of(kernel)[1]:
            rows, _, *taps = shape_of(kernel)
            kind = TensorType(i8, [rows, width, *taps])
            kernel = self._add([BlockDiagonalOp(operands=[groups.kernel], result_types=[kind])])
        weights = self._pack_weights(kernel, (0, 1, 2, 3))
        if merged == groups.count:
            return weights, None
        return weights, (merged * groups.features // features, width // channels)

    def _flattened(self) -> tuple[SSAValue, SSAValue] | None:
        """The factors of a product of flattened images that a device function stores: columns in packed order.

        The weights' columns are brought into that order, so that the images stay as they lie.
        """
        found = self.found
        view, kernel = found.data.owner, found.kernel
        if found.windows or kernel is None or not isinstance(view, RESHAPES):
            return None
        images = view.operands[0]
        given = self.call.arguments[images.index].owner if isinstance(images, BlockArgument) else None
        if not isinstance(given, UnpackOp):
            return None
        dims, sizes, layout = given.layout()
        row, column = found.data_dims
        columns = flattened_dims(shape_of(images), shape_of(found.data), column, row)
        if columns is None or sizes != self.inputs or dims != layout[:2] or layout[0] != 0:
            return None
        packed = self.tiles.pack(images, layout, self.inputs, self.insert, name="data")
        outer = shape_of(packed)
        blocks = prod(outer[1:-2])
        data = self.tiles.reshape(packed, (outer[0], blocks, *self.inputs), self.insert)
        feature, channel = found.kernel_dims
        split = [shape_of(images)[dim] for dim in columns]
        whole = shape_of(kernel)
        apart = self.tiles.reshape(kernel, (*whole[:channel], *split, *whole[channel + 1 :]), self.insert)
        places = {dim: channel + index for index, dim in enumerate(columns)}
        order = (feature + (len(split) - 1) * (feature > channel), *(places[dim] for dim in layout[1:]))
        weights = self._pack_weights(apart, order)
        return data, self.tiles.reshape(weights, (shape_of(weights)[0], blocks, *self.tiles.weight), self.insert)

    def _diagonal(self, kernel: SSAValue) -> SSAValue:
        """(C, KH, KW) as (C / BLOCK, 1, KH, KW, BLOCK, BLOCK) with each channel's taps on the diagonals."""
        block = self.tiles.config.block_out
        packed = self.tiles.pack(kernel, self.found.kernel_dims, (block,), self.insert, any_fill=False, name="diagonal")
        blocks, height, width, _ = shape_of(packed := self._with_taps(packed, 1))
        return self._add(_spread(packed, (blocks, 1, height, width, block, block)))

    def _add(self, ops: Sequence[Operation] | Made) -> SSAValue:
        self.insert(ops)
        return ops[-1].results[0]


def _spread(packed: SSAValue, shape: Sequence[int]) -> Sequence[Operation]:
    kind = TensorType(i8, list(shape))
    empty = tensor.EmptyOp([], kind)
    body = Block(arg_types=[i8, i8])
    row, column = IndexOp(4), IndexOp(5)
    equal = arith.CmpiOp(row.result, column.result, "eq")
    zero = arith.ConstantOp(IntegerAttr(0, i8))
    chosen = arith.SelectOp(equal.result, body.args[0], zero.result)
    append([row, column, equal, zero, chosen, YieldOp(chosen.result)], body)
    d = [AffineDimExpr(dim) for dim in range(6)]
    maps = [AffineMap(6, 0, (d[0], d[2], d[3], d[4])), AffineMap.identity(6)]
    attributes = ArrayAttr([AffineMapAttr(m) for m in maps])
    kinds = ArrayAttr([IteratorTypeAttr.parallel()] * 6)
    return [empty, GenericOp([packed], [empty.tensor], Region(body), attributes, kinds, [kind])]
