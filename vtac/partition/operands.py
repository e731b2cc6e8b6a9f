"""Stored tensors as operands of accumulators: i32 by LOAD ACC, i8 by LOAD INP and GEMM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias, cast

from xdsl.dialects.builtin import i32
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing import packed_shape
from vtac.partition.alu_trees import DeclineError
from vtac.partition.device import DeviceBuilder
from vtac.partition.expressions import Element, Expression
from vtac.partition.graph import Graph
from vtac.partition.reshapes import base_order
from vtac.partition.stored import Border, HostBuilder, Order, Stored, type_of

Operand: TypeAlias = tuple[SSAValue, AffineMap]
"""A value of the device function, and its indices by the result's loops."""


class Tensors(Protocol):
    """Where an emitter gets tensors from: the layers around it."""

    config: VTAConfig
    acc_8bit: bool
    graph: Graph
    host: HostBuilder

    def store(self, expression: Expression, shape: Sequence[int], name: str) -> Stored: ...

    def computed(self, stored: Stored) -> Stored: ...

    def plain_value(self, stored: Stored) -> SSAValue: ...


class Operands:
    """Operands of one device function; `order` are the result's dimensions in packed order.

    Dimensions of the result that an operand lacks are repeated: inside of a tile by the
    host, outside by the indices.
    """

    def __init__(self, layers: Tensors, device: DeviceBuilder, order: Order) -> None:
        self.layers = layers
        self.host = layers.host
        self.device = device
        self.order = order
        self.choices: list[str] = []
        self._tiles: dict[tuple[SSAValue, int | None, Border | None], SSAValue] = {}

    def loaded(self, element: Element) -> Operand:
        """An operand that LOAD ACC takes: i32, or widened to it by the host."""
        argument = self._argument(element, wide=True)
        if element.steps:
            argument = self._window(self._once(argument, None, element), element)
        return argument, self._indices(element)

    def loaded_narrow(self, element: Element) -> Operand:
        """An i8 operand that a simulator's 8-bit load of accumulators takes."""
        value = self.device.extended(self._argument(element, wide=False))
        return self._window(value, element) if element.steps else value, self._indices(element)

    def widened(self, element: Element, factor: int) -> Operand:
        """An i8 operand times a number, as accumulators, once per tile."""
        tiles = self._once(self._argument(element, wide=False), factor, element)
        return self._window(tiles, element) if element.steps else tiles, self._indices(element)

    def accumulated(self, start: SSAValue, element: Element, factor: int) -> SSAValue:
        """Accumulators plus an i8 operand times a number."""
        positions = [position for position, dim in enumerate(self.order) if dim in element.dims]
        return self.device.accumulated(start, self._argument(element, wide=False), positions, factor)

    def has_every_dimension(self, element: Element) -> bool:
        """Whether the operand has the result's layout, without windows."""
        return not element.steps and set(element.dims) == set(self.order)

    def pack(self, stored: Stored, order: Order, tile: tuple[int, int]) -> SSAValue:
        """A tensor in tiles, packed once."""
        stored = self.layers.computed(stored)
        key = (order, tile)
        if key not in stored.packed and stored.base is not None:
            self._reuse(stored, self.layers.computed(stored.base), order, tile)
        if key not in stored.packed:
            plain = self.layers.plain_value(stored)
            stored.packed[key] = self.host.pack(plain, stored.name, order[:2], tile, order)
        return stored.packed[key]

    def _reuse(self, view: Stored, base: Stored, order: Order, tile: tuple[int, int]) -> None:
        """The packed tensor of a view, where it has the bytes of one of its base."""
        layout = base_order(view, base, order, [found for found, size in base.packed if size == tile])
        if layout is not None:
            shape = packed_shape(view.shape, order[:2], tile, order)
            view.packed[order, tile] = self.host.reshape(base.packed[layout, tile], shape, view.name)

    def _once(self, argument: SSAValue, factor: int | None, element: Element) -> SSAValue:
        """Accumulators of a whole operand, with its border: its windows, or its uses, share them."""
        border = cast(Stored, element.source).border
        key = (argument, factor, border)
        if key not in self._tiles:
            self._tiles[key] = self._accumulators(argument, factor, border, element)
        return self._tiles[key]

    def _accumulators(
        self, argument: SSAValue, factor: int | None, border: Border | None, element: Element
    ) -> SSAValue:
        name = argument.name_hint or "operand"
        value, sides = argument, list[tuple[int, int]]()
        if border is not None:
            spatial = [element.dims.index(dim) for dim in self.order[2:]]
            sides = [(border.low[dim], border.high[dim]) for dim in spatial]
            value = self.device.pad(argument, [low for low, _ in sides], [high for _, high in sides])
        if factor is not None:
            value = self.device.widened(value, factor)
        elif value is argument:
            value = self.device.copy(argument, name)
        for axis, (low, high) in enumerate(sides, start=2):
            if border is not None and border.value and (low or high):
                extent = type_of(value).get_shape()[axis]
                number = border.value * (1 if factor is None else factor)
                numbers = [0 if low <= index < extent - high else number for index in range(extent)]
                edge = self.host.numbers(numbers, self.device.shape[-2:])
                value = self.device.bordered(value, self.device.argument(edge, "border"), axis)
        return value

    def _window(self, tiles: SSAValue, element: Element) -> SSAValue:
        present = [(position, dim) for position, dim in enumerate(self.order) if dim in element.dims]
        sizes = [self.device.shape[position] for position, _ in present]
        return self.device.window(tiles, sizes, [element.steps[element.dims.index(dim)] for _, dim in present])

    def _indices(self, element: Element) -> AffineMap:
        rank = len(self.device.shape)
        outer = [AffineDimExpr(position) for position, dim in enumerate(self.order) if dim in element.dims]
        return AffineMap(rank, 0, (*outer, AffineDimExpr(rank - 2), AffineDimExpr(rank - 1)))

    def _argument(self, element: Element, *, wide: bool) -> SSAValue:
        """The device function's argument that holds an operand in tiles."""
        stored = cast(Stored, element.source)
        if len(set(element.dims)) != len(element.dims):
            raise DeclineError("it reads a diagonal")
        dims = [dim for dim in self.order if dim in element.dims]
        order = tuple(element.dims.index(dim) for dim in dims)
        rows, lanes = self.order[:2]
        if stored.border is not None:
            stored = cast(Stored, stored.base)
        value = self._tiled(stored, order, (rows in dims, lanes in dims))
        return self.device.argument(self._widened_by_host(stored, value) if wide else value, stored.name)

    def _widened_by_host(self, stored: Stored, value: SSAValue) -> SSAValue:
        kind = stored.kind.get_element_type()
        if kind == i32:
            return value
        self.choices.append(f"operand '{stored.name}' is {kind}, widened by the host (the VTA loads i8 and i32)")
        if ("wide", value) not in stored.spread:
            stored.spread["wide", value] = self.host.widen(value, stored.name)
        return stored.spread["wide", value]

    def _tiled(self, stored: Stored, order: Order, has: tuple[bool, bool]) -> SSAValue:
        """A tensor in tiles, repeated along the dimensions of a tile that it lacks (`has`: rows, lanes)."""
        config = self.layers.config
        tile = (config.batch, config.block_out)
        if all(has):
            return self.pack(stored, order, tile)
        key = ("tiled", order, has)
        if key not in stored.spread:
            present = [position for position in (0, 1) if has[position]]
            missing = [position for position in (0, 1) if not has[position]]
            value = self.layers.plain_value(stored)
            value = self.host.pack(value, stored.name, order[: len(present)], [tile[p] for p in present], order)
            shape = list(type_of(value).get_shape())
            for position in missing:
                shape.insert(len(order) + position, tile[position])
            added = [len(order) + position for position in missing]
            stored.spread[key] = self.host.broadcast(value, f"{stored.name}_tiles", shape, added)
        return stored.spread[key]
