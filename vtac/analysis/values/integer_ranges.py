"""Between which integers the result of an operation on integers lies, by the ranges of its operands.

A sum or product that may leave its type wraps: then nothing is known but the type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerType
from xdsl.ir import Attribute, Operation

Range: TypeAlias = tuple[int, int]

INDEX_BITS = 64


def width_of(kind: Attribute) -> int | None:
    """Bits of an integer type, None for another type."""
    if isinstance(kind, IndexType):
        return INDEX_BITS
    return kind.bitwidth if isinstance(kind, IntegerType) else None


def type_range(bits: int) -> Range:
    """The signed integers of some bits; of none it is zero alone."""
    return (0, 0) if bits == 0 else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def result_range(op: Operation, operands: Sequence[Range]) -> Range:
    """The range of an integer operation's one result; that of its type where nothing is known."""
    whole = type_range(width_of(op.results[0].type) or INDEX_BITS)
    low, high = unwrapped_range(op, operands)
    return (low, high) if whole[0] <= low and high <= whole[1] else whole


def unwrapped_range(op: Operation, operands: Sequence[Range]) -> Range:
    """The range of what an operation computes before it wraps to its type; that of the type where nothing is known."""
    rule = _RULES.get(type(op)) or next((_RULES[kind] for kind in _RULES if isinstance(op, kind)), None)
    return _anything(op) if rule is None else rule(op, operands)


def _anything(op: Operation) -> Range:
    return type_range(width_of(op.results[0].type) or INDEX_BITS)


def product_range(left: Range, right: Range) -> Range:
    """The range of a product of two numbers."""
    corners = [a * b for a in left for b in right]
    return min(corners), max(corners)


def _shift_right(op: Operation, operands: Sequence[Range]) -> Range:
    (low, high), (few, many) = operands
    if few < 0 or many > INDEX_BITS:
        return _anything(op)
    return min(low >> few, low >> many), max(high >> few, high >> many)


def _shift_left(op: Operation, operands: Sequence[Range]) -> Range:
    (low, high), (few, many) = operands
    if few < 0 or many > INDEX_BITS:
        return _anything(op)
    return min(low << few, low << many), max(high << few, high << many)


def _unsigned(op: Operation, operands: Sequence[Range]) -> Range:
    bits = width_of(op.operands[0].type) or INDEX_BITS
    low, high = operands[0]
    return (low, high) if low >= 0 else (0, (1 << bits) - 1)


def _and(op: Operation, operands: Sequence[Range]) -> Range:
    masks = [high for low, high in operands if low >= 0]
    return (0, min(masks)) if masks else _anything(op)


def _choice(op: Operation, operands: Sequence[Range]) -> Range:
    *_, left, right = operands
    return min(left[0], right[0]), max(left[1], right[1])


_RULES: dict[type[Operation], Callable[[Operation, Sequence[Range]], Range]] = {
    arith.AddiOp: lambda op, r: (r[0][0] + r[1][0], r[0][1] + r[1][1]),
    arith.SubiOp: lambda op, r: (r[0][0] - r[1][1], r[0][1] - r[1][0]),
    arith.MuliOp: lambda op, r: product_range(r[0], r[1]),
    arith.MaxSIOp: lambda op, r: (max(r[0][0], r[1][0]), max(r[0][1], r[1][1])),
    arith.MinSIOp: lambda op, r: (min(r[0][0], r[1][0]), min(r[0][1], r[1][1])),
    arith.ShRSIOp: _shift_right,
    arith.ShLIOp: _shift_left,
    arith.ExtSIOp: lambda op, r: r[0],
    arith.ExtUIOp: _unsigned,
    arith.TruncIOp: lambda op, r: r[0],
    arith.IndexCastOp: lambda op, r: r[0],
    arith.AndIOp: _and,
    arith.SelectOp: _choice,
}
