"""Which floating-point tensors of a function can be integers, and are wanted as such.

A tensor is wanted where an operation computes integers from it, or where it is the product of two
factors, which the VTA multiplies as integers; and then so is every tensor that it is computed from.
"""

from __future__ import annotations

from typing import cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import AnyFloat
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, TransposeOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.scalar_facts import takes_or_gives_floats
from vtac.analysis.scaled_integers import Known, Scaled
from vtac.analysis.value_facts import RESHAPES, ValueFacts, element_of
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


class ScaledPlan:
    """The operations of a function that are converted to integers; `facts` say what is known of its values."""

    def __init__(self, function: FuncOp) -> None:
        self.facts = ValueFacts(function)
        self.operations: set[Operation] = set()
        wanted: set[SSAValue] = set()
        for op in reversed(list(function.body.block.ops)):
            if self._is_wanted(op, wanted) and self._is_convertible(op):
                self.operations.add(op)
                wanted.update(filter(is_float_tensor, op.operands))

    def fact(self, value: SSAValue) -> Scaled | Known:
        """What is known of a value of a converted operation."""
        return cast("Scaled | Known", self.facts.of(value))

    def _is_wanted(self, op: Operation, wanted: set[SSAValue]) -> bool:
        if any(result in wanted for result in op.results):
            return isinstance(self.facts.of(op.results[0]), Scaled)
        if not isinstance(op, LinalgStructuredOperation) or len(op.res) != 1:
            return False
        if op in self.facts.contractions:
            return len(self.facts.contractions[op].factors) == 2 and is_float_tensor(op.res[0])
        return not is_float_tensor(op.res[0]) and any(map(takes_or_gives_floats, op.body.block.ops))

    def _is_convertible(self, op: Operation) -> bool:
        if isinstance(op, arith.ConstantOp):
            return True
        if isinstance(op, LAYOUTS):
            return not any(isinstance(self.facts.of(value), str) for value in filter(is_float_tensor, self._read(op)))
        if not isinstance(op, LinalgStructuredOperation) or len(op.res) != 1:
            return False
        if op in self.facts.contractions:
            return isinstance(self.facts.of(op.res[0]), Scaled)
        return op in self.facts.bodies and self._is_convertible_body(op)

    def _read(self, op: Operation) -> list[SSAValue]:
        """The operands whose contents count."""
        return list(op.operands[:1] if isinstance(op, BroadcastOp | TransposeOp) else op.operands)

    def _is_convertible_body(self, op: LinalgStructuredOperation) -> bool:
        body, facts = op.body.block, self.facts.bodies[op]
        if is_float_tensor(op.outputs[0]) and body.args[-1].uses:
            return False
        floats = [*body.args[:-1], *(result for inner in body.ops for result in inner.results)]
        used = (value for value in floats if isinstance(value.type, AnyFloat) and value.uses)
        if any(isinstance(facts.get(value), str) for value in used):
            return False
        return all(
            not isinstance(inner, arith.FPToSIOp | arith.FPToUIOp) or not self._fails(op, inner) for inner in body.ops
        )

    def _fails(self, op: LinalgStructuredOperation, inner: Operation) -> bool:
        return isinstance(self.facts.bodies[op].get(inner.results[0]), str)


def is_float_tensor(value: SSAValue) -> bool:
    """Whether a value is a tensor of floating-point numbers."""
    return isinstance(element_of(value), AnyFloat) and value.type is not element_of(value)
