"""Numbers under a name: variables of constants, and what is made of them by sums and products."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr
from xdsl.ir import SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, result_def, traits_def
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException


@irdl_op_definition
class VariableOp(IRDLOperation):
    """An index as a variable of its own in the kernel's text: the index it is given."""

    name = "wmma.variable"
    index = operand_def(IndexType)
    result = result_def(IndexType)
    traits = traits_def(Pure())
    assembly_format = "$index attr-dict"

    def __init__(self, index: SSAValue) -> None:
        super().__init__(operands=[index], result_types=[IndexType()])


def known_number(value: SSAValue) -> int | None:
    """The number that an index is made of without launch, loops and data; None for any other."""
    op = value.owner
    if isinstance(op, arith.ConstantOp) and isinstance(op.value, IntegerAttr):
        return op.value.value.data
    if not isinstance(op, arith.AddiOp | arith.SubiOp | arith.MuliOp | VariableOp):
        return None
    operands = [known_number(operand) for operand in op.operands]
    given = [operand for operand in operands if operand is not None]
    if len(given) != len(operands):
        return None
    if len(given) == 1:
        return given[0]
    if isinstance(op, arith.MuliOp):
        return given[0] * given[1]
    return given[0] + given[1] if isinstance(op, arith.AddiOp) else given[0] - given[1]


def check_named(op: str, named: SSAValue | None, number: int) -> None:
    """Raise where a number's name stands for another one, or for what is no number."""
    if named is not None and (found := known_number(named)) != number:
        shown = "no number" if found is None else found
        raise VerifyException(f"{op}: {number} by a name that is {shown}")
