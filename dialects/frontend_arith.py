"""arith's operations as frontends print them, where xDSL reads less.

`FrontendArith` is xDSL's arith dialect with these in place of the operations of the same name, and with those that it
lacks.
Casts, comparisons and selections also take tensors here, of which they are executed element by
element; flags that only promise something (`overflow`, `exact`, `fastmath` of casts) are read and dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from xdsl.dialects import arith
from xdsl.dialects.arith import Arith
from xdsl.dialects.builtin import IntegerAttr, LocationAttr, TensorType, i1, i32
from xdsl.ir import Attribute, Block, Dialect, Operation, Region, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.frontend_scalars import ARITHMETIC

_CASTS = (
    arith.ExtSIOp,
    arith.ExtUIOp,
    arith.TruncIOp,
    arith.SIToFPOp,
    arith.UIToFPOp,
    arith.FPToSIOp,
    arith.FPToUIOp,
    arith.ExtFOp,
    arith.TruncFOp,
    arith.IndexCastOp,
)

if TYPE_CHECKING:
    _Base = Operation
else:
    _Base = object


class _OnTensors(_Base):
    """An operation on tensors of equal shapes; of one on scalars the operation is xDSL's own."""

    SCALAR: ClassVar[type[Operation]]
    """xDSL's operation."""

    @classmethod
    def is_promise(cls, name: str, value: Attribute) -> bool:
        """Whether a property only promises something of the operands, and changes no result."""
        del value
        return name in ("overflowFlags", "isExact")

    @classmethod
    def create(
        cls,
        *,
        operands: Sequence[SSAValue] = (),
        result_types: Sequence[Attribute] = (),
        properties: Mapping[str, Attribute] | None = None,
        attributes: Mapping[str, Attribute] | None = None,
        successors: Sequence[Block] = (),
        regions: Sequence[Region] = (),
        location: LocationAttr | None = None,
    ) -> Operation:
        kept = {name: value for name, value in (properties or {}).items() if not cls.is_promise(name, value)}
        on_tensors = any(isinstance(value.type, TensorType) for value in operands)
        make = super().create if on_tensors else cls.SCALAR.create
        return make(
            operands=operands,
            result_types=result_types,
            properties=kept,
            attributes=attributes or {},
            successors=successors,
            regions=regions,
            location=location,
        )

    def verify_(self) -> None:
        found: list[Attribute] = [value.type for value in (*self.operands, *self.results)]
        kinds = [cast("TensorType[Attribute]", kind) for kind in found if isinstance(kind, TensorType)]
        if len({tuple(kind.get_shape()) for kind in kinds}) > 1 or not isinstance(self.results[0].type, TensorType):
            raise VerifyException(f"'{self.name}' of {', '.join(map(str, kinds))}: equal shapes are required")


class _Cast(_OnTensors):
    """A change of element type: `%x [to_nearest_even] [overflow<..>] [fastmath<..>] : T to U`."""

    @classmethod
    def is_promise(cls, name: str, value: Attribute) -> bool:
        is_usual = name == "roundingmode" and value == IntegerAttr(0, i32)
        return is_usual or name == "fastmath" or super().is_promise(name, value)

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        operand = parser.parse_unresolved_operand()
        parser.parse_optional_keyword("to_nearest_even")
        for promise in ("overflow", "fastmath"):
            if parser.parse_optional_keyword(promise):
                parser.parse_comma_separated_list(parser.Delimiter.ANGLE, parser.parse_identifier)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        source = parser.parse_type()
        parser.parse_keyword("to")
        result = parser.parse_type()
        return cls.create(
            operands=[parser.resolve_operand(operand, source)], result_types=[result], attributes=attributes
        )


def _dividing(kind: type[Operation]) -> type[Operation]:
    """A division or shift as frontends print it."""
    return cast("type[Operation]", type(kind.__name__, (_Division, kind), {"__doc__": kind.__doc__, "SCALAR": kind}))


def _casting(kind: type[Operation]) -> type[Operation]:
    """A cast as frontends print it."""
    return cast("type[Operation]", type(kind.__name__, (_Cast, kind), {"__doc__": kind.__doc__, "SCALAR": kind}))


class _Division(_OnTensors):
    """A division or a shift, which may promise that it leaves nothing: `%a, %b exact : T`."""

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        operands = [parser.parse_unresolved_operand()]
        parser.parse_punctuation(",")
        operands.append(parser.parse_unresolved_operand())
        parser.parse_optional_keyword("exact")
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        values = [parser.resolve_operand(one, kind) for one in operands]
        return cls.SCALAR.create(operands=values, result_types=[kind], attributes=attributes)

    @classmethod
    def create(cls, **parts: object) -> Operation:  # pyright: ignore[reportIncompatibleMethodOverride]
        properties = cast("Mapping[str, Attribute]", parts.pop("properties", None) or {})
        kept = {name: value for name, value in properties.items() if not cls.is_promise(name, value)}
        return cast("Callable[..., Operation]", cls.SCALAR.create)(properties=kept, **parts)


class _Comparison(_OnTensors):
    """A comparison, whose result has a bit for each element."""

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        found = cls.SCALAR.parse(parser)
        kind = found.operands[0].type
        if not isinstance(kind, TensorType):
            return found
        operands = list(found.operands)
        found.operands = ()  # it has no place in the program, and is no user of its values
        return cls.create(
            operands=operands,
            result_types=[TensorType(i1, cast("TensorType[Attribute]", kind).get_shape())],
            properties=found.properties,
            attributes=found.attributes,
        )


class CompareIntegersOp(_Comparison, arith.CmpiOp):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Comparison of integers."""

    SCALAR = arith.CmpiOp


class CompareFloatsOp(_Comparison, arith.CmpfOp):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Comparison of floats."""

    SCALAR = arith.CmpfOp


class ChooseOp(_OnTensors, arith.SelectOp):
    """Selection by one bit, or by a bit for each element: `%c, %x, %y : [tensor<..xi1>,] T`."""

    SCALAR = arith.SelectOp

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        operands = [parser.parse_unresolved_operand()]
        for _ in range(2):
            parser.parse_punctuation(",")
            operands.append(parser.parse_unresolved_operand())
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        kinds: Sequence[Attribute] = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        bit, kind = (i1, kinds[0]) if len(kinds) == 1 else (kinds[0], kinds[-1])
        values = [parser.resolve_operand(one, of) for one, of in zip(operands, (bit, kind, kind), strict=True)]
        return cls.create(operands=values, result_types=[kind], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        bit, kind, _ = (value.type for value in self.operands)
        printer.print_string(f" : {bit}, {kind}" if isinstance(bit, TensorType) else f" : {kind}")


_OURS: dict[type[Operation], type[Operation]] = {
    **{kind: _dividing(kind) for kind in (arith.DivSIOp, arith.DivUIOp, arith.ShRSIOp, arith.ShRUIOp)},
    **{kind: _casting(kind) for kind in _CASTS},
    arith.CmpiOp: CompareIntegersOp,
    arith.CmpfOp: CompareFloatsOp,
    arith.SelectOp: ChooseOp,
}
_OPERATIONS: list[type[Operation]] = [*(_OURS.get(op, op) for op in Arith.operations), *ARITHMETIC]
_ATTRIBUTES: list[type[Attribute]] = list(Arith.attributes)
FrontendArith = Dialect("arith", _OPERATIONS, _ATTRIBUTES)
