"""What each value of a function computes: expressions over stored tensors and accumulators."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import prod
from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr, i8, i32
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp
from xdsl.ir import Operation, SSAValue

from vtac.dialects.packing import BlockDiagonalOp, ReshapeOp
from vtac.passes.analysis.alu_trees import DeclineError, Number
from vtac.passes.analysis.contractions import Contraction, match_contraction
from vtac.passes.analysis.expressions import (
    Apply,
    Element,
    Expression,
    Literal,
    elements,
    elementwise_expression,
    is_elementwise,
    literal,
    parts,
    renamed,
)
from vtac.passes.analysis.integer_form import integer_form, width_of
from vtac.passes.packing.stored import Stored, tensor_type, type_of

_LAYOUTS = (
    tensor.PadOp,
    tensor.EmptyOp,
    tensor.CollapseShapeOp,
    tensor.ExpandShapeOp,
    ReshapeOp,
    BlockDiagonalOp,
)
_MAX_PARTS = 2000
"""Operations and operands of one fused expression."""
_MAX_WINDOW = 64
"""Elements of a pooling window that are taken one ALU operation each."""


@dataclass(frozen=True)
class Pads:
    """Zeros around the spatial dimensions of a convolution's data."""

    low: tuple[int, ...]
    high: tuple[int, ...]


