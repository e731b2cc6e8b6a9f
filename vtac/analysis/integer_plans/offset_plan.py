"""Factors of products as bytes and what is subtracted from them: zero points of operations, or of (a - z) in i32.

A tensor of i32 whose integers span at most 256 values is a byte plus its offset.
"""

from __future__ import annotations

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import IntegerType, i8, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Operation, SSAValue

from vtac.analysis.integer_plans.narrow_plan import is_tensor, is_usual_body
from vtac.analysis.integer_plans.tensor_plan import LAYOUTS, TensorPlan, read_operands
from vtac.analysis.operations.contraction import Contraction, match_contraction
from vtac.analysis.operations.contraction_bodies import Factor
from vtac.analysis.operations.structured_view import structured_view
from vtac.analysis.types.tensor_types import element_of
from vtac.analysis.values.scaled_integers import INT8, Channels, Known, Scaled

_FARTHEST = 1 << 10
"""Zero points of kernels beyond it are none of bytes: the kernel would be the sum of more than eight."""


def has_offsets(function: FuncOp) -> bool:
    """Whether a function has any product where a plan starts: with zero points, or factors that are no bytes."""
    views = [structured_view(op) for op in function.body.block.ops if isinstance(op, LinalgStructuredOperation)]
    found = [match_contraction(view) for view in views if not isinstance(view, str)]
    return any(not isinstance(one, str) and _has_offsets(one) for one in found)


def _has_offsets(found: Contraction[int]) -> bool:
    values = [operand.value for operand in found.operands]
    return any(f.zero_point is not None or element_of(v) != i8 for f, v in zip(found.factors, values, strict=True))


class OffsetPlan(TensorPlan):
    """The products of a function that have zero points; `offsets` are those of the tensors that can be bytes."""

    def __init__(self, function: FuncOp) -> None:
        self.offsets: dict[SSAValue, int] = {}
        super().__init__(function)

    def must_convert(self, value: SSAValue) -> bool:
        return False

    def is_folded(self, value: SSAValue) -> bool:
        return False

    def element(self, value: SSAValue) -> IntegerType:
        return i8 if value in self.wanted else super().element(value)

    def offset(self, value: SSAValue) -> int:
        return self.offsets[value] if value in self.wanted else 0

    def converted_operands(self, op: Operation) -> list[SSAValue]:
        return [v for v in read_operands(op) if v in self.offsets] if self._passes_on(op) else []

    def _passes_on(self, op: Operation) -> bool:
        return op in self.facts.contractions or (isinstance(op, LAYOUTS) and op.results[0] in self.wanted)

    def is_start(self, op: Operation) -> bool:
        if op not in self.facts.contractions or not isinstance(op, LinalgStructuredOperation):
            return False
        return _has_offsets(self.facts.contractions[op])

    def is_convertible(self, op: Operation) -> bool:
        if op in self.facts.contractions and isinstance(op, LinalgStructuredOperation):
            found = self.facts.contractions[op]
            is_sum = found.kind == "product" and element_of(op.res[0]) == i32
            return is_sum and all(self._is_byte(op, factor) for factor in found.factors)
        if len(op.results) != 1 or not is_tensor(op.results[0]) or element_of(op.results[0]) != i32:
            return False
        offset = self._offset(op)
        if offset is not None:
            self.offsets[op.results[0]] = offset
        return offset is not None

    def _is_byte(self, op: LinalgStructuredOperation, factor: Factor) -> bool:
        value = op.inputs[factor.position]
        is_byte = value in self.offsets or (element_of(value) == i8 and factor.widening != "unsigned")
        zero = 0 if factor.zero_point is None else self.zero_point(op, factor)
        return is_byte and zero is not None

    def zero_point(self, op: LinalgStructuredOperation, factor: Factor) -> int | None:
        """What an operation subtracts from a factor, None for no constant, or a kernel's far from all bytes."""
        if factor.zero_point is None:
            return 0
        fact = self.facts.of(op.inputs[factor.zero_point])
        if not isinstance(fact, Known) or isinstance(fact.numbers, Channels):
            return None
        zero = int(fact.numbers)
        return zero if factor.position == 0 or abs(zero) <= _FARTHEST else None

    def _offset(self, op: Operation) -> int | None:
        """What the bytes of a tensor lack, None where it is none of bytes."""
        if isinstance(op, LAYOUTS):
            return self._offset_of_layout(op)
        fact = self.facts.of(op.results[0])
        if not isinstance(fact, Scaled) or fact.high - fact.low > INT8[1] - INT8[0]:
            return None
        is_body = isinstance(op, LinalgStructuredOperation) and op in self.facts.bodies and is_usual_body(op)
        if not is_body and not isinstance(op, arith.ConstantOp):
            return None
        return 0 if fact.within(*INT8) else fact.low - INT8[0]

    def _offset_of_layout(self, op: Operation) -> int | None:
        sources = [value for value in read_operands(op) if is_tensor(value)]
        found = {self.offsets.get(value) for value in sources}
        if len(found) != 1 or None in found:
            return None
        offset = found.pop()
        if isinstance(op, tensor.PadOp) and offset is not None:
            last = op.region.block.last_op
            fact = "" if last is None else self.facts.of(last.operands[0])
            is_byte = isinstance(fact, Known) and all(INT8[0] <= v - offset <= INT8[1] for v in fact.values)
            return offset if is_byte else None
        return offset
