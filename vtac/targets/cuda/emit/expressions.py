"""Expressions of a kernel body as CUDA C++: index arithmetic, scalar arithmetic, names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isfinite, isnan
from typing import cast

from xdsl.dialects import arith, func, memref
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    i1,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
)

from vtac.analysis.nests.nest import buffer_name
from vtac.errors import CompileError
from vtac.targets.cuda.emit.comparisons import float_comparison
from vtac.targets.cuda.emit.functions import as_unsigned, conversion_text, function_text
from vtac.targets.cuda.emit.types import scalar_type, value_type

LOW, AND, COMPARISON, SUM, PRODUCT, ATOM = range(6)
"""How tightly an expression binds, so that only needed parentheses are printed."""

_INFIX: dict[type[Operation], tuple[str, int]] = {
    arith.AddiOp: ("+", SUM),
    arith.SubiOp: ("-", SUM),
    arith.MuliOp: ("*", PRODUCT),
    arith.AddfOp: ("+", SUM),
    arith.SubfOp: ("-", SUM),
    arith.MulfOp: ("*", PRODUCT),
    arith.DivfOp: ("/", PRODUCT),
}
_CALLS: dict[type[Operation], str] = {arith.MaxSIOp: "max", arith.MinSIOp: "min"}
_BITS: dict[type[Operation], str] = {
    arith.AndIOp: "&",
    arith.OrIOp: "|",
    arith.XOrIOp: "^",
    arith.ShLIOp: "<<",
    arith.DivSIOp: "/",
    arith.RemSIOp: "%",
}
_PREDICATES = ("==", "!=", "<", "<=", ">", ">=")
"""arith.cmpi's signed predicates, in the order of its attribute."""
_KEYWORDS = re.compile(
    "alignas|alignof|and|and_eq|asm|auto|bitand|bitor|bool|break|case|catch|char|char16_t|char32_t|class|compl|const|"
    "const_cast|constexpr|continue|decltype|default|delete|do|double|dynamic_cast|else|enum|explicit|export|extern|"
    "false|float|for|friend|goto|if|inline|int|long|mutable|namespace|new|noexcept|not|not_eq|nullptr|operator|or|"
    "or_eq|private|protected|public|register|reinterpret_cast|return|short|signed|sizeof|static|static_assert|"
    "static_cast|struct|switch|template|this|thread_local|throw|true|try|typedef|typeid|typename|union|unsigned|using|"
    "virtual|void|volatile|wchar_t|while|xor|xor_eq|"
    "NULL|NAN|INFINITY|assert|half|half2|u?int[1-4]|nvcuda|wmma|std|vtac|shared_memory|element|max|min|warpSize|"
    "blockIdx|threadIdx|blockDim|gridDim"
)
"""Names with a meaning in CUDA C++, or in the text around a kernel's body."""
_FUNCTIONS = re.compile(
    "main|abort|abs|acosh?|asinh?|atan[2h]?|calloc|ceil|clock|cosh?|erfc?|exit|exp2?|f(abs|dim|loor|ma|max|min|mod)|free|"
    "hypot|labs|ldexp|log|log10|log1p|log2|malloc|mem(cmp|cpy|move|set)|pow|printf|puts|rand|rint|round|signal|sinh?|"
    "sqrt|str(cat|cmp|cpy|len)|system|tanh?|time|trunc"
)
"""Functions of the C library, whose names an `extern "C"` kernel cannot have."""

_LEAST = -(2**31)
_SPECIAL = {
    "inf": "__int_as_float(0x7f800000)",
    "-inf": "__int_as_float(0xff800000)",
    "nan": "__int_as_float(0x7fc00000)",
}
"""Floats without a literal of their own, by their bits."""
_NUMBER = re.compile(r"-?\d+")

Text = tuple[str, int]


def identifier(name: str) -> str:
    """A C++ identifier that looks like the name."""
    clean = re.sub(r"\W", "_", name)
    return f"{clean}_" if _KEYWORDS.fullmatch(clean) else f"v{clean}" if clean[:1].isdigit() else clean


def kernel_name(name: str) -> str:
    """The name of a function as the name of a kernel."""
    clean = identifier(name)
    return f"{clean}_" if _FUNCTIONS.fullmatch(clean) else clean


def parameter_name(argument: SSAValue) -> str:
    """The name of a kernel's parameter."""
    return identifier(buffer_name(argument))


