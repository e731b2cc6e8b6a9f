"""What each value of a function computes: expressions over stored tensors and accumulators."""

from __future__ import annotations

from itertools import islice
from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, TensorType, i8, i32
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.elementwise import is_elementwise
from vtac.analysis.reshapes import reshape_groups
from vtac.dialects.packing import BlockDiagonalOp, JoinOp, ReshapeOp
from vtac.partition.alu_trees import DeclineError
from vtac.partition.convolutions import Convolution, match_convolution
from vtac.partition.expressions import (
    Apply,
    Element,
    Expression,
    Literal,
    depth,
    elements,
    elementwise_expression,
    literal,
    parts,
    renamed,
    substituted,
)
from vtac.partition.integer_operations import width_of
from vtac.partition.pads import Pads, no_pads, unpadded
from vtac.partition.pooling import pooling
from vtac.partition.ranges import Ranges
from vtac.partition.reshapes import reshaped, without_units
from vtac.partition.stored import Stored, tensor_type, type_of
from vtac.partition.weight_sums import kernel_around_zero, weight_sum

_RESHAPES = (tensor.CollapseShapeOp, tensor.ExpandShapeOp, ReshapeOp)
_LAYOUTS = (
    tensor.PadOp,
    tensor.EmptyOp,
    tensor.ExtractSliceOp,
    tensor.InsertSliceOp,
    tensor.ConcatOp,
    JoinOp,
    BlockDiagonalOp,
)
_MAX_PARTS = 2000
"""Operations and operands of one fused expression."""
_MAX_DEPTH = 48
"""Operations that wait for one another in a fused expression; what is deeper goes on from a stored tensor."""


