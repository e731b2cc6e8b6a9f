"""Which tensors of a function get another type, and which operations are rewritten for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import IntegerType, i8, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, TransposeOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.types.tensor_types import element_of
from vtac.analysis.values.scaled_integers import INT8, Known, Scaled
from vtac.analysis.values.value_facts import ValueFacts
from vtac.dialects.packing import JoinOp

LAYOUTS = (
    BroadcastOp,
    TransposeOp,
    tensor.PadOp,
    tensor.ConcatOp,
    JoinOp,
    tensor.ExtractSliceOp,
    tensor.InsertSliceOp,
    *RESHAPES,
)


class TensorPlan(ABC):
    """The `operations` that are rewritten, whose results and operands among `wanted` get another type.

    Operations are wanted where their results are; those that make what is not converted, of what
    is, are where it starts.
    """

    def __init__(self, function: FuncOp) -> None:
        self.facts = ValueFacts(function)
        self.operations: set[Operation] = set()
        self.wanted: set[SSAValue] = set()
        self.feasible: set[SSAValue] = set()
        ops = list(function.body.block.ops)
        found = {op for op in ops if self._is_feasible(op)}
        for op in reversed(ops):
            if op in found and (any(map(self.wanted.__contains__, op.results)) or self.is_start(op)):
                self.operations.add(op)
                self.wanted.update(self.converted_operands(op))

    @abstractmethod
    def must_convert(self, value: SSAValue) -> bool:
        """Whether an operation on a value can only be rewritten with another type for it."""

    @abstractmethod
    def is_start(self, op: Operation) -> bool:
        """Whether an operation that can be rewritten is, wanted by others or not."""

    @abstractmethod
    def is_convertible(self, op: Operation) -> bool:
        """Whether an operation can be rewritten, if its operands are."""

    def is_folded(self, value: SSAValue) -> bool:
        """Whether rewritten elementwise operations hold a constant operand in their bodies."""
        return self.must_convert(value) and isinstance(self.facts.of(value), Known)

    def converted_operands(self, op: Operation) -> list[SSAValue]:
        """The operands of a rewritten operation that get another type."""
        return [v for v in read_operands(op) if self.must_convert(v) and not isinstance(self.facts.of(v), Known)]

    def _is_feasible(self, op: Operation) -> bool:
        if not self.is_convertible(op):
            return False
        needed = filter(self.must_convert, read_operands(op))
        if any(value not in self.feasible and not isinstance(self.facts.of(value), Known) for value in needed):
            return False
        self.feasible.update(op.results)
        return True

    def fact(self, value: SSAValue) -> Scaled | Known:
        """What is known of a value of a rewritten operation."""
        return cast("Scaled | Known", self.facts.of(value))

    def offset(self, value: SSAValue) -> int:
        """What is to be added to the integers of a tensor's new form."""
        return 0

    def element(self, value: SSAValue) -> IntegerType:
        """The element type of a tensor in the rewritten program: i8 where its integers fit, else i32."""
        if value not in self.wanted:
            return cast(IntegerType, element_of(value))
        return i8 if cast(Scaled, self.fact(value)).within(*INT8) else i32


def read_operands(op: Operation) -> list[SSAValue]:
    """The operands whose contents count: not the ones that elementwise operations write over."""
    if isinstance(op, BroadcastOp | TransposeOp):
        return list(op.operands[:1])
    if isinstance(op, LinalgStructuredOperation) and op.outputs:
        is_written = not op.body.block.args[-1].uses
        return list(op.inputs if is_written else op.operands)
    return [] if isinstance(op, arith.ConstantOp) else list(op.operands)
