"""arith's operations as frontends print them, where xDSL reads less.

`FrontendArith` is xDSL's arith dialect with these in place of the operations of the same name.
"""

from __future__ import annotations

from xdsl.dialects.arith import Arith, TruncIOp
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.parser import Parser


class FlaggedTruncIOp(TruncIOp):
    """Truncation whose `overflow` flags are read and dropped: they promise something, and change no result."""

    def __post_init__(self) -> None:
        self.properties.pop("overflowFlags", None)

    @classmethod
    def parse(cls, parser: Parser) -> FlaggedTruncIOp:
        operand = parser.parse_unresolved_operand()
        if parser.parse_optional_keyword("overflow"):
            parser.parse_comma_separated_list(parser.Delimiter.ANGLE, parser.parse_identifier)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        source = parser.parse_type()
        parser.parse_keyword("to")
        result = parser.parse_type()
        return cls.create(
            operands=[parser.resolve_operand(operand, source)], result_types=[result], attributes=attributes
        )


_OPERATIONS: list[type[Operation]] = [FlaggedTruncIOp if op is TruncIOp else op for op in Arith.operations]
_ATTRIBUTES: list[type[Attribute]] = list(Arith.attributes)
FrontendArith = Dialect("arith", _OPERATIONS, _ATTRIBUTES)
