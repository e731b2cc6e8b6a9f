"""The tensors of a function that expressions read, each once."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from vtac.partition.expressions import Element, Expression
from vtac.partition.stored import Border, Stored, tensor_type, type_of


class Sources:
    """Tensors by what they hold: a value as it is, an expression, another one's elements.

    `names` is what the program calls the value of an expression, `sources` the operation behind it.
    """

    def __init__(self) -> None:
        self.names: dict[Expression, str] = {}
        self.sources: dict[Expression, Operation] = {}
        self._stored: dict[SSAValue, Stored] = {}
        self._parts: dict[tuple[Expression, tuple[int, ...]], Stored] = {}
        self._views: dict[tuple[Stored, tuple[int, ...]], Stored] = {}
        self._bordered: dict[tuple[Stored, Border], Stored] = {}

    def stored(self, value: SSAValue) -> Stored:
        if value not in self._stored:
            self._stored[value] = Stored(type_of(value), value.name_hint or "x", value)
        return self._stored[value]

    def element(self, value: SSAValue) -> Element:
        """An element of a value as it is, at the expression's own indices."""
        kind = type_of(value)
        return Element(self.stored(value), tuple(range(len(kind.get_shape()))), kind.get_element_type())

    def part(self, expression: Expression, shape: tuple[int, ...]) -> Element:
        """An i8 or i32 expression as an element of a tensor that the device stores."""
        key = (expression, shape)
        if key not in self._parts:
            self._parts[key] = Stored(
                tensor_type(expression.kind, shape), self.names.get(expression, "part"), computes=expression
            )
        return Element(self._parts[key], tuple(range(len(shape))), expression.kind)

    def view(self, stored: Stored, shape: tuple[int, ...]) -> Stored:
        """The same elements in another shape."""
        base = stored.base or stored
        if base.shape == shape:
            return base
        if (base, shape) not in self._views:
            kind = tensor_type(base.kind.get_element_type(), shape)
            self._views[base, shape] = Stored(kind, base.name, base=base)
        return self._views[base, shape]

    def bordered(self, stored: Stored, border: Border) -> Stored:
        """A tensor with its border, for windows."""
        if (stored, border) not in self._bordered:
            shape = [a + n + z for a, n, z in zip(border.low, stored.shape, border.high, strict=True)]
            kind = tensor_type(stored.kind.get_element_type(), shape)
            self._bordered[stored, border] = Stored(kind, stored.name, base=stored, border=border)
        return self._bordered[stored, border]
