"""Numbers under a name: variables of constants, and what is made of them by sums and products."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Operation, SSAValue
from xdsl.utils.exceptions import VerifyException


def known_number(value: SSAValue) -> int | None:
    """The number that an index is made of without launch, loops and data; None for any other."""
    op = value.owner
    if isinstance(op, arith.ConstantOp) and isinstance(op.value, IntegerAttr):
        return op.value.value.data
    if not isinstance(op, Operation) or not (
        isinstance(op, arith.AddiOp | arith.SubiOp | arith.MuliOp) or op.name == "wmma.variable"
    ):
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
