"""Poolings as expressions: sums by GEMM, others one operation per element, over data with its padding around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import i8, i32
from xdsl.ir import Attribute

from vtac.partition.alu_trees import DeclineError
from vtac.partition.convolutions import Convolution
from vtac.partition.expressions import Apply, Element, Expression, Literal, elements, substituted
from vtac.partition.integer_form import value_range
from vtac.partition.pads import no_pads, unpadded
from vtac.partition.stored import Border, Stored, type_of

if TYPE_CHECKING:
    from vtac.partition.graph import Graph

_MAX_WINDOW = 64
"""Elements of a pooling window that are taken one ALU operation each."""
_SMALLEST_EDGE = -(1 << 30)
"""What two borders may add to a zero without wrapping."""


def pooling(graph: Graph, convolution: Convolution) -> Expression:
    """The expression of a pooling's result. Raises `DeclineError`.

    Sums of i8 are accumulators, as those of a product; others take one operation per element.
    """
    if convolution.kind == "sum" and graph.data(convolution)[0].kind == i8:
        return graph.accumulated(convolution)
    if convolution.terms > _MAX_WINDOW:
        raise DeclineError(f"its window has {convolution.terms} elements; at most {_MAX_WINDOW} are taken one by one")
    start = graph.expression(convolution.op.outputs[0])
    if not isinstance(start, Literal):
        raise DeclineError("it starts from a tensor; a constant fill is required")
    return _Pooling(graph, convolution).expression(start)


class _Pooling:
    def __init__(self, graph: Graph, convolution: Convolution) -> None:
        self.graph = graph
        self.convolution = convolution
        result = type_of(convolution.op.res[0])
        self.kind: Attribute = result.get_element_type()
        self.extents = [result.get_shape()[dim] for dim in convolution.result_dims[2:]]
        self.is_max = convolution.kind == "max"
        spatial = convolution.data_dims[2:]
        self.source, self.pads, self.edge = unpadded(convolution.data, spatial)
        self.data = self._data()
        self.least = value_range(self.data, graph.bounds)[0]
        self.border = self._border_value()
        if self.border is None:
            self.source, self.pads, self.border = convolution.data, no_pads(spatial), 0
            self.data = self._data()
            self.least = value_range(self.data, graph.bounds)[0]

    def expression(self, start: Literal) -> Expression:
        total: Expression | None = None if self._is_neutral(start) else start
        for one in self._elements_of_window():
            total = one if total is None else self._combined(total, one)
        if total is None:
            raise DeclineError("its window is empty")
        if isinstance(total, Element):  # a window of one element still moves in steps
            total = Apply("arith.addi" if self._is_integer else "arith.addf", (total, Literal(0, self.kind)), self.kind)
        if self.border:
            least = int(self.least) if self._is_integer else self.least
            return self._combined(total, Literal(least, self.kind))
        return total

    def _combined(self, left: Expression, right: Expression) -> Expression:
        names = ("arith.maxsi", "arith.addi") if self._is_integer else ("arith.maximumf", "arith.addf")
        return Apply(names[not self.is_max], (left, right), self.kind)

    @property
    def _is_integer(self) -> bool:
        return str(self.kind).startswith("i")

    def _is_neutral(self, start: Literal) -> bool:
        if not self.is_max:
            return start.value == 0
        return start.value <= self.least and (not any((*self.pads.low, *self.pads.high)) or start.value <= self.edge)

    def _data(self) -> Expression:
        """What the windows slide over, as an expression over stored tensors of all dimensions."""
        shape = tuple(type_of(self.source).get_shape())
        found = self.graph.settled(self.graph.expression(self.source), shape)
        if any(isinstance(e.source, Convolution) or e.steps or len(e.dims) < len(shape) for e in elements(found)):
            if found.kind not in (i8, i32):
                raise DeclineError(f"it pools computed {found.kind}; the VTA stores i8 and i32")
            found = self.graph.part(found, shape)
        if not elements(found):
            raise DeclineError("it pools a constant")
        return found

    def _border_value(self) -> int | None:
        """What must be added to the zeros of a load for the padding: nothing where they will do.

        None where the padding has to lie in memory. The largest element of a window that holds
        data is the same for any padding that is no larger than the data, as is the result for
        the lowest number that the stored element may be.
        """
        if not any((*self.pads.low, *self.pads.high)):
            return 0
        zero = value_range(substituted(self.data, _as_zero), self.graph.bounds)[0]
        if self.edge == zero:
            return 0
        if not self.is_max or self.edge > self.least or not self._every_window_holds_data():
            return None
        if zero <= self.least:
            return 0
        element = _increasing_in(self.data)
        lowest = _SMALLEST_EDGE - 1 if element is None else self.graph.bounds(element)[0]
        return lowest if lowest >= _SMALLEST_EDGE else None

    def _every_window_holds_data(self) -> bool:
        shape = type_of(self.source).get_shape()
        for axis, window in enumerate(self.convolution.windows):
            first = self.pads.low[axis]
            data = range(first, first + shape[self.convolution.data_dims[2 + axis]])
            for place in range(self.extents[axis]):
                if not any(place * window.stride + tap * window.dilation in data for tap in range(window.size)):
                    return False
        return True

    def _elements_of_window(self) -> Iterator[Expression]:
        rows, columns = (self._strides(axis) for axis in (0, 1))
        for y in rows:
            for x in columns:
                one = substituted(self.data, lambda part, steps=(y, x): self._moved(part, steps))
                yield one if one.kind == self.kind else Apply("arith.extsi", (one,), self.kind)

    def _strides(self, axis: int) -> list[tuple[int, int]]:
        """For each element of the window along an axis: the factor and offset of its index."""
        window = self.convolution.windows[axis]
        return [(window.stride, tap * window.dilation) for tap in range(window.size)]

    def _moved(self, part: Expression, steps: tuple[tuple[int, int], ...]) -> Expression | None:
        if not isinstance(part, Element) or not isinstance(part.source, Stored):
            return None
        roles = self.convolution.data_dims
        places = dict(zip(roles, self.convolution.result_dims, strict=True))
        by_dim = dict(zip(roles[2:], steps, strict=True))
        source = self.graph.bordered(part.source, self._border(part))
        return Element(
            source,
            tuple(places[dim] for dim in part.dims),
            part.kind,
            tuple(by_dim.get(dim, (1, 0)) for dim in part.dims),
        )

    def _border(self, element: Element) -> Border:
        order = tuple(element.dims.index(role) for role in self.convolution.data_dims)
        low, high = [0] * len(order), [0] * len(order)
        for axis, dim in enumerate(order[2:]):
            low[dim], high[dim] = self.pads.low[axis], self.pads.high[axis]
        return Border(tuple(low), tuple(high), order, self.border or 0)


def _as_zero(part: Expression) -> Expression | None:
    return Literal(0, part.kind) if isinstance(part, Element) else None


def _increasing_in(expression: Expression) -> Element | None:
    """The one element of which an expression is an increasing function: sign-extended, converted, scaled."""
    while isinstance(expression, Apply):
        inner, *others = expression.arguments
        if expression.name in ("arith.mulf", "arith.divf"):
            if not isinstance(others[0], Literal) or others[0].value <= 0:
                return None
        elif expression.name not in ("arith.extsi", "arith.sitofp"):
            return None
        expression = inner
    return expression if isinstance(expression, Element) else None
