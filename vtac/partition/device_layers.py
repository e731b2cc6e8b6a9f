"""From expressions to device functions, and the layout changes around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import cast

from xdsl.dialects.builtin import i8, i32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.analysis.locations import location_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing import InterleaveOp
from vtac.dialects.packing.declared import CHOICE, LAYER
from vtac.partition.alu_trees import DeclineError, Number, Step, Tree
from vtac.partition.convolutions import Convolution
from vtac.partition.device import DeviceBuilder
from vtac.partition.expression_emitter import Emitter
from vtac.partition.expressions import Apply, Element, Expression, elements, substituted
from vtac.partition.flat_rows import store_as_rows
from vtac.partition.graph import Graph, accumulators, narrow_parts
from vtac.partition.layer_reads import LayerReads
from vtac.partition.partials import part_around, planes_of, sum_of_planes
from vtac.partition.reshapes import with_natural_rank
from vtac.partition.stages import Layer, ends_of_stages
from vtac.partition.stored import HostBuilder, Order, Stored, tensor_type, type_of
from vtac.rewriting.edits import append


class DeviceLayers:
    """Makes device functions for expressions, each once.

    `plain` gives the host function's value for a value of the original function; `acc_8bit`
    lets i8 be loaded into accumulators, for simulators.
    """

    def __init__(
        self,
        name: str,
        config: VTAConfig,
        graph: Graph,
        host: HostBuilder,
        plain: Callable[[SSAValue], SSAValue],
        *,
        acc_8bit: bool,
    ) -> None:
        self.name = name
        self.config = config
        self.acc_8bit = acc_8bit
        self.graph = graph
        self.host = host
        self.plain = plain
        self.functions: list[FuncOp] = []
        self.cuts: set[Expression] = set()
        self._made: dict[tuple[Expression, tuple[int, ...]], Stored] = {}
        self._is_storing = False

    def store(self, expression: Expression, shape: Sequence[int], name: str) -> Stored:
        """The tensor of an i8 or i32 expression, computed on the device. Raises `DeclineError`."""
        key = (expression, tuple(shape))
        if key not in self._made and not self._is_storing:
            self._store_stages((*key, name))
        if key not in self._made:
            before = len(self.functions)
            self._made[key] = self._store(expression, tuple(shape), self.graph.names.get(expression, name))
            self._locate(self.functions[before:], self.graph.sources.get(expression))
        return self._made[key]

    def _store_stages(self, layer: Layer) -> None:
        """Store what lies whole stages before a layer, so that it is not reached by recursion through all of them."""
        self._is_storing = True
        try:
            for earlier, shape, name in ends_of_stages(layer, LayerReads(self.graph, self.cuts).of):
                with suppress(DeclineError):
                    self.store(earlier, shape, name)
        finally:
            self._is_storing = False

    def _locate(self, functions: Sequence[FuncOp], source: Operation | None) -> None:
        """Give new device functions the place of the operation that they are for; parts stored first have theirs."""
        for function in functions:
            if source is not None and not location_of(function):
                function.location = source.location

    def plain_value(self, stored: Stored) -> SSAValue:
        """A tensor in its plain layout, in the host function."""
        if stored.plain is None:
            if stored.weight_sum is not None:
                kernel = self.plain(stored.weight_sum.kernel)
                stored.plain = self.host.weight_sum(stored.weight_sum, kernel, stored.name)
            elif stored.origin is not None:
                stored.plain = self.plain(stored.origin)
            elif stored.base is not None:
                stored.plain = self.host.reshape(self.plain_value(stored.base), stored.shape, stored.name)
            elif stored.computes is not None:
                stored.plain = self.plain_value(self.computed(stored))
            else:
                (order, tile), packed = next(iter(stored.packed.items()))
                stored.plain = self.host.unpack(packed, stored.kind, stored.name, tile, order)
        return stored.plain

    def computed(self, stored: Stored) -> Stored:
        """The same tensor as the device stores it, when it computes it."""
        if stored.computes is not None:
            return self.store(stored.computes, stored.shape, stored.name)
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
        natural = with_natural_rank(expression, shape, self.graph.view)
        if natural is not None:
            return self.graph.view(self.store(*natural, name), shape)
        whole = self._combined(expression, shape)
        if len(shape) not in (2, 4) or (not accumulators(whole) and not _is_tileable(whole, len(shape))):
            return store_as_rows(whole, shape, name, self)
        tree, _ = self._tree(whole)
        order = self._order(whole, len(shape))
        if expression.kind == i8:
            (packed,) = self._call([_without_wrap(tree)], shape, order, name)
        else:
            packed = self._planes(tree, shape, order, name)
        return self._packed(packed, expression.kind, shape, order, name)

    def _packed(self, packed: SSAValue, kind: Attribute, shape: tuple[int, ...], order: Order, name: str) -> Stored:
        result = Stored(tensor_type(kind, shape), name)
        result.packed[order, (self.config.batch, self.config.block_out)] = packed
        return result

    def _combined(self, expression: Expression, shape: tuple[int, ...]) -> Expression:
        """The expression as one device function computes it."""
        self.cuts.update(self.graph.stored_parts(expression))
        whole = self._single(expression, shape)
        if not elements(whole):
            raise DeclineError("it is a constant")
        if any(sorted(found.dims) != list(range(len(shape))) for found in accumulators(expression)):
            raise DeclineError("it repeats the result of a product along other dimensions")
        return whole

    def _tree(self, whole: Expression) -> tuple[Tree, Number]:
        number = self.graph.number(whole)
        if number.tree is None:
            raise DeclineError("it is a constant")
        return number.tree, number

    def _single(self, expression: Expression, shape: tuple[int, ...]) -> Expression:
        """The expression with stored tensors in place of parts, so that one convolution is left."""

        def known(part: Expression) -> Expression | None:
            if part is expression or not isinstance(part, Apply):
                return None
            if (part, shape) in self._made:
                return self._whole(self._made[part, shape])
            return self._whole(self.store(part, shape, "narrow")) if part in self.cuts else None

        current = substituted(expression, known)
        while len(found := accumulators(current)) > 1:
            inside = [p for a in cast("Apply", current).arguments for p in narrow_parts(a)]
            target = inside[0] if inside else part_around(current, found[0])
            stored = self._whole(self.store(target, shape, "partial")) if inside else self._bytes(target, shape)
            current = substituted(current, lambda p, t=target, s=stored: s if p == t else None)
        return current

    def _bytes(self, expression: Expression, shape: tuple[int, ...]) -> Expression:
        """An i32 expression that went through memory in planes of signed bytes."""
        part = replace(expression, kind=i32) if isinstance(expression, Element) else expression
        if len(shape) not in (2, 4) or with_natural_rank(part, shape, self.graph.view) is not None:
            return self._whole(self.store(part, shape, "partial"))
        whole = self._combined(part, shape)
        tree, number = self._tree(whole)
        order = self._order(whole, len(shape))
        trees = planes_of(tree, number)
        count = f"{len(trees)} planes" if len(trees) > 1 else "1 plane"
        choice = f"an i32 intermediate in {count} of bytes (the store unit writes 8 bits)"
        stored = self._call(trees, shape, order, "partial", choice)
        return sum_of_planes([self._whole(self._packed(one, i8, shape, order, "partial")) for one in stored])

    def _whole(self, stored: Stored) -> Element:
        return Element(stored, tuple(range(len(stored.shape))), stored.kind.get_element_type())

    def _order(self, expression: Expression, rank: int) -> Order:
        for element in accumulators(expression):
            return tuple(element.dims[dim] for dim in cast(Convolution, element.source).result_dims)
        for element in elements(expression):
            border = cast(Stored, element.source).border
            if border is not None:
                return tuple(element.dims[dim] for dim in border.order)
        for element in elements(expression):
            stored = self.computed(cast(Stored, element.source))
            if len(element.dims) == rank and stored.packed:
                order = next(iter(stored.packed))[0]
                return tuple(element.dims[dim] for dim in order)
        return tuple(range(rank))

    def _planes(self, tree: Tree, shape: tuple[int, ...], order: Order, name: str) -> SSAValue:
        """Store, shift right by 8, store, ...: the bytes of an i32 result, lowest first."""
        trees = [tree]
        while len(trees) < 4:
            trees.append(Step("shr", trees[-1], 8))
        choice = "an i32 result in four planes of bytes (the store unit writes 8 bits), interleaved by the host"
        planes = self._call(trees, shape, order, name, choice)
        kind = tensor_type(i32, type_of(planes[0]).get_shape())
        return self.host.add(InterleaveOp(operands=[planes], result_types=[kind]), "words")

    def _needs_alu(self, source: object) -> bool:
        """Whether a tile may reach the store without GEMM or ALU having written it, which the hardware cannot store.

        So it is where it is only loaded, or where a window lies wholly in the padding.
        """
        if not isinstance(source, Convolution):
            return True
        pads = self.graph.data(source)[1]
        return any(
            max(low, high) >= (window.size - 1) * window.dilation + 1
            for low, high, window in zip(pads.low, pads.high, source.windows, strict=True)
        )

    def _call(
        self, trees: Sequence[Tree], shape: tuple[int, ...], order: Order, name: str, choice: str | None = None
    ) -> list[SSAValue]:
        """The low bytes of each tree's values, packed, from one call of a new device function."""
        tile = (self.config.batch, self.config.block_out)
        outer = [shape[dim] for dim in order]
        outer = [-(-outer[0] // tile[0]), -(-outer[1] // tile[1]), *outer[2:]]
        device = DeviceBuilder(outer, self.config)
        emitter = Emitter(self, device, order, trees)
        root = trees[0]
        loaded = isinstance(root, Element) and not emitter.is_by_gemm(root) and self._needs_alu(root.source)
        first = emitter.root(root, loaded=loaded, shared=len(trees) > 1)
        rest = [emitter.operand(tree)[0] for tree in trees[1:]]
        function, call = device.finish([first, *rest], f"{self.name}_{len(self.functions)}")
        self.functions.append(function)
        choices = [*([choice] if choice is not None else ()), *dict.fromkeys(emitter.choices)]
        LAYER.set(call, name)
        if choices:
            CHOICE.set(call, "; ".join(choices))
        append(call, self.host.block)
        for result in call.res:
            result.name_hint = f"{name}_packed"
        return list(call.res)


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
