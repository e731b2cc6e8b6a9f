"""Scalars that are numbers or z3 terms, and what the operations of `arith` and `math` make of them.

An integer is a signed Python number, or a bit vector of its type's width; a float is a z3 term. What an
operation leaves undefined (a shift beyond the width, a conversion that does not fit) is collected in
`defined`: conditions that a program may be assumed to meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

import z3
from xdsl.dialects.arith import CmpfOp, CmpiOp, ConstantOp
from xdsl.dialects.builtin import AnyFloat, Float32Type, FloatAttr, IndexType, IntegerAttr, IntegerType
from xdsl.ir import Attribute, Operation

Scalar: TypeAlias = "int | z3.BitVecRef | z3.FPRef"
Integer: TypeAlias = "int | z3.BitVecRef"

_NEAREST = z3.RNE()


def wrapped(number: int, bits: int) -> int:
    """The signed number that the low `bits` bits of a number are."""
    return ((number + (1 << (bits - 1))) & ((1 << bits) - 1)) - (1 << (bits - 1))


def term(value: Scalar, bits: int) -> z3.BitVecRef:
    """An integer as a bit vector."""
    if isinstance(value, z3.FPRef):
        raise TypeError(f"{value} is no integer")
    return z3.BitVecVal(value, bits) if isinstance(value, int) else value


def settled(value: z3.BitVecRef) -> Integer:
    """A bit vector, as a number where it is one."""
    found = z3.simplify(value)
    return found.as_signed_long() if isinstance(found, z3.BitVecNumRef) else found


def resized(value: Scalar, source: int, target: int, *, signed: bool = True) -> Integer:
    """An integer of `source` bits with `target` bits."""
    if isinstance(value, int):
        return wrapped(value if signed else value & ((1 << source) - 1), target)
    bits = term(value, source)
    if target <= source:
        return z3.Extract(target - 1, 0, bits) if target < source else bits
    return (z3.SignExt if signed else z3.ZeroExt)(target - source, bits)


def width(kind: Attribute) -> int:
    """Bits of an integer type; an index has 64."""
    if isinstance(kind, IndexType):
        return 64
    if not isinstance(kind, IntegerType):
        raise TypeError(f"{kind} is no integer type")
    return kind.bitwidth


_BINARY: dict[str, Callable[[z3.BitVecRef, z3.BitVecRef], z3.BitVecRef]] = {
    "arith.addi": lambda a, b: a + b,
    "arith.subi": lambda a, b: a - b,
    "arith.muli": lambda a, b: a * b,
    "arith.andi": lambda a, b: a & b,
    "arith.ori": lambda a, b: a | b,
    "arith.xori": lambda a, b: a ^ b,
    "arith.maxsi": lambda a, b: z3.If(a > b, a, b),
    "arith.minsi": lambda a, b: z3.If(a < b, a, b),
    "arith.maxui": lambda a, b: z3.If(z3.UGT(a, b), a, b),
    "arith.minui": lambda a, b: z3.If(z3.ULT(a, b), a, b),
}
_QUICK: dict[str, Callable[[int, int], int]] = {
    "arith.addi": lambda a, b: a + b,
    "arith.subi": lambda a, b: a - b,
    "arith.muli": lambda a, b: a * b,
    "arith.maxsi": max,
    "arith.minsi": min,
}
"""The same of numbers, which most elements are."""
_SHIFTS: dict[str, Callable[[z3.BitVecRef, z3.BitVecRef], z3.BitVecRef]] = {
    "arith.shli": lambda a, b: a << b,
    "arith.shrsi": lambda a, b: a >> b,
    "arith.shrui": z3.LShR,
}
_FLOATS: dict[str, Callable[[z3.FPRef, z3.FPRef], z3.FPRef]] = {
    "arith.addf": lambda a, b: z3.fpAdd(_NEAREST, a, b),
    "arith.subf": lambda a, b: z3.fpSub(_NEAREST, a, b),
    "arith.mulf": lambda a, b: z3.fpMul(_NEAREST, a, b),
    "arith.divf": lambda a, b: z3.fpDiv(_NEAREST, a, b),
    "arith.maximumf": z3.fpMax,
    "arith.minimumf": z3.fpMin,
    "arith.maxnumf": z3.fpMax,
    "arith.minnumf": z3.fpMin,
}
_ROUNDINGS: dict[str, z3.FPRMRef] = {
    "math.roundeven": z3.RNE(),
    "math.floor": z3.RTN(),
    "math.ceil": z3.RTP(),
    "math.trunc": z3.RTZ(),
}
_COMPARISONS: tuple[Callable[[z3.BitVecRef, z3.BitVecRef], z3.BoolRef], ...] = (
    lambda a, b: a == b,
    lambda a, b: a != b,
    lambda a, b: a < b,
    lambda a, b: a <= b,
    lambda a, b: a > b,
    lambda a, b: a >= b,
    z3.ULT,
    z3.ULE,
    z3.UGT,
    z3.UGE,
)
"""By the number of the predicate of `arith.cmpi`."""
_FLOAT_COMPARISONS: dict[int, Callable[[z3.FPRef, z3.FPRef], z3.BoolRef]] = {
    2: z3.fpGT,
    3: z3.fpGEQ,
    4: z3.fpLT,
    5: z3.fpLEQ,
    9: z3.fpGT,
    10: z3.fpGEQ,
    11: z3.fpLT,
    12: z3.fpLEQ,
}
"""By the number of the predicate of `arith.cmpf`; nothing here makes a NaN, so that ordered or not is the same."""


@dataclass
class Scalars:
    """Evaluates scalar operations."""

    defined: list[z3.BoolRef] = field(default_factory=list[z3.BoolRef])

    def apply(self, op: Operation, operands: Sequence[Scalar]) -> Scalar:
        """The result of an operation. Raises `NotImplementedError` for one that has no meaning here."""
        if isinstance(op, ConstantOp):
            return constant(op.value)
        name, kind = op.name, op.results[0].type
        if name in _BINARY:
            if name in _QUICK and all(isinstance(value, int) for value in operands):
                return wrapped(_QUICK[name](*cast("Sequence[int]", operands)), width(kind))
            left, right = (term(value, width(kind)) for value in operands)
            return settled(_BINARY[name](left, right))
        if name in _SHIFTS:
            return self._shift(name, operands, width(kind))
        if name in _FLOATS:
            return _FLOATS[name](*cast("Sequence[z3.FPRef]", operands))
        if name in _ROUNDINGS:
            return z3.fpRoundToIntegral(_ROUNDINGS[name], cast(z3.FPRef, operands[0]))
        if isinstance(op, CmpiOp | CmpfOp) or name == "arith.select":
            return _chosen(op, operands)
        return self._converted(op, operands[0], kind)

    def _shift(self, name: str, operands: Sequence[Scalar], bits: int) -> Integer:
        if name != "arith.shrui" and isinstance(x := operands[0], int) and operands[1] in range(bits):
            return wrapped(x << cast(int, operands[1]) if name == "arith.shli" else x >> cast(int, operands[1]), bits)
        value, amount = (term(operand, bits) for operand in operands)
        self._assume(z3.ULT(amount, z3.BitVecVal(bits, bits)))
        return settled(_SHIFTS[name](value, amount))

    def _assume(self, condition: z3.BoolRef) -> None:
        if not z3.is_true(z3.simplify(condition)):
            self.defined.append(condition)

    def _converted(self, op: Operation, value: Scalar, kind: Attribute) -> Scalar:
        source = op.operands[0].type
        match op.name:
            case "arith.extsi" | "arith.trunci" | "arith.index_cast":
                return resized(value, width(source), width(kind))
            case "arith.extui":
                return resized(value, width(source), width(kind), signed=False)
            case "arith.sitofp":
                return z3.fpSignedToFP(_NEAREST, term(value, width(source)), _sort(kind))
            case "arith.uitofp":
                return z3.fpUnsignedToFP(_NEAREST, term(value, width(source)), _sort(kind))
            case "arith.extf" | "arith.truncf":
                return z3.fpFPToFP(_NEAREST, cast(z3.FPRef, value), _sort(kind))
            case "arith.fptosi" | "arith.fptoui":
                return self._to_integer(cast(z3.FPRef, value), width(kind), signed=op.name == "arith.fptosi")
            case _:
                raise NotImplementedError(f"'{op.name}' has no symbolic meaning")

    def _to_integer(self, value: z3.FPRef, bits: int, *, signed: bool) -> z3.BitVecRef:
        """Toward zero, where the number fits."""
        least, most = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        whole = z3.fpRoundToIntegral(z3.RTZ(), value)
        self.defined.append(z3.fpGEQ(whole, z3.FPVal(float(least), value.sort())))
        self.defined.append(z3.fpLT(whole, z3.FPVal(float(most + 1), value.sort())))
        convert = z3.fpToSBV if signed else z3.fpToUBV
        return convert(z3.RTZ(), value, z3.BitVecSort(bits))


def constant(value: Attribute) -> Scalar:
    """A number of the IR."""
    if isinstance(value, FloatAttr):
        real = cast("FloatAttr[AnyFloat]", value)
        return z3.FPVal(real.value.data, _sort(real.type))
    if isinstance(value, IntegerAttr):
        integer = cast("IntegerAttr[IntegerType | IndexType]", value)
        return wrapped(integer.value.data, width(integer.type))
    raise NotImplementedError(f"{value} is no number")


def _sort(kind: Attribute) -> z3.FPSortRef:
    return z3.Float32() if isinstance(kind, Float32Type) else z3.Float64()


def _chosen(op: Operation, operands: Sequence[Scalar]) -> Scalar:
    """Comparisons, as one bit, and selections by it."""
    if isinstance(op, CmpfOp):
        found = _FLOAT_COMPARISONS[op.predicate.value.data](*cast("Sequence[z3.FPRef]", operands))
        return settled(_bit(found))
    if isinstance(op, CmpiOp):
        bits = width(op.lhs.type)
        left, right = (term(value, bits) for value in operands)
        return settled(_bit(_COMPARISONS[op.predicate.value.data](left, right)))
    condition, chosen, otherwise = operands
    is_set = term(condition, 1) == z3.BitVecVal(1, 1)
    kind = op.results[0].type
    if isinstance(chosen, z3.FPRef) and isinstance(otherwise, z3.FPRef):
        return z3.If(is_set, chosen, otherwise)
    return settled(z3.If(is_set, term(chosen, width(kind)), term(otherwise, width(kind))))


def _bit(condition: z3.BoolRef) -> z3.BitVecRef:
    return z3.If(condition, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))