class Graph(Ranges):
    """Expressions of a function's values, made when asked for.

    `reasons` says, for an operation that the VTA cannot execute, why.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reasons: dict[Operation, str] = {}
        self._expressions: dict[SSAValue, Expression] = {}

    def expression(self, value: SSAValue) -> Expression:
        if not isinstance(value.type, TensorType):
            return self.scalar(value)
        if value not in self._expressions:
            found = self._expression(value)
            self._expressions[value] = found
            if value.name_hint and isinstance(found, Apply):
                self.names.setdefault(found, value.name_hint)
            if isinstance(found, Apply) and isinstance(value.owner, Operation):
                self.sources.setdefault(found, value.owner)
        return self._expressions[value]

    def scalar(self, value: SSAValue) -> Expression:
        """A number of the program. Raises `DeclineError` for one that is not known when it is compiled."""
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
            if depth(found) > _MAX_DEPTH:
                found = self.settled(found, tuple(type_of(value).get_shape()))
                if depth(found) > _MAX_DEPTH:
                    raise DeclineError(f"it is an expression of more than {_MAX_DEPTH} operations in a row")
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
        if isinstance(op, _RESHAPES):
            return self._reshape(op)
        if not isinstance(op, _LAYOUTS):
            if op.name.startswith("arith."):
                raise DeclineError("it works on tensors; linalg.generic with it as body is recognised")
            raise DeclineError(f"'{op.name}' is no operation that the VTA has")
        return self.element(value)

    def _constant(self, op: ConstantOp) -> Expression:
        contents = op.value
        if isinstance(contents, DenseIntOrFPElementsAttr) and _is_splat(contents):
            kind = contents.get_element_type()
            value = contents.get_values()[0]
            if isinstance(value, int | float):
                return Literal(value, kind)
        return self.element(op.result)

    def _reshape(self, op: Operation) -> Expression:
        source, result = (type_of(value).get_shape() for value in (op.operands[0], op.results[0]))
        found = self.settled(self.expression(op.operands[0]), tuple(source))
        found = reshaped(found, reshape_groups(source, result), result, self.view)
        return self.element(op.results[0]) if found is None else without_units(found, self.view)

    def settled(self, expression: Expression, shape: tuple[int, ...]) -> Expression:
        """The expression over tensors that are stored where that takes 8 bits: its outermost computed i8 parts."""

        def stored(part: Expression) -> Expression | None:
            if not isinstance(part, Apply) or part.kind != i8 or not elements(part):
                return None
            if any(sorted(found.dims) != list(range(len(shape))) for found in accumulators(part)):
                return None
            try:
                self.number(part)
            except DeclineError:
                return None
            return self.part(part, shape)

        return substituted(expression, stored)

    def _structured(self, op: LinalgStructuredOperation) -> Expression:
        if is_elementwise(op):
            found = elementwise_expression(op, self.expression, self.scalar)
            if isinstance(found, str):
                raise DeclineError(found)
            return without_units(found, self.view)
        convolution = match_convolution(op)
        if isinstance(convolution, str):
            raise DeclineError(convolution)
        if convolution.kind == "product":
            return self._product(self._with_kernel_around_zero(convolution))
        return pooling(self, convolution)

    def _product(self, convolution: Convolution) -> Expression:
        kernel = cast("SSAValue", convolution.kernel)
        for kind in (self.data(convolution)[0].kind, self.factor(kernel, ())[0].kind):
            if kind != i8:
                raise DeclineError(
                    f"its factor is {kind}; GEMM multiplies i8 by i8 (sign-extend i8 operands with arith.extsi)"
                )
        return self.accumulated(convolution)

    def accumulated(self, convolution: Convolution) -> Expression:
        """What GEMM accumulates, and what the accumulation starts from."""
        kind = type_of(convolution.op.res[0]).get_element_type()
        if width_of(kind) < 32:
            raise DeclineError(f"it accumulates in {kind}; GEMM accumulates in i32")
        total: Expression = Element(convolution, convolution.result_kept, kind)
        if convolution.zero_points:
            total = self._without_zero_point(convolution, total)
        start = self.expression(convolution.op.outputs[0])
        if isinstance(start, Literal) and start.value == 0:
            return total
        return Apply("arith.addi", (total, start), kind)

    def _without_zero_point(self, convolution: Convolution, total: Element) -> Expression:
        """sum((a - z) * w) = sum(a * w) - z * sum(w): the second sum is a bias per feature.

        Padding that holds z adds nothing to the left side. With zeros in its place it adds nothing
        to the first sum, and the second is over the weights that meet data.
        """
        data_zero = self._zero_point(convolution.zero_points[0])
        if not data_zero:
            return total
        spatial = convolution.data_dims[2:]
        pads = self.data(convolution)[1] if self._is_edge(convolution, data_zero) else no_pads(spatial)
        found = weight_sum(convolution, -data_zero, pads)
        bias = Stored(tensor_type(i32, found.shape), "zero_point", weight_sum=found)
        _, feature, *places = (total.dims[dim] for dim in convolution.result_dims)
        correction: Expression = Element(bias, (feature, *places[: len(found.reached)]), i32)
        if total.kind != i32:
            correction = Apply("arith.extsi", (correction,), total.kind)
        return Apply("arith.addi", (total, correction), total.kind)

    def _with_kernel_around_zero(self, convolution: Convolution) -> Convolution:
        zero = self._zero_point(convolution.zero_points[1]) if convolution.zero_points else 0
        return kernel_around_zero(convolution, zero) if zero else convolution

    def _zero_point(self, value: SSAValue) -> int:
        number = self.scalar(value)
        if not isinstance(number, Literal) or not isinstance(number.value, int):
            raise DeclineError("its zero point is no integer")
        return number.value

    def data(self, convolution: Convolution) -> tuple[Expression, Pads]:
        """The i8 expression of a convolution's data, and how much padding a load puts around it as zeros."""
        spatial = convolution.data_dims[2:]
        edge = 0
        if convolution.zero_points and isinstance(convolution.zero_points[0].owner, ConstantOp):
            zero = self._zero_point(convolution.zero_points[0])
            edge = zero if self._is_edge(convolution, zero) else 0
        return self.factor(convolution.data, spatial, edge)

    def _is_edge(self, convolution: Convolution, number: int) -> bool:
        """Whether the padding around a convolution's data holds a number."""
        padded = self._padded(convolution.data)
        return padded is not None and unpadded(padded, convolution.data_dims[2:])[2] == number

    def _padded(self, operand: SSAValue) -> SSAValue | None:
        """The value that a factor is, as it is, when it is one."""
        found = self._narrow(self.expression(operand), operand)
        if not isinstance(found, Element) or not isinstance(found.source, Stored):
            return None
        return found.source.origin if found.dims == tuple(range(len(found.dims))) else None

    def factor(self, operand: SSAValue, spatial: tuple[int, ...], edge: int = 0) -> tuple[Expression, Pads]:
        """The i8 expression of a factor, and the padding with a number around the dimensions `spatial` of it."""
        padded = self._padded(operand)
        source, pads, number = (operand, no_pads(spatial), 0) if padded is None else unpadded(padded, spatial)
        if number != edge or source is padded:
            source, pads = operand, no_pads(spatial)
        return self._narrow(self.expression(source), source), pads

    def _narrow(self, expression: Expression, operand: SSAValue) -> Expression:
        """The expression before it is sign-extended, of every dimension of the operand."""
        while isinstance(expression, Apply) and expression.name == "arith.extsi":
            expression = expression.arguments[0]
        if isinstance(expression, Apply):
            return expression
        shape = tuple(type_of(operand).get_shape())
        if isinstance(expression, Element) and isinstance(expression.source, Stored):
            dims = expression.dims
            if len(dims) == len(set(dims)) == len(shape):
                return expression
            if dims == tuple(dim for dim, extent in enumerate(shape) if extent > 1 or dim in dims):
                return Element(self.view(expression.source, shape), tuple(range(len(shape))), expression.kind)
        return self.element(operand)


def _is_splat(contents: DenseIntOrFPElementsAttr) -> bool:
    """Whether all numbers are one, without unpacking them."""
    data, size = contents.data.data, contents.get_element_type().compile_time_size
    return data == data[:size] * (len(data) // size)


def accumulators(expression: Expression) -> list[Element]:
    """The different convolution results that an expression reads."""
    return [element for element in elements(expression) if isinstance(element.source, Convolution)]


def narrow_parts(expression: Expression) -> list[Apply]:
    """The outermost i8 parts of an expression that hold a convolution: where it may be stored."""
    found: dict[Apply, None] = {}
    seen: set[Expression] = set()
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if part in seen or not isinstance(part, Apply):
            continue
        seen.add(part)
        if part.kind == i8 and accumulators(part):
            found[part] = None
        else:
            waiting.extend(reversed(part.arguments))
    return list(found)
