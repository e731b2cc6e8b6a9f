"""Whether a product's depth can be filled up with zeros: behind its range, a variable leaves both operands."""

from __future__ import annotations

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.nest import shape_of
from vtac.analysis.operations.structured_view import Operand, StructuredView


def leaves_operands(view: StructuredView[int], variable: int) -> bool:
    """Whether every input is left, so that zeros are read, by all values of a variable that its extent is not above."""
    return all(_leaves(operand, variable, view.extent(variable)) for operand in view.inputs)


def _leaves(operand: Operand[int], variable: int, extent: int) -> bool:
    """Whether one dimension's index is the variable, perhaps shifted, and ends with the operand or behind it."""
    for index, size in zip(operand.indices, shape_of(operand.value), strict=True):
        first = index.without(variable)
        if index - first == Linear.variable(variable) and first.is_constant and first.constant + extent >= size:
            return True
    return False
