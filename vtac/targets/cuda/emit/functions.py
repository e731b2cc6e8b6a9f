"""Functions and conversions of scalars as CUDA C++."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import i1
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.dialects.frontend_scalars import ErfcOp, RemFOp
from vtac.targets.cuda.emit.types import scalar_type

FUNCTIONS: Mapping[type[Operation], str] = MappingProxyType(
    {
        math.AbsFOp: "fabsf",
        math.AcosOp: "acosf",
        math.AsinOp: "asinf",
        math.AsinhOp: "asinhf",
        math.AtanOp: "atanf",
        math.Atan2Op: "atan2f",
        math.AtanhOp: "atanhf",
        math.CbrtOp: "cbrtf",
        math.CeilOp: "ceilf",
        math.CopySignOp: "copysignf",
        math.CosOp: "cosf",
        math.CoshOp: "coshf",
        math.ErfOp: "erff",
        math.ExpOp: "expf",
        math.Exp2Op: "exp2f",
        math.ExpM1Op: "expm1f",
        math.FloorOp: "floorf",
        math.FmaOp: "fmaf",
        math.LogOp: "logf",
        math.Log10Op: "log10f",
        math.Log1pOp: "log1pf",
        math.Log2Op: "log2f",
        math.PowFOp: "powf",
        math.RoundOp: "roundf",
        math.RoundEvenOp: "rintf",
        math.RsqrtOp: "rsqrtf",
        math.SinOp: "sinf",
        math.SinhOp: "sinhf",
        math.SqrtOp: "sqrtf",
        math.TanOp: "tanf",
        math.TanhOp: "tanhf",
        math.TruncOp: "truncf",
        RemFOp: "fmodf",
        ErfcOp: "erfcf",
        arith.MaxnumfOp: "fmaxf",
        arith.MinnumfOp: "fminf",
    }
)
"""CUDA's functions of floats. Narrower types go through float: its results are rounded once."""

_UNSIGNED: Mapping[str, str] = MappingProxyType({"i8": "unsigned char", "i16": "unsigned short", "i32": "unsigned int"})


def function_text(op: Operation, text: Callable[[SSAValue], str]) -> str | None:
    """A call of a function of floats; None for any other operation."""
    name = FUNCTIONS.get(type(op))
    if name is None:
        return None
    kind = str(op.results[0].type)
    operands = [text(value) for value in op.operands]
    if kind == "f32":
        return f"{name}({', '.join(operands)})"
    wide = ", ".join(f"static_cast<float>({operand})" for operand in operands)
    return f"static_cast<{scalar_type(op.results[0].type)}>({name}({wide}))"


def conversion_text(op: Operation, text: Callable[[SSAValue], str]) -> str | None:
    """A conversion between types; None for any other operation."""
    if isinstance(op, arith.ExtFOp | arith.TruncFOp | arith.TruncIOp | arith.FPToSIOp):
        return _cast(op.results[0].type, text(op.operands[0]))
    if isinstance(op, arith.ExtSIOp | arith.SIToFPOp):
        value = text(op.operands[0])
        return _cast(op.results[0].type, f"-static_cast<int>({value})" if op.operands[0].type == i1 else value)
    if isinstance(op, arith.IndexCastOp):
        return text(op.operands[0])  # an index is an int
    if isinstance(op, arith.ExtUIOp | arith.UIToFPOp):
        return _cast(op.results[0].type, as_unsigned(op.operands[0].type, text(op.operands[0])))
    return None


def as_unsigned(kind: Attribute, text: str) -> str:
    """An integer's bits as a number that is not negative."""
    name = _UNSIGNED.get(str(kind))
    return text if name is None else f"static_cast<{name}>({text})"


def _cast(kind: Attribute, text: str) -> str:
    return f"static_cast<{scalar_type(kind)}>({text})"