class Graph:
    """Expressions of a function's values, made when asked for.

    `reasons` says, for an operation that the VTA cannot execute, why; `names` what the program
    calls the value of an expression.
    """

    def __init__(self) -> None:
        self.reasons: dict[Operation, str] = {}
        self.names: dict[Expression, str] = {}
        self._stored: dict[SSAValue, Stored] = {}
        self._expressions: dict[SSAValue, Expression] = {}

    def stored(self, value: SSAValue) -> Stored:
        if value not in self._stored:
            self._stored[value] = Stored(type_of(value), value.name_hint or "x", value)
        return self._stored[value]

    def element(self, value: SSAValue) -> Element:
        """An element of a value as it is, at the expression's own indices."""
        kind = type_of(value)
        return Element(self.stored(value), tuple(range(len(kind.get_shape()))), kind.get_element_type())

    def expression(self, value: SSAValue) -> Expression:
        if value not in self._expressions:
            found = self._expression(value)
            self._expressions[value] = found
            if value.name_hint and isinstance(found, Apply):
                self.names.setdefault(found, value.name_hint)
        return self._expressions[value]

    def bounds(self, element: Element) -> tuple[int, int]:
        """Between which integers an element lies."""
        source = element.source
        if isinstance(source, Contraction):
            return -source.terms * 128 * 128, source.terms * 128 * 128
        if isinstance(source, Stored) and source.weight_sum is not None:
            kernel, feature, factor = source.weight_sum
            shape = type_of(kernel).get_shape()
            largest = prod(shape) // shape[feature] * 128 * abs(factor)
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

    def number(self, expression: Expression) -> Number:
        """The ALU tree of an expression. Raises `DeclineError`."""
        return integer_form(expression, self.bounds)

    def scalar(self, value: SSAValue) -> Expression:
        owner = value.owner
        number = literal(owner) if isinstance(owner, ConstantOp) else None
        if number is None:
            raise DeclineError("it takes a scalar that is no constant")
        return number

    def _expression(self, value: SSAValue) -> Expression:
        owner = value.owner
        if not isinstance(owner, Operation):
            return self.element(value)
        try:
            found = self._of_op(owner, value)
            if len(list(islice(parts(found), _MAX_PARTS + 1))) > _MAX_PARTS:
                raise DeclineError(f"it is an expression of more than {_MAX_PARTS} operations")
            if isinstance(found, Apply) and found.kind in (i8, i32):
                self.number(found)
        except DeclineError as reason:
            self.reasons[owner] = str(reason)
            return self.element(value)
        return found

    def _of_op(self, op: Operation, value: SSAValue) -> Expression:
        if isinstance(op, ConstantOp):
            return self._constant(op)
        if isinstance(op, FillOp):
            return self.scalar(op.inputs[0])
        if isinstance(op, BroadcastOp):
            added = op.dimensions.get_values()
            rank = len(type_of(value).get_shape())
            return renamed(self.expression(op.input), [dim for dim in range(rank) if dim not in added])
        if isinstance(op, LinalgStructuredOperation):
            return self._structured(op)
        if not isinstance(op, _LAYOUTS):
            raise DeclineError(f"'{op.name}' is no operation that the VTA has")
        return self.element(value)

    def _constant(self, op: ConstantOp) -> Expression:
        contents = op.value
        if isinstance(contents, DenseIntOrFPElementsAttr) and contents.is_splat():
            kind = contents.get_element_type()
            value = contents.get_values()[0]
            if isinstance(value, int | float):
                return Literal(value, kind)
        return self.element(op.result)

    def _structured(self, op: LinalgStructuredOperation) -> Expression:
        if is_elementwise(op):
            found = elementwise_expression(op, self.expression, self.scalar)
            if isinstance(found, str):
                raise DeclineError(found)
            return found
        contraction = match_contraction(op)
        if isinstance(contraction, str):
            raise DeclineError(contraction)
        if contraction.kind == "product":
            return self._product(contraction)
        return self._pooling(contraction)

    def _product(self, contraction: Contraction) -> Expression:
        kernel = cast("SSAValue", contraction.kernel)
        for operand, spatial in ((contraction.data, contraction.data_dims[2:]), (kernel, ())):
            kind = self.factor(operand, spatial)[0].kind
            if kind != i8:
                raise DeclineError(
                    f"its factor is {kind}; GEMM multiplies i8 by i8 (sign-extend i8 operands with arith.extsi)"
                )
        kind = type_of(contraction.op.res[0]).get_element_type()
        if width_of(kind) < 32:
            raise DeclineError(f"it accumulates in {kind}; GEMM accumulates in i32")
        rank = len(contraction.result_dims)
        total: Expression = Element(contraction, tuple(range(rank)), kind)
        if contraction.zero_points:
            total = self._without_zero_point(contraction, total, kernel)
        start = self.expression(contraction.op.outputs[0])
        if isinstance(start, Literal) and start.value == 0:
            return total
        return Apply("arith.addi", (total, start), kind)

    def _without_zero_point(self, contraction: Contraction, total: Element, kernel: SSAValue) -> Expression:
        """sum((a - z) * w) = sum(a * w) - z * sum(w): the second sum is a bias per feature."""
        data_zero, kernel_zero = (self._zero_point(value) for value in contraction.zero_points)
        if kernel_zero:
            raise DeclineError(f"its kernel has the zero point {kernel_zero}; only the data's can be taken into a bias")
        if not data_zero:
            return total
        feature = contraction.kernel_dims[0]
        size = type_of(kernel).get_shape()[feature]
        bias = Stored(tensor_type(i32, [size]), "zero_point", weight_sum=(kernel, feature, -data_zero))
        correction: Expression = Element(bias, (contraction.result_dims[1],), i32)
        if total.kind != i32:
            correction = Apply("arith.extsi", (correction,), total.kind)
        return Apply("arith.addi", (total, correction), total.kind)

    def _zero_point(self, value: SSAValue) -> int:
        number = self.scalar(value)
        if not isinstance(number, Literal) or not isinstance(number.value, int):
            raise DeclineError("its zero point is no integer")
        return number.value

    def factor(self, operand: SSAValue, spatial: tuple[int, ...]) -> tuple[Expression, Pads]:
        """The i8 expression of a factor, and the zeros around the dimensions `spatial` of it."""
        found = self.expression(operand)
        while isinstance(found, Apply) and found.name == "arith.extsi":
            found = found.arguments[0]
        pads = Pads((0,) * len(spatial), (0,) * len(spatial))
        if isinstance(found, Literal):
            return self.element(operand), pads
        if not (isinstance(found, Element) and isinstance(found.source, Stored) and found.source.origin is not None):
            return found, pads
        pad = found.source.origin.owner
        if not isinstance(pad, tensor.PadOp) or not spatial:
            return found, pads
        if found.dims != tuple(range(len(found.dims))):
            return found, pads
        low, high = pad.static_low.get_values(), pad.static_high.get_values()
        outside = [dim for dim in range(len(low)) if dim not in spatial and (low[dim] or high[dim])]
        if pad.low or pad.high or min((*low, *high)) < 0 or outside or self._pad_value(pad) != 0:
            return found, pads
        inner, more = self.factor(pad.source, spatial)
        return inner, Pads(
            tuple(low[dim] + extra for dim, extra in zip(spatial, more.low, strict=True)),
            tuple(high[dim] + extra for dim, extra in zip(spatial, more.high, strict=True)),
        )

    def _pad_value(self, pad: tensor.PadOp) -> int | float | None:
        owner = cast("Operation", pad.region.block.last_op).operands[0].owner
        if isinstance(owner, ConstantOp) and isinstance(owner.value, IntegerAttr | FloatAttr):
            return owner.value.value.data
        return None

    def _pooling(self, contraction: Contraction) -> Expression:
        """One operation per element of the window."""
        data = self.stored(contraction.data)
        element = data.kind.get_element_type()
        result = type_of(contraction.op.res[0]).get_element_type()
        if width_of(element) > 32 or width_of(result) > 32:
            raise DeclineError(f"it pools {element} to {result}; the VTA's integers have at most 32 bits")
        if contraction.terms > _MAX_WINDOW:
            raise DeclineError(
                f"its window has {contraction.terms} elements; at most {_MAX_WINDOW} are taken one by one"
            )
        dims = [0] * len(contraction.data_dims)
        for place, index in zip(contraction.data_dims, contraction.result_dims, strict=True):
            dims[place] = index
        total = self.expression(contraction.op.outputs[0])
        if isinstance(total, Element):
            raise DeclineError("it starts from a tensor; a constant fill is required")
        rows, columns = contraction.windows
        name = "arith.maxsi" if contraction.kind == "max" else "arith.addi"
        for y in range(rows.size):
            for x in range(columns.size):
                steps = [(1, 0)] * len(dims)
                steps[contraction.data_dims[2]] = (rows.stride, y * rows.dilation)
                steps[contraction.data_dims[3]] = (columns.stride, x * columns.dilation)
                one: Expression = Element(data, tuple(dims), element, tuple(steps))
                if element != result:
                    one = Apply("arith.extsi", (one,), result)
                total = (
                    one
                    if isinstance(total, Literal) and _is_neutral(total, name)
                    else Apply(name, (total, one), result)
                )
        return total


def _is_neutral(start: Literal, name: str) -> bool:
    if name == "arith.addi":
        return start.value == 0
    return start.value == -(1 << (width_of(start.kind) - 1))


def accumulators(expression: Expression) -> list[Element]:
    """The different contraction results that an expression reads."""
    return [element for element in elements(expression) if isinstance(element.source, Contraction)]


def narrow_parts(expression: Expression) -> list[Apply]:
    """The outermost i8 parts of an expression that hold a contraction: where it may be stored."""
    if isinstance(expression, Apply):
        if expression.kind == i8 and accumulators(expression):
            return [expression]
        return [part for argument in expression.arguments for part in narrow_parts(argument)]
    return []
