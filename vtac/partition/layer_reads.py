"""What a layer waits for: the other layers whose results its device function reads."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.ir import SSAValue

from vtac.partition.convolutions import Convolution
from vtac.partition.expressions import Apply, Element, Expression, elements, parts
from vtac.partition.graph import Graph
from vtac.partition.stages import Layer
from vtac.partition.stored import Stored, type_of


class LayerReads:
    """Finds the layers that a layer reads; `cuts` are the expressions that are stored instead of computed again."""

    def __init__(self, graph: Graph, cuts: set[Expression]) -> None:
        self._graph = graph
        self._cuts = cuts

    def of(self, layer: Layer) -> list[Layer]:
        """The layers that are stored before this one can be."""
        expression, shape, _ = layer
        found: list[Layer] = [
            (part, shape, "narrow")
            for part in parts(expression)
            if part is not expression and isinstance(part, Apply) and part in self._cuts
        ]
        for element in elements(expression):
            found += self._of_source(element.source)
        return list(dict.fromkeys(found))

    def _of_source(self, source: object) -> Iterator[Layer]:
        if isinstance(source, Stored):
            yield from self._of_stored(source)
        elif isinstance(source, Convolution):
            yield from self._of_data(source)
            if source.kernel is not None:
                kernel = self._graph.factor(source.kernel, ())[0]
                yield from self._of_factor(kernel, source.kernel, type_of(source.kernel).get_shape())

    def _of_data(self, convolution: Convolution) -> Iterator[Layer]:
        data, pads = self._graph.data(convolution)
        shape = list(type_of(convolution.data).get_shape())
        for dim, low, high in zip(convolution.data_dims[2:], pads.low, pads.high, strict=True):
            shape[dim] -= low + high
        yield from self._of_factor(data, convolution.data, tuple(shape))

    def _of_factor(self, factor: Expression, operand: SSAValue, shape: tuple[int, ...]) -> Iterator[Layer]:
        if isinstance(factor, Element):
            yield from self._of_source(factor.source)
        elif isinstance(factor, Apply):
            yield factor, shape, operand.name_hint or "narrow"

    def _of_stored(self, stored: Stored) -> Iterator[Layer]:
        while stored.base is not None:
            stored = stored.base
        if stored.computes is not None:
            yield stored.computes, stored.shape, stored.name
        elif stored.origin is not None and stored.plain is None:
            expression = self._graph.expression(stored.origin)
            if isinstance(expression, Apply):
                yield expression, stored.shape, stored.name
            elif isinstance(expression, Element) and expression.source is not stored:
                yield from self._of_source(expression.source)
