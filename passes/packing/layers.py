"""From expressions to device functions, and the layout changes around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import TypeAlias, cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    StringAttr,
    TensorType,
    i8,
    i32,
)
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, IndexOp, YieldOp
from xdsl.ir import Block, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing import InterleaveOp, ReshapeOp
from vtac.passes.analysis.alu_trees import IMMEDIATE, DeclineError, Step, Tree
from vtac.passes.analysis.contractions import Contraction
from vtac.passes.analysis.expressions import Apply, Element, Expression, elements, substituted
from vtac.passes.packing.device import DeviceBuilder
from vtac.passes.packing.graph import Graph, accumulators, narrow_parts
from vtac.passes.packing.stored import HostBuilder, Order, Stored, tensor_type, type_of

CHOICE = "packing.choice"
"""Attribute of a call that says what was chosen where there was a choice."""

_Operand: TypeAlias = tuple[SSAValue, AffineMap]


class Layers:
    """Makes device functions for expressions, each once.

    `plain` gives the host function's value for a value of the original function.
    """

    def __init__(
        self, name: str, config: VTAConfig, graph: Graph, host: HostBuilder, plain: Callable[[SSAValue], SSAValue]
    ) -> None:
        self.name = name
        self.config = config
        self.graph = graph
        self.host = host
        self.plain = plain
        self.functions: list[FuncOp] = []
        self.cuts: set[Expression] = set()
        self._made: dict[Expression, Stored] = {}

    def store(self, expression: Expression, shape: Sequence[int], name: str) -> Stored:
        """The tensor of an i8 or i32 expression, computed on the device. Raises `DeclineError`."""
        if expression not in self._made:
            self._made[expression] = self._store(expression, tuple(shape), name)
        return self._made[expression]

    def plain_value(self, stored: Stored) -> SSAValue:
        """A tensor in its plain layout, in the host function."""
        if stored.plain is None:
            if stored.weight_sum is not None:
                kernel, feature, factor = stored.weight_sum
                stored.plain = self.host.sum_per_feature(self.plain(kernel), feature, factor, stored.name)
            elif stored.origin is not None:
                stored.plain = self.plain(stored.origin)
            else:
                (order, tile), packed = next(iter(stored.packed.items()))
                stored.plain = self.host.unpack(packed, stored.kind, stored.name, tile, order)
        return stored.plain

    def computed(self, stored: Stored) -> Stored:
        """The same tensor as the device stores it, when it computes it."""
        if stored.origin is None or stored.plain is not None:
            return stored
        expression = self.graph.expression(stored.origin)
        if isinstance(expression, Element) and isinstance(expression.source, Stored):
            return stored
        try:
            return self.store(expression, stored.shape, stored.name)
        except DeclineError:
            return stored

    def _store(self, expression: Expression, shape: tuple[int, ...], name: str) -> Stored:
        if isinstance(expression, Element) and isinstance(expression.source, Stored):
            raise DeclineError("it only moves data")
        if expression.kind not in (i8, i32):
            raise DeclineError(f"its result is {expression.kind}; the VTA stores i8 (and i32 as four planes of bytes)")
        whole = self._single(expression, shape)
        if not elements(whole):
            raise DeclineError("it is a constant")
        if len(shape) not in (2, 4) or (not accumulators(whole) and not _is_tileable(whole, len(shape))):
            return self._as_rows(whole, shape, name)
        number = self.graph.number(whole)
        if number.tree is None:
            raise DeclineError("it is a constant")
        order = self._order(whole, len(shape))
        kind = tensor_type(expression.kind, shape)
        result = Stored(kind, name)
        tile = (self.config.batch, self.config.block_out)
        if expression.kind == i8:
            (packed,) = self._call([_without_wrap(number.tree)], shape, order)
        else:
            packed = self._planes(number.tree, shape, order)
        result.packed[(order, tile)] = packed
        return result

    def _single(self, expression: Expression, shape: tuple[int, ...]) -> Expression:
        """The expression with stored tensors in place of parts, so that one contraction is left."""

        def known(part: Expression) -> Expression | None:
            if part is expression or not isinstance(part, Apply):
                return None
            if part in self._made:
                return self._whole(self._made[part])
            return self._whole(self.store(part, shape, "narrow")) if part in self.cuts else None

        current = substituted(expression, known)
        while len(found := accumulators(current)) > 1:
            inside = [p for a in cast("Apply", current).arguments for p in narrow_parts(a)]
            part: Expression = inside[0] if inside else replace(found[0], kind=i32)
            stored = self._whole(self.store(part, shape, "partial"))
            target = inside[0] if inside else found[0]
            current = substituted(current, lambda p, t=target, s=stored: s if p == t else None)
        return current

    def _whole(self, stored: Stored) -> Element:
        return Element(stored, tuple(range(len(stored.shape))), stored.kind.get_element_type())

    def _as_rows(self, expression: Expression, shape: tuple[int, ...], name: str) -> Stored:
        """An elementwise expression of another rank, as rows of its last dimension."""
        if accumulators(expression):
            raise DeclineError(f"its result has rank {len(shape)}; products give 2 and convolutions 4 dimensions")
        lanes = shape[-1] if shape else 1
        rows = prod(shape[:-1])
        if len(shape) == 1 and lanes % (self.config.batch * self.config.block_out) == 0:
            rows, lanes = self.config.batch, lanes // self.config.batch
        flat = {element: self._flattened(element, shape, (rows, lanes)) for element in elements(expression)}
        whole = substituted(expression, lambda part: flat.get(part) if isinstance(part, Element) else None)
        stored = self.store(whole, (rows, lanes), name)
        plain = self.plain_value(stored)
        kind = tensor_type(expression.kind, shape)
        result = Stored(kind, name)
        result.plain = self.host.add(ReshapeOp(operands=[plain], result_types=[kind]), name)
        return result

    def _flattened(self, element: Element, shape: tuple[int, ...], rows: tuple[int, int]) -> Element:
        stored = cast(Stored, element.source)
        if element.steps or element.dims not in (tuple(range(len(shape))), (len(shape) - 1,), ()):
            raise DeclineError(f"operands of rank {len(shape)} are read in different orders")
        if not shape or element.dims == () or len(element.dims) < len(shape):
            return replace(element, dims=(1,) if element.dims else ())
        key = ("flat", rows)
        if key not in stored.spread:
            kind = tensor_type(stored.kind.get_element_type(), rows)
            op = ReshapeOp(operands=[self.plain_value(stored)], result_types=[kind])
            stored.spread[key] = self.host.add(op, stored.name)
        flat = Stored(tensor_type(stored.kind.get_element_type(), rows), stored.name, None, stored.spread[key])
        return replace(element, source=flat, dims=(0, 1))

    def _order(self, expression: Expression, rank: int) -> Order:
        for element in accumulators(expression):
            return tuple(element.dims[dim] for dim in cast(Contraction, element.source).result_dims)
        for element in elements(expression):
            stored = cast(Stored, element.source)
            if len(element.dims) == rank and stored.packed:
                order = next(iter(stored.packed))[0]
                return tuple(element.dims[dim] for dim in order)
        return tuple(range(rank))

    def _planes(self, tree: Tree, shape: tuple[int, ...], order: Order) -> SSAValue:
        """Store, shift right by 8, store, ...: the bytes of an i32 result, lowest first."""
        trees = [tree]
        while len(trees) < 4:
            trees.append(Step("shr", trees[-1], 8))
        choice = "an i32 result in four planes of bytes (the store unit writes 8 bits), interleaved by the host"
        planes = self._call(trees, shape, order, choice)
        kind = tensor_type(i32, type_of(planes[0]).get_shape())
        return self.host.add(InterleaveOp(operands=[planes], result_types=[kind]), "words")

    def _needs_alu(self, source: object) -> bool:
        """Whether a tile may reach the store without GEMM or ALU having written it, which the hardware cannot store.

        So it is where it is only loaded, or where a window lies wholly in the padding.
        """
        if not isinstance(source, Contraction):
            return True
        pads = self.graph.factor(source.data, source.data_dims[2:])[1]
        return any(
            max(low, high) >= (window.size - 1) * window.dilation + 1
            for low, high, window in zip(pads.low, pads.high, source.windows, strict=True)
        )

    def _call(
        self, trees: Sequence[Tree], shape: tuple[int, ...], order: Order, choice: str | None = None
    ) -> list[SSAValue]:
        """The low bytes of each tree's values, packed, from one call of a new device function."""
        tile = (self.config.batch, self.config.block_out)
        outer = [shape[dim] for dim in order]
        outer = [-(-outer[0] // tile[0]), -(-outer[1] // tile[1]), *outer[2:]]
        device = DeviceBuilder(outer, tile)
        emitter = _Emitter(self, device, order)
        first, indices = emitter.operand(trees[0])
        if isinstance(trees[0], Element) and self._needs_alu(trees[0].source):
            first = device.step("add", first, indices, 0)
        rest = [emitter.operand(tree)[0] for tree in trees[1:]]
        function, call = device.finish([first, *rest], f"{self.name}_{len(self.functions)}")
        self.functions.append(function)
        if choice is not None:
            call.attributes[CHOICE] = StringAttr(choice)
        self.host.block.add_op(call)
        for result in call.res:
            result.name_hint = "res"
        return list(call.res)


class _Emitter:
    """Emits one tree into a device function."""

    def __init__(self, layers: Layers, device: DeviceBuilder, order: Order) -> None:
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


def _is_tileable(expression: Expression, rank: int) -> bool:
    """Whether some operand has all dimensions, or none is read in another way than by trailing ones."""
    return any(len(element.dims) == rank for element in elements(expression))


def _without_wrap(tree: Tree) -> Tree:
    """Without the steps that only sign-extend the low 8 bits, which a store takes anyway."""
    if isinstance(tree, Step) and (tree.name, tree.operand) == ("shr", 24):
        inner = tree.source
        if isinstance(inner, Step) and (inner.name, inner.operand) == ("shl", 24):
            return inner.source
    return tree
