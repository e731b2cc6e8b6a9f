"""Which floating-point tensors of a function can be integers, and are wanted as such.

A tensor is wanted where an operation computes integers from it, or where it is the product of two
factors, which the VTA multiplies as integers; and then so is every tensor that it is computed from.
"""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Operation, SSAValue

from vtac.analysis.integer_plans.tensor_plan import LAYOUTS, TensorPlan
from vtac.analysis.types.tensor_types import element_of
from vtac.analysis.values.scalar_facts import takes_or_gives_floats
from vtac.analysis.values.scaled_integers import Known, Scaled


class ScaledPlan(TensorPlan):
    """The operations of a function on floats that are converted to integers."""

    def must_convert(self, value: SSAValue) -> bool:
        return is_float_tensor(value)

    def is_folded(self, value: SSAValue) -> bool:
        return isinstance(element_of(value), AnyFloat) and isinstance(self.facts.of(value), Known)

    def is_start(self, op: Operation) -> bool:
        if not isinstance(op, LinalgStructuredOperation) or len(op.res) != 1:
            return False
        if op in self.facts.contractions:
            return len(self.facts.contractions[op].factors) == 2 and is_float_tensor(op.res[0])
        return not is_float_tensor(op.res[0]) and any(map(takes_or_gives_floats, op.body.block.ops))

    def is_convertible(self, op: Operation) -> bool:
        if isinstance(op, (arith.ConstantOp, *LAYOUTS)):
            return is_float_tensor(op.results[0]) and isinstance(self.facts.of(op.results[0]), Scaled)
        if not isinstance(op, LinalgStructuredOperation) or len(op.res) != 1:
            return False
        if is_float_tensor(op.res[0]) and not isinstance(self.facts.of(op.res[0]), Scaled):
            return False
        if op in self.facts.contractions:
            return is_float_tensor(op.res[0])
        return op in self.facts.bodies and self._is_convertible_body(op)

    def _is_convertible_body(self, op: LinalgStructuredOperation) -> bool:
        body, facts = op.body.block, self.facts.bodies[op]
        if is_float_tensor(op.outputs[0]) and body.args[-1].uses:
            return False
        floats = [*body.args[:-1], *(result for inner in body.ops for result in inner.results)]
        used = (value for value in floats if isinstance(value.type, AnyFloat) and value.uses)
        whole = (inner.results[0] for inner in body.ops if isinstance(inner, arith.FPToSIOp | arith.FPToUIOp))
        return not any(isinstance(facts.get(value), str) for value in (*used, *whole))


def is_float_tensor(value: SSAValue) -> bool:
    """Whether a value is a tensor of floating-point numbers."""
    return isinstance(element_of(value), AnyFloat) and value.type is not element_of(value)
