"""Bodies of contractions: acc + a * b, acc + a, or max(acc, a), with operands widened and zero points subtracted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from xdsl.dialects import arith
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

Kind: TypeAlias = Literal["product", "max", "sum"]
Widening: TypeAlias = Literal["signed", "unsigned", "float"]
_SUMS = arith.AddiOp | arith.AddfOp
_MAXIMA = arith.MaxSIOp | arith.MaximumfOp | arith.MaxnumfOp
_PRODUCTS = arith.MuliOp | arith.MulfOp


@dataclass(frozen=True, slots=True)
class Factor:
    """One of the scalars that count: the input at `position`, widened, less the input at `zero_point`."""

    position: int
    widening: Widening | None = None
    zero_point: int | None = None


@dataclass(frozen=True, slots=True)
class ContractionBody:
    """What is added to the accumulator, or compared with it: the product of two factors, or one factor."""

    kind: Kind
    factors: tuple[Factor, ...]


def match_body(body: Block) -> ContractionBody | str:
    """The contraction that a body is, whose last argument is the accumulator; else the first difference from one."""
    total = cast(Operation, body.last_op).operands[0].owner
    if not isinstance(total, _SUMS | _MAXIMA):
        return f"expected arith.addi or arith.maxsi at the end of the body, found {name_of(total)}"
    accumulator = body.args[-1]
    if accumulator not in total.operands:
        return f"expected {total.name} of the accumulator (the last argument of the body)"
    other = total.rhs if total.lhs is accumulator else total.lhs
    product = other.owner
    if isinstance(total, _MAXIMA) or not isinstance(product, _PRODUCTS):
        factor = _factor(other)
        if isinstance(factor, str) or factor.zero_point is not None or other is accumulator:
            wanted = "arith.mulf" if isinstance(total, arith.AddfOp) else "arith.muli"
            return f"expected {wanted} of two inputs, or one input, added to the accumulator, found {name_of(product)}"
        return ContractionBody("max" if isinstance(total, _MAXIMA) else "sum", (factor,))
    left, right = _factor(product.lhs), _factor(product.rhs)
    if isinstance(left, str) or isinstance(right, str):
        return left if isinstance(left, str) else str(right)
    return ContractionBody("product", (left, right))


def _factor(value: SSAValue) -> Factor | str:
    """The factor that extend(input) - extend(zero point) is."""
    zero: int | None = None
    if isinstance(value.owner, arith.SubiOp):
        subtracted, _ = _argument(value.owner.rhs)
        if subtracted is None:
            return "expected a zero point that is an operand"
        value, zero = value.owner.lhs, subtracted
    position, widening = _argument(value)
    if position is None:
        return f"expected an input, sign-extended by arith.extsi, as factor, found {name_of(value.owner)}"
    return Factor(position, widening, zero)


def _argument(value: SSAValue) -> tuple[int | None, Widening | None]:
    widening: Widening | None = None
    owner = value.owner
    if isinstance(owner, arith.ExtSIOp | arith.ExtUIOp | arith.ExtFOp):
        widening = "float" if isinstance(owner, arith.ExtFOp) else "signed"
        widening = "unsigned" if isinstance(owner, arith.ExtUIOp) else widening
        value = owner.operands[0]
    return (value.index if isinstance(value, BlockArgument) else None), widening


def name_of(owner: object) -> str:
    """What computes a value, for a message."""
    return owner.name if isinstance(owner, Operation) else "an input"