class ExpressionPrinter:
    """Names values, and prints operations without effect where their results are used."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.names: dict[SSAValue, str] = {}
        self.inline: dict[SSAValue, Text] = {}
        self.taken: set[str] = set(reserved)

    def name(self, value: SSAValue, default: str = "value") -> str:
        """A name of the value's own, close to its name in the IR."""
        if value not in self.names:
            self.names[value] = self.fresh(identifier(value.name_hint or default))
        return self.names[value]

    def fresh(self, base: str) -> str:
        """A name that nothing has yet, close to a given one."""
        name, count = base, 1
        while name in self.taken:
            name, count = f"{base}_{count}", count + 1
        self.taken.add(name)
        return name

    def text(self, value: SSAValue, level: int = LOW) -> str:
        """A value as an expression, in parentheses when it binds less than `level` needs."""
        if value in self.inline:
            text, own = self.inline[value]
            return f"({text})" if own < level else text
        owner = value.owner
        if isinstance(owner, memref.ReinterpretCastOp):
            return self.text(owner.source)
        if isinstance(owner, Block) and isinstance(owner.parent_op(), func.FuncOp):
            return parameter_name(value)
        return self.name(value)

    def affine(self, expr: AffineExpr, operands: Iterable[SSAValue]) -> Text:
        """An affine expression over given values."""
        return _affine(expr, [self.inline.get(value, (self.text(value), ATOM)) for value in operands])

    def print_pure(self, op: Operation) -> bool:
        """Remember an operation without effect as the expression it is; False for any other operation."""
        if isinstance(op, arith.ConstantOp):
            self.inline[op.result] = (self.constant(op.value), ATOM)
        elif isinstance(op, ApplyOp):
            self.inline[op.result] = self.affine(op.map.data.results[0], op.mapOperands)
        elif isinstance(op, arith.SelectOp):
            parts = [self.text(operand, COMPARISON + 1) for operand in op.operands]
            self.inline[op.result] = (f"{parts[0]} ? {parts[1]} : {parts[2]}", LOW)
        elif (call := conversion_text(op, self.text) or function_text(op, self.text)) is not None:
            self.inline[op.results[0]] = (call, ATOM)
        elif isinstance(op, arith.NegfOp):
            operand = self.text(op.operand, ATOM)
            self.inline[op.result] = (f"-({operand})" if operand.startswith("-") else f"-{operand}", PRODUCT)
        elif (text := self._binary(op)) is not None:
            self.inline[op.results[0]] = text
        else:
            return False
        return True

    def _binary(self, op: Operation) -> Text | None:
        """An operation on two values; None for any other."""
        if isinstance(op, arith.CmpiOp):
            predicate = op.predicate.value.data
            if predicate >= len(_PREDICATES):
                return self._unsigned_comparison(op, _PREDICATES[predicate - 4]), COMPARISON
            return f"{self.text(op.lhs, SUM)} {_PREDICATES[predicate]} {self.text(op.rhs, SUM)}", COMPARISON
        if isinstance(op, arith.CmpfOp):
            sides = (self.text(op.lhs, SUM), self.text(op.rhs, SUM))
            return float_comparison(op.predicate.value.data, *sides), ATOM
        if isinstance(op, arith.AndIOp) and op.result.type == i1:
            return f"{self.text(op.lhs, AND)} && {self.text(op.rhs, AND)}", AND
        if isinstance(op, arith.OrIOp) and op.result.type == i1:
            return f"{self.text(op.lhs, AND + 1)} || {self.text(op.rhs, AND + 1)}", LOW
        if isinstance(op, arith.ShRSIOp):
            return f"{self.text(op.lhs, SUM)} >> {self.text(op.rhs, SUM)}", LOW
        if type(op) in _BITS and op.results[0].type != i1:
            return self._bits(op), LOW
        if type(op) in _CALLS:
            arguments = ", ".join(self.text(operand) for operand in op.operands)
            return f"{_CALLS[type(op)]}({arguments})", ATOM
        if type(op) not in _INFIX:
            return None
        sign, level = _INFIX[type(op)]
        text = f"{self.text(op.operands[0], level)} {sign} {self.text(op.operands[1], level + 1)}"
        kind = op.results[0].type
        # C++ computes narrow integers as int; the result wraps to its own width.
        return self._cast(kind, text) if str(kind) in ("i8", "i16") else (text, level)

    def _bits(self, op: Operation) -> str:
        """An operation on bits, or a quotient to zero or its rest, which wraps to its own width."""
        left, right = (self.text(operand, ATOM) for operand in op.operands)
        text = f"{left} {_BITS[type(op)]} {right}"
        kind = op.results[0].type
        return text if str(kind) in ("i32", "index") else self._cast(kind, text)[0]

    def _unsigned_comparison(self, op: arith.CmpiOp, sign: str) -> str:
        left, right = (as_unsigned(value.type, self.text(value)) for value in (op.lhs, op.rhs))
        return f"{left} {sign} {right}"

    def _cast(self, kind: Attribute, text: str) -> Text:
        return f"static_cast<{scalar_type(kind)}>({text})", ATOM

    def constant(self, value: Attribute) -> str:
        """A number, or a vector of zeros."""
        if isinstance(value, DenseIntOrFPElementsAttr):
            kind = value_type(cast(Attribute, value.type))
            return "0" if kind.startswith("unsigned") else f"{kind}{{}}"
        if isinstance(value, FloatAttr):
            real = cast("FloatAttr[AnyFloat]", value)
            number = real.value.data
            text = f"{float(number)!r}f" if isfinite(number) else _SPECIAL["nan" if isnan(number) else str(number)]
            return text if str(real.type) == "f32" else f"static_cast<{scalar_type(real.type)}>({text})"
        whole = cast("IntegerAttr[IntegerType | IndexType]", value).value.data
        return str(whole) if whole != _LEAST else f"({_LEAST + 1} - 1)"  # 2147483648 is no int


