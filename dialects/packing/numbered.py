"""Changes of layout that lists of numbers describe, printed by their names: `dims [0, 1] tiles [1, 16]`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar, Self, cast

from xdsl.dialects.builtin import DenseArrayBase, IntegerType, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, base, operand_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

_Tensor = base(TensorType)


@lru_cache(maxsize=1024)
def _held(values: tuple[int, ...]) -> DenseArrayBase[IntegerType]:
    return DenseArrayBase.from_list(i64, values)


class NumberedOp(IRDLOperation):
    """Base of an operation from one tensor to another; `NUMBERS` names its properties in the order of the text."""

    NUMBERS: ClassVar[tuple[str, ...]]

    source = operand_def(_Tensor)
    result = result_def(_Tensor)

    traits = traits_def(Pure())

    @classmethod
    def with_numbers(cls, source: SSAValue, result: TensorType[Attribute], values: Sequence[Sequence[int]]) -> Self:
        """Make the op; `values` in the order of `NUMBERS`."""
        properties = {name: _held(tuple(found)) for name, found in zip(cls.NUMBERS, values, strict=True)}
        return cls.create(operands=[source], result_types=[result], properties=properties)

    def values(self) -> tuple[tuple[int, ...], ...]:
        """What the lists hold, in the order of `NUMBERS`."""
        found = (cast("DenseArrayBase[IntegerType]", self.properties[name]) for name in self.NUMBERS)
        return tuple(tuple(int(value) for value in one.get_values()) for one in found)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        for name, values in zip(self.NUMBERS, self.values(), strict=True):
            printer.print_string(f" {name} [{', '.join(map(str, values))}]")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.source.type)
        printer.print_string(" to ")
        printer.print_attribute(self.result.type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        source = parser.parse_unresolved_operand()
        numbers: list[list[int]] = []
        for name in cls.NUMBERS:
            parser.parse_keyword(name)
            numbers.append(parser.parse_comma_separated_list(Parser.Delimiter.SQUARE, parser.parse_integer))
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        resolved = parser.resolve_operand(source, parser.parse_type())
        parser.parse_keyword("to")
        start = parser.pos
        result = parser.parse_type()
        if not isinstance(result, TensorType):
            parser.raise_error(f"expected a tensor type, found {result}", start, parser.pos)
        op = cls.with_numbers(resolved, cast("TensorType[Attribute]", result), numbers)
        op.attributes |= attributes
        return op
