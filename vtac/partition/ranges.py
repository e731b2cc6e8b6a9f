"""Between which integers what a program computes lies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod
from typing import cast

from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, i8, i32
from xdsl.ir import SSAValue

from vtac.partition.alu_trees import DeclineError, Number
from vtac.partition.convolutions import Convolution
from vtac.partition.expressions import Apply, Element, Expression
from vtac.partition.integer_form import integer_form
from vtac.partition.integer_operations import width_of
from vtac.partition.sources import Sources
from vtac.partition.stored import Stored, type_of


class Ranges(Sources, ABC):
    """Ranges of expressions, and of the tensors that they read: those of their own expressions."""

    def __init__(self) -> None:
        super().__init__()
        self._ranges: dict[Expression, tuple[int, int]] = {}

    @abstractmethod
    def expression(self, value: SSAValue) -> Expression:
        """What a value computes."""

    def bounds(self, element: Element) -> tuple[int, int]:
        """Between which integers an element lies."""
        source = element.source
        if isinstance(source, Stored):
            if source.base is not None:
                low, high = self.bounds(Element(source.base, (), element.kind))
                border = source.border
                return (
                    (low, high) if border is None or border.is_empty else (min(low, 2 * border.value, 0), max(high, 0))
                )
            computed = self._computed(source)
            if computed is not None:
                return self.range(computed)
        if isinstance(source, Convolution):
            largest = source.terms * 128 * (1 if source.kernel is None else 128)
            return -largest, largest
        if isinstance(source, Stored) and source.weight_sum is not None:
            shape = type_of(source.weight_sum.kernel).get_shape()
            largest = prod(shape) // source.weight_sum.shape[0] * 128 * abs(source.weight_sum.factor)
            return -largest, largest
        if isinstance(source, Stored) and source.origin is not None:
            owner = source.origin.owner
            if isinstance(owner, ConstantOp) and isinstance(owner.value, DenseIntOrFPElementsAttr):
                values = cast("tuple[int, ...]", owner.value.get_values())
                return min(values), max(values)
        width = width_of(element.kind)
        if width > 32:
            raise DeclineError(f"it reads a tensor of {element.kind}; the VTA loads i32 and i8")
        return -(1 << (width - 1)), (1 << (width - 1)) - 1

    def range(self, expression: Expression) -> tuple[int, int]:
        """Between which integers an expression lies. Raises `DeclineError` when it has no ALU tree."""
        if expression not in self._ranges:
            number = self.number(expression)
            self._ranges[expression] = number.low, number.high
        return self._ranges[expression]

    def _computed(self, stored: Stored) -> Expression | None:
        """What the device computes to store a tensor."""
        if stored.computes is not None:
            return stored.computes
        found = None if stored.origin is None else self.expression(stored.origin)
        return found if isinstance(found, Apply) and found.kind in (i8, i32) else None

    def number(self, expression: Expression) -> Number:
        """The ALU tree of an expression. Raises `DeclineError`."""
        return integer_form(expression, self.bounds, lambda part: Element(part, (), i8))

    def stored_parts(self, expression: Expression) -> list[Apply]:
        """Computed i8 parts that must be stored before GEMM can subtract or scale them. Raises `DeclineError`."""
        found: list[Apply] = []

        def stored(part: Apply) -> Element:
            found.append(part)
            return Element(part, (), i8)

        integer_form(expression, self.bounds, stored)
        return found
