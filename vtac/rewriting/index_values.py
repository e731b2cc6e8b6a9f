"""Host-side index arithmetic for the vta level: expressions become few, shared operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineMap

from vtac.analysis.expressions.affine_expressions import dimension, to_affine
from vtac.analysis.expressions.linear import Extents, Linear
from vtac.analysis.nests.nest import outermost_first
from vtac.dialects.frequent import INDEX, index_attribute
from vtac.dialects.making import make_op
from vtac.dialects.vta.memory import Amount
from vtac.rewriting.made_operations import binary


def apply_map(operands: Sequence[SSAValue], results: AffineMap) -> ApplyOp:
    """An `affine.apply` of a map with one result."""
    return make_op(ApplyOp, operands=operands, properties={"map": AffineMapAttr(results)}, result_types=[INDEX])


def index_constant(value: int) -> arith.ConstantOp:
    """A number as an index."""
    return make_op(arith.ConstantOp, result_types=[INDEX], properties={"value": index_attribute(value)})


class HostValues:
    """Builds host values as operations, collected in `operations` for the caller to insert."""

    def __init__(self, extents: Extents) -> None:
        self.extents = extents
        self.operations: list[Operation] = []
        self._known: dict[Linear, Amount] = {}

    def value(self, expression: Linear) -> Amount:
        """A number, a loop variable itself, or one affine.apply."""
        if expression.is_constant:
            return expression.constant
        if expression not in self._known:
            self._known[expression] = self._apply(expression)
        return self._known[expression]

    def _apply(self, expression: Linear) -> Amount:
        if expression.constant == 0 and len(expression.terms) == 1:
            ((atom, factor),) = expression.terms.items()
            if factor == 1 and isinstance(atom, SSAValue):
                return cast(SSAValue, atom)
        used = expression.variables()
        met = [variable for variable in self.extents if variable in used]  # a set has no order of its own
        ordered = outermost_first(met if len(met) == len(used) else used)
        variables = [cast(SSAValue, variable) for variable in ordered]
        place = {variable: dimension(position) for position, variable in enumerate(ordered)}
        result = to_affine(expression, place.__getitem__)
        return self._add(apply_map(variables, AffineMap(len(variables), 0, (result,)))).results[0]

    def clamp_below(self, expression: Linear) -> tuple[Amount, Linear | None]:
        """max(expression, 0): as a value, and as an expression when the ranges decide it."""
        low, high = expression.bounds(self.extents)
        if high <= 0:
            return 0, Linear(0)
        if low >= 0:
            return self.value(expression), expression
        larger = binary(arith.MaxSIOp, self.materialise(self.value(expression)), self.materialise(0))
        return self._add(larger).results[0], None

    def add(self, left: Amount, right: Amount) -> Amount:
        """left + right, folded when both are numbers."""
        if isinstance(left, int) and isinstance(right, int):
            return left + right
        if left == 0 or right == 0:
            return right if left == 0 else left
        return self._add(binary(arith.AddiOp, self.materialise(left), self.materialise(right))).results[0]

    def subtract(self, left: Amount, right: Amount) -> Amount:
        """left - right, folded when both are numbers."""
        if isinstance(left, int) and isinstance(right, int):
            return left - right
        if right == 0:
            return left
        return self._add(binary(arith.SubiOp, self.materialise(left), self.materialise(right))).results[0]

    def scale(self, value: Amount, factor: int) -> Amount:
        """value * factor."""
        if isinstance(value, int):
            return value * factor
        if factor == 1:
            return value
        return self._add(binary(arith.MuliOp, value, self.materialise(factor))).results[0]

    def at_least(self, value: Amount, minimum: int) -> SSAValue:
        """value >= minimum, as an i1."""
        return self._add(arith.CmpiOp(self.materialise(value), self.materialise(minimum), "sge")).results[0]

    def both(self, left: SSAValue | None, right: SSAValue) -> SSAValue:
        """left and right; right alone when there is no left yet."""
        return right if left is None else self._add(arith.AndIOp(left, right)).results[0]

    def materialise(self, amount: Amount) -> SSAValue:
        """An index value for a number."""
        if isinstance(amount, SSAValue):
            return amount
        return self._add(index_constant(amount)).results[0]

    def _add(self, op: Operation) -> Operation:
        self.operations.append(op)
        return op
