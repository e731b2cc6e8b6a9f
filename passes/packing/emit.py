"""From ALU trees to the operations of a device function, with their operands packed as they take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias, cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    TensorType,
    i8,
    i32,
)
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, IndexOp, YieldOp
from xdsl.ir import Block, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap

from vtac.dialects.hardware import VTAConfig
from vtac.passes.analysis.alu_trees import IMMEDIATE, DeclineError, Step, Tree
from vtac.passes.analysis.contractions import Contraction
from vtac.passes.analysis.expressions import Element, Expression
from vtac.passes.packing.device import DeviceBuilder
from vtac.passes.packing.graph import Graph
from vtac.passes.packing.stored import HostBuilder, Order, Stored, tensor_type, type_of

_Operand: TypeAlias = tuple[SSAValue, AffineMap]


class Tensors(Protocol):
    """Where an emitter gets tensors from: the layers around it."""

    config: VTAConfig
    graph: Graph
    host: HostBuilder

    def store(self, expression: Expression, shape: Sequence[int], name: str) -> Stored: ...

    def computed(self, stored: Stored) -> Stored: ...

    def plain_value(self, stored: Stored) -> SSAValue: ...


class Emitter:
    """Emits trees into one device function; `order` are the result's dimensions in packed order."""

    def __init__(self, layers: Tensors, device: DeviceBuilder, order: Order) -> None:
        self.layers = layers
        self.host = layers.host
        self.device = device
        self.order = order
        self.config = layers.config
        self.identity = AffineMap.identity(len(device.shape))
        self._known: dict[Tree, _Operand] = {}
        self._windows: dict[Stored, SSAValue] = {}

    def operand(self, tree: Tree) -> _Operand:
        if tree not in self._known:
            self._known[tree] = self._operand(tree)
        return self._known[tree]

    def _operand(self, tree: Tree) -> _Operand:
        if isinstance(tree, Step):
            return self._step(tree), self.identity
        if isinstance(tree.source, Contraction):
            return self._product(tree.source), self.identity
        return self._stored(tree)

    def _step(self, step: Step) -> SSAValue:
        source, indices = self.operand(step.source)
        if not isinstance(step.operand, int):
            other, other_map = self.operand(step.operand)
            if indices != self.identity:
                (source, indices), (other, other_map) = (other, other_map), (source, indices)
            return self.device.combine(step.name, [source, other], [indices, other_map])
        number = ((step.operand + (1 << 31)) & ((1 << 32) - 1)) - (1 << 31)
        if IMMEDIATE[0] <= number <= IMMEDIATE[1]:
            return self.device.step(step.name, source, indices, number)
        if step.name == "add" and 2 * IMMEDIATE[0] <= number <= 2 * IMMEDIATE[1]:
            half = self.device.step("add", source, indices, number // 2)
            return self.device.step("add", half, self.identity, number - number // 2)
        tile = self._constant_tile(number)
        return self.device.combine(step.name, [source, tile[0]], [indices, tile[1]])

    def _constant_tile(self, number: int) -> _Operand:
        """A number that does not fit an immediate, as one tile."""
        shape = self.device.shape[-2:]
        contents = DenseIntOrFPElementsAttr.from_list(TensorType(i32, shape), [number])
        value = self.host.add(arith.ConstantOp(contents), "number")
        rank = len(self.device.shape)
        indices = AffineMap(rank, 0, (AffineDimExpr(rank - 2), AffineDimExpr(rank - 1)))
        return self.device.argument(value, "number"), indices

    def _product(self, contraction: Contraction) -> SSAValue:
        graph = self.layers.graph
        data, pads = graph.factor(contraction.data, contraction.data_dims[2:])
        config = self.config
        shape = list(type_of(contraction.data).get_shape())
        for dim, low, high in zip(contraction.data_dims[2:], pads.low, pads.high, strict=True):
            shape[dim] -= low + high
        tile = (config.batch, config.block_in)
        packed = self._packed(data, contraction.data, shape, contraction.data_dims, tile)
        value = self.device.pad(self.device.argument(packed, "data"), pads.low, pads.high)
        kernel_value = cast("SSAValue", contraction.kernel)
        kernel = graph.factor(kernel_value, ())[0]
        if contraction.depthwise:
            weights = self._diagonal(kernel, kernel_value, contraction.kernel_dims)
        else:
            tile = (config.block_out, config.block_in)
            shape = type_of(kernel_value).get_shape()
            weights = self._packed(kernel, kernel_value, shape, contraction.kernel_dims, tile)
        argument = self.device.argument(weights, "kernel" if contraction.windows else "weight")
        return self.device.product(value, argument, contraction.windows, None, depthwise=contraction.depthwise)

    def _factor_tensor(self, expression: Expression, operand: SSAValue, shape: Sequence[int]) -> Element:
        """A factor, without padding of that shape, as an element of a stored tensor, computed where it must be."""
        if isinstance(expression, Element) and isinstance(expression.source, Stored) and not expression.steps:
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
        order = tuple(element.dims.index(role) for role in roles)
        return self._pack(cast(Stored, element.source), order, tile)

    def _pack(self, stored: Stored, order: Order, tile: tuple[int, int]) -> SSAValue:
        stored = self.layers.computed(stored)
        key = (order, tile)
        if key not in stored.packed:
            plain = self.layers.plain_value(stored)
            stored.packed[key] = self.host.pack(plain, stored.name, order[:2], tile, order)
        return stored.packed[key]

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
        body.add_ops([row, column, equal, zero, chosen, YieldOp(chosen.result)])
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

    def _stored(self, element: Element) -> _Operand:
        """A stored tensor as an ALU operand: packed, widened to i32, missing dimensions of a tile repeated."""
        stored = cast(Stored, element.source)
        if len(set(element.dims)) != len(element.dims):
            raise DeclineError("it reads a diagonal")
        rows, lanes = self.order[:2]
        dims = [dim for dim in self.order if dim in element.dims]
        order = tuple(element.dims.index(dim) for dim in dims)
        value = self._tiled(stored, element, order, rows in dims, lanes in dims)
        loops = {dim: AffineDimExpr(position) for position, dim in enumerate(self.order)}
        rank = len(self.device.shape)
        indices: list[AffineExpr] = []
        for dim in dims:
            factor, offset = element.steps[element.dims.index(dim)] if element.steps else (1, 0)
            index: AffineExpr = loops[dim] * factor if factor != 1 else loops[dim]
            indices.append(index + offset if offset else index)
        indices += [AffineDimExpr(rank - 2), AffineDimExpr(rank - 1)]
        argument = self.device.argument(value, stored.name)
        if element.steps:
            if stored not in self._windows:
                self._windows[stored] = self.device.copy(argument, stored.name)
            argument = self._windows[stored]
        return argument, AffineMap(rank, 0, tuple(indices))

    def _tiled(self, stored: Stored, element: Element, order: Order, has_rows: bool, has_lanes: bool) -> SSAValue:
        tile = (self.config.batch, self.config.block_out)
        key = ("tiled", order, has_rows, has_lanes)
        if key in stored.spread:
            return stored.spread[key]
        if has_rows and has_lanes:
            value = self._pack(stored, order, tile)
        else:
            present = [position for position, has in enumerate((has_rows, has_lanes)) if has]
            value = self.layers.plain_value(stored)
            value = self.host.pack(value, stored.name, order[: len(present)], [tile[p] for p in present], order)
            shape = list(type_of(value).get_shape())
            inner = len(order)
            missing = [position for position in (0, 1) if position not in present]
            for position in missing:
                shape.insert(inner + position, tile[position])
            value = self.host.broadcast(value, f"{stored.name}_tiles", shape, [inner + p for p in missing])
        stored.spread[key] = self.host.widen(value, stored.name)
        return stored.spread[key]
