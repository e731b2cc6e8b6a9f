"""What linalg's operations with a body of the text's have in common, as MLIR prints them.

A body of one operation is written as its name alone, `{ arith.addi }`, in front of the operands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from xdsl.builder import Builder
from xdsl.dialects.builtin import AffineMapAttr, DenseArrayBase, ShapedType, TensorType, i64
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.irdl import IRDLOperation
from xdsl.parser import Parser
from xdsl.rewriter import InsertPoint
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from vtac.dialects.named_operation import elements_of

Payload: TypeAlias = Callable[[Sequence[SSAValue], Attribute], Operation]
"""Makes an operation on values with a result of a type."""


def parse_payload(parser: Parser) -> Payload | None:
    """`{ arith.addi {..} }`: an operation by its name; None where none stands here."""
    if parser.parse_optional_punctuation("{") is None:
        return None
    place = parser.pos
    name = parser.parse_identifier()
    kind = parser.ctx.get_optional_op(name)
    if kind is None or not issubclass(kind, IRDLOperation):
        parser.raise_error(f"'{name}' is no operation that bodies are made of", place, parser.pos)
    given = parser.parse_optional_attr_dict()
    parser.parse_punctuation("}")
    known = kind.get_irdl_definition().properties

    def make(values: Sequence[SSAValue], result: Attribute) -> Operation:
        return kind.create(
            operands=values,
            result_types=[result],
            properties={name: value for name, value in given.items() if name in known},
            attributes={name: value for name, value in given.items() if name not in known},
        )

    return make


def body_of(make: Payload, operands: Sequence[SSAValue], taken: Sequence[int]) -> Region:
    """A body of one operation on those arguments, whose result has the type of the last operand's elements."""
    block = Block(arg_types=elements_of(operands))
    builder = Builder(InsertPoint.at_end(block))
    done = builder.insert(make([block.args[number] for number in taken], block.args[-1].type))
    builder.insert(YieldOp(done.results[0]))
    return Region(block)


def parse_body(parser: Parser) -> Region:
    """`(%element: i32, %total: i32) { .. }`; where the arguments come from is not kept."""
    return parser.parse_region(parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: _argument(parser)))


def _argument(parser: Parser) -> Parser.Argument:
    found = parser.parse_argument()
    parser.parse_optional_location()
    return found


def parse_operands(parser: Parser, keyword: str) -> list[SSAValue]:
    """`keyword(%a, %b : T, U)`; nothing where the keyword does not stand here."""
    if parser.parse_optional_characters(keyword) is None:
        return []
    place = parser.pos
    parser.parse_punctuation("(")
    values = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
    parser.parse_punctuation(":")
    kinds = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    parser.parse_punctuation(")")
    return list(parser.resolve_operands(values, kinds, place))


def results_of(outputs: Sequence[SSAValue]) -> list[Attribute]:
    """The types of an operation's results: those of the tensors that it writes."""
    return [kind for value in outputs if isa(kind := value.type, TensorType[Attribute])]


def parse_numbers(parser: Parser, keyword: str) -> DenseArrayBase:
    """`keyword = [..]`."""
    parser.parse_keyword(keyword)
    parser.parse_punctuation("=")
    return DenseArrayBase.from_list(
        i64, parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
    )


def generic_of(
    inputs: Sequence[SSAValue],
    outputs: Sequence[SSAValue],
    results: Sequence[Attribute],
    body: Region,
    attributes: Mapping[str, Attribute],
    reduced: Sequence[int] = (),
) -> GenericOp:
    """A linalg.generic that reads all of its inputs at each point, and reduces some of the dimensions."""
    rank = len(_extents(outputs[0])) + len(reduced)
    kept = [AffineDimExpr(dim) for dim in range(rank) if dim not in reduced]
    maps = [AffineMap.identity(rank)] * len(inputs) + [AffineMap(rank, 0, tuple(kept))] * len(outputs)
    kinds = [IteratorTypeAttr.reduction() if dim in reduced else IteratorTypeAttr.parallel() for dim in range(rank)]
    made = GenericOp(inputs, outputs, body, [AffineMapAttr(one) for one in maps], kinds, results)
    made.attributes |= attributes
    return made


def _extents(value: SSAValue) -> Sequence[int]:
    if not isinstance(value.type, ShapedType):
        raise VerifyException(f"a tensor or a buffer is required in outs, {value.type} is given")
    return value.type.get_shape()