def _affine(expr: AffineExpr, dims: list[Text]) -> Text:
    """An affine expression over given operand texts; floor division is of non-negative numbers."""
    if isinstance(expr, AffineConstantExpr):
        return str(expr.value), ATOM if expr.value >= 0 else SUM
    if isinstance(expr, AffineDimExpr):
        return dims[expr.position]
    if not isinstance(expr, AffineBinaryOpExpr):
        raise CompileError(f"unknown affine expression {expr}")
    left, right = _affine(expr.lhs, dims), _affine(expr.rhs, dims)
    if (known := _folded(expr.kind, left, right)) is not None:
        return known
    if expr.kind is AffineBinaryOpKind.Add:
        if isinstance(expr.rhs, AffineConstantExpr) and expr.rhs.value < 0:
            return f"{_wrapped(left, SUM)} - {-expr.rhs.value}", SUM
        if right[0].startswith("-"):
            return f"{_wrapped(left, SUM)} - {right[0][1:]}", SUM
        if left[0].startswith("-") and not right[0].startswith("-"):
            return f"{_wrapped(right, SUM)} - {left[0][1:]}", SUM
        return f"{_wrapped(left, SUM)} + {_wrapped(right, SUM)}", SUM
    signs = {AffineBinaryOpKind.Mul: "*", AffineBinaryOpKind.FloorDiv: "/", AffineBinaryOpKind.Mod: "%"}
    if expr.kind not in signs:
        raise CompileError(f"{expr}: ceildiv has no CUDA text")
    if expr.kind is AffineBinaryOpKind.Mul and isinstance(expr.rhs, AffineConstantExpr) and expr.rhs.value < 0:
        factor = "" if expr.rhs.value == -1 else f" * {-expr.rhs.value}"
        return f"-{_wrapped(left, ATOM if not factor else PRODUCT)}{factor}", PRODUCT
    return f"{_wrapped(left, PRODUCT)} {signs[expr.kind]} {_wrapped(right, ATOM)}", PRODUCT


def _folded(kind: AffineBinaryOpKind, left: Text, right: Text) -> Text | None:
    """What an operation on numbers gives, or one with zero; None for any other."""
    if _NUMBER.fullmatch(left[0]) and _NUMBER.fullmatch(right[0]):
        a, b = int(left[0]), int(right[0])
        if kind is AffineBinaryOpKind.Add or kind is AffineBinaryOpKind.Mul:
            value = a + b if kind is AffineBinaryOpKind.Add else a * b
        elif kind in (AffineBinaryOpKind.FloorDiv, AffineBinaryOpKind.Mod) and b > 0:
            value = a // b if kind is AffineBinaryOpKind.FloorDiv else a % b
        else:
            return None
        return str(value), ATOM if value >= 0 else SUM
    if kind is AffineBinaryOpKind.Add and "0" in (left[0], right[0]):
        return right if left[0] == "0" else left
    return None


def _wrapped(text: Text, level: int) -> str:
    return f"({text[0]})" if text[1] < level else text[0]
