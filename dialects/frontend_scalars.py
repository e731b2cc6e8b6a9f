"""Operations of arith and math that frontends emit and xDSL lacks, on numbers or on tensors of them."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, Self

from xdsl.dialects.arith import (
    FastMathFlagsAttr,
    FloatingPointLikeBinaryOperation,
    floatingPointLike,
    signlessIntegerLike,
)
from xdsl.dialects.builtin import IndexType, TensorType, i1
from xdsl.dialects.math import FloatingPointLikeUnaryMathOperation, Math
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa
from xdsl.utils.type import get_element_type_or_self


@irdl_op_definition
class RemFOp(FloatingPointLikeBinaryOperation):
    """What a division to zero leaves, with the sign of the first number: C's fmod."""

    name = "arith.remf"
    traits = traits_def(Pure())


@irdl_op_definition
class IndexCastUIOp(IRDLOperation):
    """An index as an integer, or back; what is wider begins with zeros."""

    name = "arith.index_castui"
    input = operand_def(signlessIntegerLike)
    result = result_def(signlessIntegerLike)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `to` type($result)"

    def verify_(self) -> None:
        kinds = [get_element_type_or_self(value.type) for value in (self.input, self.result)]
        if sorted(isinstance(kind, IndexType) for kind in kinds) != [False, True]:
            raise VerifyException(f"'{self.name}' of {self.input.type} to {self.result.type}: one of them is index")


@irdl_op_definition
class ErfcOp(FloatingPointLikeUnaryMathOperation):
    """One minus the error function."""

    name = "math.erfc"
    traits = traits_def(Pure())


@irdl_op_definition
class ClampFOp(IRDLOperation):
    """The number, or the bound that it lies behind: `%x to [%low, %high]`."""

    name = "math.clampf"
    T: ClassVar = VarConstraint("T", floatingPointLike)
    value = operand_def(T)
    min = operand_def(T)
    max = operand_def(T)
    result = result_def(T)
    fastmath = prop_def(FastMathFlagsAttr, default_value=FastMathFlagsAttr("none"))
    traits = traits_def(Pure())
    assembly_format = "$value `to` ` ` `[` $min `,` $max `]` (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"


class ClassOp(IRDLOperation, ABC):
    """A bit for each number: whether it is of one class of IEEE 754."""

    operand = operand_def(floatingPointLike)
    result = result_def(signlessIntegerLike)
    fastmath = prop_def(FastMathFlagsAttr, default_value=FastMathFlagsAttr("none"))
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operand = parser.parse_unresolved_operand()
        given = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        return cls.create(
            operands=[parser.resolve_operand(operand, kind)],
            result_types=[_bits(kind)],
            properties={"fastmath": given.pop("fastmath", FastMathFlagsAttr("none"))},
            attributes=given,
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.operand)
        promised = {} if self.fastmath == FastMathFlagsAttr("none") else {"fastmath": self.fastmath}
        printer.print_op_attributes({**self.attributes, **promised})
        printer.print_string(" : ")
        printer.print_attribute(self.operand.type)

    def verify_(self) -> None:
        if self.result.type != _bits(self.operand.type):
            raise VerifyException(f"'{self.name}' of {self.operand.type} gives {_bits(self.operand.type)}")


@irdl_op_definition
class IsNanOp(ClassOp):
    """Whether each number is none."""

    name = "math.isnan"


@irdl_op_definition
class IsInfOp(ClassOp):
    """Whether each number is infinite."""

    name = "math.isinf"


@irdl_op_definition
class IsFiniteOp(ClassOp):
    """Whether each number is a number, and finite."""

    name = "math.isfinite"


def _bits(kind: Attribute) -> Attribute:
    return TensorType(i1, kind.get_shape()) if isa(kind, TensorType[Attribute]) else i1


ARITHMETIC: tuple[type[Operation], ...] = (RemFOp, IndexCastUIOp)
_ADDED: tuple[type[Operation], ...] = (ErfcOp, ClampFOp, IsNanOp, IsInfOp, IsFiniteOp)
_ATTRIBUTES: list[type[Attribute]] = list(Math.attributes)
FrontendMath = Dialect("math", [*Math.operations, *_ADDED], _ATTRIBUTES)
