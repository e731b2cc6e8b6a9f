"""linalg.reduce, transpose and broadcast as MLIR prints them, where xDSL reads less.

MLIR prints a reduction by one operation as its name alone, `linalg.reduce { arith.addi } ins(...)`, and puts attributes
behind the dimensions. What is read are xDSL's operations; `READERS` stand in their places in the dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from xdsl.builder import Builder
from xdsl.dialects.builtin import DenseArrayBase, TensorType, i64
from xdsl.dialects.linalg.ops import BroadcastOp, ReduceOp, TransposeOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.parser import Parser
from xdsl.rewriter import InsertPoint

if TYPE_CHECKING:
    _Base = Operation
else:
    _Base = object


class _Reader(_Base):
    """Reads an operation of xDSL's and makes that."""

    READ: ClassVar[type[Operation]]
    """xDSL's operation."""

    @classmethod
    def create(cls, **parts: object) -> Operation:  # pyright: ignore[reportIncompatibleMethodOverride]
        return cast("Callable[..., Operation]", cls.READ.create)(**parts)


class TransposeReader(_Reader, TransposeOp):  # pyright: ignore[reportIncompatibleMethodOverride]
    """`linalg.transpose ins(..) outs(..) permutation = [..] {..}`."""

    READ = TransposeOp

    @classmethod
    def parse(cls, parser: Parser) -> TransposeOp:
        (source, start), order = _operands(parser), _numbers(parser, "permutation")
        op = TransposeOp(source, start, order)
        op.attributes |= parser.parse_optional_attr_dict()
        return op


class BroadcastReader(_Reader, BroadcastOp):  # pyright: ignore[reportIncompatibleMethodOverride]
    """`linalg.broadcast ins(..) outs(..) dimensions = [..] {..}`."""

    READ = BroadcastOp

    @classmethod
    def parse(cls, parser: Parser) -> BroadcastOp:
        (source, start), added = _operands(parser), _numbers(parser, "dimensions")
        op = BroadcastOp(source, start, added)
        op.attributes |= parser.parse_optional_attr_dict()
        return op


class ReduceReader(_Reader, ReduceOp):  # pyright: ignore[reportIncompatibleMethodOverride]
    """`linalg.reduce ins(..) outs(..) dimensions = [..] {..} (..) {..}`, or with the name of one operation in front."""

    READ = ReduceOp

    @classmethod
    def parse(cls, parser: Parser) -> ReduceOp:
        made = _payload(parser) if parser.parse_optional_punctuation("{") is not None else None
        (source, start), reduced = _operands(parser), _numbers(parser, "dimensions")
        attributes = parser.parse_optional_attr_dict()
        if made is not None:
            body = _body(made, source, start)
        else:
            body = parser.parse_region(
                parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: _argument(parser))
            )
        op = ReduceOp(source, start, reduced, body)
        op.attributes |= attributes
        return op


READERS: dict[type[Operation], type[Operation]] = {
    TransposeOp: TransposeReader,
    BroadcastOp: BroadcastReader,
    ReduceOp: ReduceReader,
}

_Payload = Callable[[Sequence[SSAValue]], Operation]


def _payload(parser: Parser) -> _Payload:
    """`arith.addi {..} }`: an operation of two values, by its name."""
    place = parser.pos
    name = parser.parse_identifier()
    kind = parser.ctx.get_optional_op(name)
    if kind is None:
        parser.raise_error(f"'{name}' is no operation that reductions are made of", place, parser.pos)
    attributes: Mapping[str, Attribute] = parser.parse_optional_attr_dict()
    parser.parse_punctuation("}")
    return lambda values: kind.create(operands=values, result_types=[values[0].type], properties=attributes)


def _body(made: _Payload, source: SSAValue, start: SSAValue) -> Region:
    """The operation on what there is so far and on the next element."""
    block = Block(arg_types=[cast("TensorType[Attribute]", value.type).get_element_type() for value in (source, start)])
    builder = Builder(InsertPoint.at_end(block))
    total = builder.insert(made([block.args[1], block.args[0]]))
    builder.insert(YieldOp(total.results[0]))
    return Region(block)


def _argument(parser: Parser) -> Parser.Argument:
    """`%element: i32`; where it comes from is not kept."""
    found = parser.parse_argument()
    parser.parse_optional_location()
    return found


def _operands(parser: Parser) -> tuple[SSAValue, SSAValue]:
    """`ins(%source : T) outs(%start : T)`."""
    values: list[SSAValue] = []
    for keyword in ("ins", "outs"):
        parser.parse_characters(keyword)
        parser.parse_punctuation("(")
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(":")
        values.append(parser.resolve_operand(value, parser.parse_type()))
        parser.parse_punctuation(")")
    return values[0], values[1]


def _numbers(parser: Parser, keyword: str) -> DenseArrayBase:
    """`keyword = [..]`."""
    parser.parse_keyword(keyword)
    parser.parse_punctuation("=")
    return DenseArrayBase.from_list(
        i64, parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
    )
