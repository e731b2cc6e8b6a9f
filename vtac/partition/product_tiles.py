"""The factors of a product in a device function, in tiles as GEMM takes them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, IndexType, IntegerAttr, TensorType, i8
from xdsl.dialects.func import CallOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, IndexOp, YieldOp
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.packing import BlockDiagonalOp, UnpackOp
from vtac.partition.anchors import source_of
from vtac.partition.convolutions import Convolution
from vtac.partition.device_tiles import DeviceTiles, Insert
from vtac.partition.flat_images import flattened_dims
from vtac.partition.groups import Groups, groups_of
from vtac.partition.taller_tiles import is_from_tiles
from vtac.partition.tile_operations import Made, channelwise, padded, product, window_sums
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
        alone = found.depthwise or found.kernel is None
        data = self._pack_data(source, channelwise=alone)
        if any((*pads.low, *pads.high)):
            data = self._add(padded(data, pads.low, pads.high))
        if found.kernel is None:
            return self._add(self._window_sums(data, shape))
        if found.depthwise:
            groups = self._channelwise_groups()
            weights = self._diagonal(found.kernel, groups)
        elif (grouped := groups_of(found.kernel)) is not None and found.kernel_dims == (0, 1, 2, 3):
            weights, groups = self._grouped(grouped)
        else:
            weights, groups = self._with_taps(self._pack_weights(found.kernel, found.kernel_dims), 2), None
            self._note_channels(shape_of(found.kernel)[found.kernel_dims[1]])
        weights.name_hint = "kernel" if found.windows else "weight"
        return self._add(product(data, weights, shape, found.windows, groups))

    def _pack_data(self, source: SSAValue, *, channelwise: bool) -> SSAValue:
        """The data; where the kernel is computed, too, the lanes that hold no channel are zeros for its sake."""
        order = self.found.data_dims
        if self._is_kernel_computed() and shape_of(source)[order[1]] % self.inputs[1]:
            return self.tiles.pack(source, order, self.inputs, self.insert, any_fill=False, name="data")
        return self.tiles.input_blocks(source, order, self.insert, channelwise=channelwise, name="data")

    def _is_kernel_computed(self) -> bool:
        """Whether the kernel is a matrix that another device function stores in tiles."""
        kernel = self.found.kernel
        if self.found.windows or not isinstance(kernel, BlockArgument):
            return False
        return is_from_tiles(self.call.arguments[kernel.index])

    def _window_sums(self, data: SSAValue, shape: Sequence[int]) -> Made:
        weight = self.tiles.weight
        if self.tiles.has_diagonal:
            return window_sums(data, shape, self.found.windows, weight)
        return channelwise(data, 1, shape, self.found.windows, weight, self._channelwise_groups())

    def _channelwise_groups(self) -> tuple[int, int]:
        return self.tiles.groups(shape_of(self.found.data)[self.found.data_dims[1]])

    def _pack_weights(self, value: SSAValue, order: tuple[int, ...]) -> SSAValue:
        any_fill = self._is_kernel_computed()
        return self.tiles.pack(value, order, self.tiles.weight, self.insert, any_fill=any_fill, name="weight")

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
        merged = groups.together(features, channels)
        if (choice := groups.choice(features, channels)) is not None:
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

    def _diagonal(self, kernel: SSAValue, groups: tuple[int, int]) -> SSAValue:
        """(C, KH, KW) as (C / BLOCK_OUT, blocks of a group, KH, KW, BLOCK_OUT, BLOCK_IN), taps on the diagonals."""
        rows, columns = self.tiles.weight
        packed = self.tiles.pack(kernel, self.found.kernel_dims, (rows,), self.insert, any_fill=False, name="diagonal")
        blocks, height, width, _ = shape_of(packed := self._with_taps(packed, 1))
        outputs, inputs = groups
        return self._add(_spread(packed, (blocks, inputs, height, width, rows, columns), outputs))

    def _add(self, ops: Sequence[Operation] | Made) -> SSAValue:
        self.insert(ops)
        return ops[-1].results[0]


def _spread(packed: SSAValue, shape: Sequence[int], outputs: int) -> Sequence[Operation]:
    """Weights in tiles, zero but where an output channel meets itself among the input channels of its group.

    `outputs` are the output blocks of a group.
    """
    kind = TensorType(i8, list(shape))
    empty = tensor.EmptyOp([], kind)
    body = Block(arg_types=[i8, i8])
    made = Made()
    row, column = made.put(IndexOp(4)), made.put(IndexOp(5))
    if outputs > 1:
        one_of = made.put(arith.ConstantOp(IntegerAttr(outputs, IndexType())))
        part = made.put(arith.RemUIOp(made.put(IndexOp(0)), one_of))
        row = made.put(arith.AddiOp(row, _times(made, part, shape[4])))
    if shape[1] > 1:
        column = made.put(arith.AddiOp(column, _times(made, made.put(IndexOp(1)), shape[5])))
    equal = made.put(arith.CmpiOp(row, column, "eq"))
    zero = made.put(arith.ConstantOp(IntegerAttr(0, i8)))
    chosen = made.put(arith.SelectOp(equal, body.args[0], zero))
    append([*made, YieldOp(chosen)], body)
    d = [AffineDimExpr(dim) for dim in range(6)]
    maps = [AffineMap(6, 0, (d[0], d[2], d[3], d[4])), AffineMap.identity(6)]
    attributes = ArrayAttr([AffineMapAttr(m) for m in maps])
    kinds = ArrayAttr([IteratorTypeAttr.parallel()] * 6)
    return [empty, GenericOp([packed], [empty.tensor], Region(body), attributes, kinds, [kind])]


def _times(made: Made, index: SSAValue, factor: int) -> SSAValue:
    return made.put(arith.MuliOp(index, made.put(arith.ConstantOp(IntegerAttr(factor, IndexType())))))
