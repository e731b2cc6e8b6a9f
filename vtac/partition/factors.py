"""Matrix products and convolutions in a device function: their data and weights, packed as GEMM takes them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TypeGuard, cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    IntegerAttr,
    i8,
)
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, IndexOp, YieldOp
from xdsl.ir import Block, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.dialects.packing import BlockDiagonalOp
from vtac.dialects.packing.declared import CHOICE
from vtac.partition.alu_trees import DeclineError
from vtac.partition.convolutions import Convolution
from vtac.partition.device import DeviceBuilder
from vtac.partition.expressions import Element, Expression
from vtac.partition.groups import Groups, groups_of
from vtac.partition.operands import Operands, Tensors
from vtac.partition.reshapes import flattening
from vtac.partition.stored import Stored, tensor_type, type_of
from vtac.rewriting.edits import append


class Factors:
    """Emits convolutions into one device function."""

    def __init__(self, layers: Tensors, device: DeviceBuilder, operands: Operands) -> None:
        self.layers = layers
        self.host = layers.host
        self.device = device
        self.operands = operands
        self.config = layers.config

    def product(self, convolution: Convolution) -> SSAValue:
        """The accumulators of a convolution."""
        graph = self.layers.graph
        chosen = CHOICE.get(convolution.op)
        if isinstance(chosen, str):
            self.operands.choices.append(chosen)
        data, pads = graph.data(convolution)
        if not convolution.windows and (flat := self._flattened(convolution, data)) is not None:
            return self.device.product(*flat, (), None)
        config = self.config
        shape = list(type_of(convolution.data).get_shape())
        for dim, low, high in zip(convolution.data_dims[2:], pads.low, pads.high, strict=True):
            shape[dim] -= low + high
        tile = (config.batch, config.block_in)
        packed = self._packed(data, convolution.data, shape, convolution.data_dims, tile)
        value = self.device.pad(self.device.argument(packed, "data"), pads.low, pads.high)
        if convolution.kernel is None:
            return self.device.summed(value, convolution.windows)
        kernel_value = convolution.kernel
        kernel = graph.factor(kernel_value, ())[0]
        tile = (config.block_out, config.block_in)
        blocks: tuple[int, int] | None = None
        if convolution.depthwise:
            weights = self._diagonal(kernel, kernel_value, convolution.kernel_dims)
            blocks = (1, 1)
        elif (groups := groups_of(kernel_value)) is not None:
            weights, blocks = self._grouped(groups, kernel_value, tile)
        else:
            shape = type_of(kernel_value).get_shape()
            weights = self._packed(kernel, kernel_value, shape, convolution.kernel_dims, tile)
            self._note_channels(shape[convolution.kernel_dims[1]])
        argument = self.device.argument(weights, "kernel" if convolution.windows else "weight")
        return self.device.product(value, argument, convolution.windows, None, blocks)

    def _note_channels(self, channels: int) -> None:
        """Few channels, as first layers have, leave most of a block empty."""
        block = self.config.block_in
        if 2 * channels <= block:
            self.operands.choices.append(
                f"{channels} input channel{'s' if channels > 1 else ''} padded with zeros to a block of {block}: "
                f"{block / channels:.1f} times the products"
            )

    def _grouped(
        self, groups: Groups, kernel: SSAValue, tile: tuple[int, int]
    ) -> tuple[SSAValue, tuple[int, int] | None]:
        """The blocks of a kernel in groups that are not all zeros; how many a group has of features and channels."""
        stored = self.layers.graph.stored(kernel)
        merged = groups.together(tile[0])
        width = merged * groups.channels
        choice = groups.choice(tile[0])
        if choice is not None:
            self.operands.choices.append(choice)
        if "grouped" not in stored.spread:
            kind = type_of(kernel)
            rows, _, *taps = kind.get_shape()
            plain = self.layers.plain_value(self.layers.graph.stored(groups.kernel))
            narrow = tensor_type(kind.get_element_type(), [rows, width, *taps])
            dense = self.host.add(BlockDiagonalOp(operands=[plain], result_types=[narrow]), stored.name)
            stored.spread["grouped"] = self.host.pack(dense, stored.name, (0, 1), tile, tuple(range(4)))
        if merged == groups.count:
            return stored.spread["grouped"], None
        return stored.spread["grouped"], (merged * groups.features // tile[0], width // tile[1])

    def _flattened(self, convolution: Convolution, data: Expression) -> tuple[SSAValue, SSAValue] | None:
        """The factors of a product of flattened images that the device stores: both with columns in packed order.

        The weights' columns are brought into that order, so that the images stay as they lie.
        """
        kernel_value = cast("SSAValue", convolution.kernel)
        kernel = self.layers.graph.factor(kernel_value, ())[0]
        if not _is_plain(data) or not _is_plain(kernel) or (view := cast(Stored, data.source)).base is None:
            return None
        base = self.layers.computed(view.base)
        tile = (self.config.batch, self.config.block_in)
        layouts = [found for found, size in base.packed if size == tile]
        found = flattening(view, base, data.dims.index(convolution.data_dims[1]), layouts)
        if found is None:
            return None
        packed = base.packed[found.layout, tile]
        outer = type_of(packed).get_shape()
        blocks = prod(outer[1:-2])
        images = self.host.reshape(packed, (outer[0], blocks, *tile), view.name)
        feature, channel = (kernel.dims.index(role) for role in convolution.kernel_dims[:2])
        split = [base.shape[dim] for dim in found.columns]
        weights = cast(Stored, kernel.source)
        shape = (*weights.shape[:channel], *split, *weights.shape[channel + 1 :])
        places = {dim: channel + index for index, dim in enumerate(found.columns)}
        order = (feature + (len(split) - 1) * (feature > channel), *(places[dim] for dim in found.layout[1:]))
        tile = (self.config.block_out, self.config.block_in)
        whole = self.operands.pack(self.layers.graph.view(weights, shape), order, tile)
        whole = self.host.reshape(whole, (type_of(whole).get_shape()[0], blocks, *tile), weights.name)
        return self.device.argument(images, "data"), self.device.argument(whole, "weight")

    def _factor_tensor(self, expression: Expression, operand: SSAValue, shape: Sequence[int]) -> Element:
        """A factor, without padding of that shape, as an element of a stored tensor, computed where it must be."""
        if _is_plain(expression):
            return expression
        name = operand.name_hint or "narrow"
        try:
            stored = self.layers.store(expression, shape, name)
        except DeclineError:
            if type_of(operand).get_element_type() != i8 or tuple(shape) != type_of(operand).get_shape():
                raise
            stored = self.layers.graph.stored(operand)
        return Element(stored, tuple(range(len(shape))), i8)

    def _packed(
        self,
        expression: Expression,
        operand: SSAValue,
        shape: Sequence[int],
        roles: Sequence[int],
        tile: tuple[int, int],
    ) -> SSAValue:
        """A factor packed with its dimensions in the order of their roles."""
        element = self._factor_tensor(expression, operand, shape)
        stored = cast(Stored, element.source)
        places = [element.dims.index(role) for role in roles]
        kept = sorted(places)
        if len(kept) < len(stored.shape):
            stored = self.layers.graph.view(stored, tuple(stored.shape[place] for place in kept))
        return self.operands.pack(stored, tuple(kept.index(place) for place in places), tile)

    def _diagonal(self, expression: Expression, operand: SSAValue, roles: Sequence[int]) -> SSAValue:
        """(C, KH, KW) as (C / BLOCK, 1, KH, KW, BLOCK, BLOCK) with each channel's taps on the diagonals."""
        element = self._factor_tensor(expression, operand, type_of(operand).get_shape())
        stored = cast(Stored, element.source)
        order = tuple(element.dims.index(role) for role in roles)
        if ("diagonal", order) not in stored.spread:
            block = self.config.block_out
            plain = self.layers.plain_value(stored)
            packed = self.host.pack(plain, stored.name, order[:1], (block,), order)
            blocks, height, width, _ = type_of(packed).get_shape()
            stored.spread[("diagonal", order)] = self._spread(packed, (blocks, 1, height, width, block, block))
        return stored.spread[("diagonal", order)]

    def _spread(self, packed: SSAValue, shape: Sequence[int]) -> SSAValue:
        kind = tensor_type(i8, shape)
        empty = self.host.add(tensor.EmptyOp([], kind))
        body = Block(arg_types=[i8, i8])
        row, column = IndexOp(4), IndexOp(5)
        equal = arith.CmpiOp(row.result, column.result, "eq")
        zero = arith.ConstantOp(IntegerAttr(0, i8))
        chosen = arith.SelectOp(equal.result, body.args[0], zero.result)
        append([row, column, equal, zero, chosen, YieldOp(chosen.result)], body)
        d = [AffineDimExpr(dim) for dim in range(6)]
        maps = [AffineMap(6, 0, (d[0], d[2], d[3], d[4])), AffineMap.identity(6)]
        op = GenericOp(
            [packed],
            [empty],
            Region(body),
            ArrayAttr([AffineMapAttr(m) for m in maps]),
            ArrayAttr([IteratorTypeAttr.parallel()] * 6),
            [kind],
        )
        return self.host.add(op, "diagonal")


def _is_plain(expression: Expression) -> TypeGuard[Element]:
    """Whether an expression is an element of a stored tensor as it lies there."""
    return isinstance(expression, Element) and isinstance(expression.source, Stored) and not expression.steps
