"""Bodies of contractions: acc + a * b, acc + a, or max(acc, a), with operands widened and zero points subtracted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from xdsl.dialects import arith
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import BlockArgument, Operation, SSAValue

Kind: TypeAlias = Literal["product", "max", "sum"]
_SUMS = arith.AddiOp | arith.AddfOp
_MAXIMA = arith.MaxSIOp | arith.MaximumfOp | arith.MaxnumfOp


@dataclass(frozen=True)
class ContractionBody:
    """`factors` are the positions of the inputs that count, `zero_points` those of what is subtracted from each."""

    kind: Kind
    factors: tuple[int, ...]
    zero_points: tuple[int, ...] = ()


def match_body(op: LinalgStructuredOperation) -> ContractionBody | str:
    """The body of an op, or the first difference from one."""
    block = op.body.block
    last = cast(Operation, block.last_op)
    total = last.operands[0].owner
    if not isinstance(total, _SUMS | _MAXIMA):
        return f"expected arith.addi or arith.maxsi at the end of the body, found {_name(total)}"
    accumulator = block.args[-1]
    if accumulator not in total.operands:
        return f"expected {total.name} of the accumulator (the last argument of the body)"
    other = total.rhs if total.lhs is accumulator else total.lhs
    if isinstance(total, _MAXIMA) or not isinstance(other.owner, arith.MuliOp):
        factor = _factor(other)
        if isinstance(factor, str) or factor[1] is not None:
            return (
                f"expected arith.muli of two inputs, or one input, added to the accumulator, found {_name(other.owner)}"
            )
        return ContractionBody("max" if isinstance(total, _MAXIMA) else "sum", (factor[0],))
    factors = [_factor(other.owner.lhs), _factor(other.owner.rhs)]
    for factor in factors:
        if isinstance(factor, str):
            return factor
    (left, left_zero), (right, right_zero) = cast("list[tuple[int, int | None]]", factors)
    zeros = () if left_zero is None or right_zero is None else (left_zero, right_zero)
    if (left_zero is None) != (right_zero is None):
        return "expected zero points for both factors or for none"
    return ContractionBody("product", (left, right), zeros)


def _factor(value: SSAValue) -> tuple[int, int | None] | str:
    """(position of the input, position of its zero point) of extsi(input) - zero point."""
    zero: int | None = None
    if isinstance(value.owner, arith.SubiOp):
        subtracted = _argument(value.owner.rhs)
        if subtracted is None:
            return "expected a zero point that is an operand"
        value, zero = value.owner.lhs, subtracted
    position = _argument(value)
    if position is None:
        return f"expected an input, sign-extended by arith.extsi, as factor, found {_name(value.owner)}"
    return position, zero


def _argument(value: SSAValue) -> int | None:
    if isinstance(value.owner, arith.ExtSIOp):
        value = value.owner.input
    return value.index if isinstance(value, BlockArgument) else None


def _name(owner: object) -> str:
    return owner.name if isinstance(owner, Operation) else "an input"
