"""linalg.reduce, map, transpose and broadcast as MLIR prints them, where xDSL reads less.

MLIR prints a body of one operation as its name alone, `linalg.reduce { arith.addi } ins(...)`, and puts attributes
behind the dimensions. Read are xDSL's operations, and linalg.generic for what xDSL has none for: maps, and reductions
of several tensors or to another type. `READERS` stand in the places of xDSL's in the dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from xdsl.dialects.builtin import DenseArrayBase, IntegerType
from xdsl.dialects.linalg.ops import BroadcastOp, ReduceOp, TransposeOp
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, region_def, var_operand_def, var_result_def
from xdsl.parser import Parser
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.type import get_element_type_or_self

from vtac.dialects.frontend_regions import (
    body_of,
    generic_of,
    parse_body,
    parse_numbers,
    parse_operands,
    parse_payload,
    results_of,
)

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
        (source, start), order = _one_and_one(parser, cls.name), parse_numbers(parser, "permutation")
        op = TransposeOp(source, start, order)
        op.attributes |= parser.parse_optional_attr_dict()
        return op


class BroadcastReader(_Reader, BroadcastOp):  # pyright: ignore[reportIncompatibleMethodOverride]
    """`linalg.broadcast ins(..) outs(..) dimensions = [..] {..}`."""

    READ = BroadcastOp

    @classmethod
    def parse(cls, parser: Parser) -> BroadcastOp:
        (source, start), added = _one_and_one(parser, cls.name), parse_numbers(parser, "dimensions")
        op = BroadcastOp(source, start, added)
        op.attributes |= parser.parse_optional_attr_dict()
        return op


class ReduceReader(_Reader, ReduceOp):  # pyright: ignore[reportIncompatibleMethodOverride]
    """`linalg.reduce ins(..) outs(..) dimensions = [..] {..} (..) {..}`, or with the name of one operation in front."""

    READ = ReduceOp

    @classmethod
    def parse(cls, parser: Parser) -> Operation:  # pyright: ignore[reportIncompatibleMethodOverride]
        made = parse_payload(parser)
        inputs, outputs = parse_operands(parser, "ins"), parse_operands(parser, "outs")
        reduced = parse_numbers(parser, "dimensions")
        attributes = parser.parse_optional_attr_dict()
        count = len(inputs)
        operands = [*inputs, *outputs]
        body = (
            parse_body(parser) if made is None else body_of(made, operands, [*range(count, 2 * count), *range(count)])
        )
        return cls.create(
            operands=operands,
            result_types=results_of(outputs),
            properties={"dimensions": reduced},
            attributes=attributes,
            regions=[body],
        )

    @classmethod
    def create(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls,
        *,
        operands: Sequence[SSAValue],
        result_types: Sequence[Attribute],
        properties: Mapping[str, Attribute],
        attributes: Mapping[str, Attribute] | None = None,
        regions: Sequence[Region],
        **others: object,
    ) -> Operation:
        """A reduction of xDSL's; the linalg.generic that it stands for where it has several inputs, or changes type."""
        if len(operands) == 2 and len({_element(value) for value in operands}) == 1:
            return super().create(
                operands=operands,
                result_types=result_types,
                properties=properties,
                attributes=attributes or {},
                regions=regions,
                **others,
            )
        half = len(operands) // 2
        reduced = cast("DenseArrayBase[IntegerType]", properties["dimensions"]).get_values()
        return generic_of(operands[:half], operands[half:], result_types, regions[0], attributes or {}, reduced)


@irdl_op_definition
class MapReader(IRDLOperation):
    """`linalg.map { math.exp } ins(..) outs(..) {..}`, or with a body behind; read as the linalg.generic that it is.

    Before LLVM 21 its body took no element of `outs`: such a body gets one that it does not read.
    """

    name = "linalg.map"
    operands_ = var_operand_def()
    res = var_result_def()
    mapper = region_def("single_block")

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        made = parse_payload(parser)
        inputs, outputs = parse_operands(parser, "ins"), parse_operands(parser, "outs")
        attributes = parser.parse_optional_attr_dict()
        operands = [*inputs, *outputs]
        body = parse_body(parser) if made is None else body_of(made, operands, range(len(inputs)))
        return cls.create(operands=operands, result_types=results_of(outputs), attributes=attributes, regions=[body])

    @classmethod
    def create(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls,
        *,
        operands: Sequence[SSAValue],
        result_types: Sequence[Attribute],
        attributes: Mapping[str, Attribute] | None = None,
        regions: Sequence[Region],
        **_others: object,
    ) -> Operation:
        """The linalg.generic with the same body. Raises `VerifyException` without a tensor or buffer that it writes."""
        if not operands or len(regions) != 1 or regions[0].first_block is None:
            raise VerifyException("'linalg.map': operands, the last of them in outs, and a body are required")
        block = regions[0].block
        if len(block.args) == len(operands) - 1:
            block.insert_arg(_element(operands[-1]), len(block.args))
        return generic_of(operands[:-1], operands[-1:], result_types, regions[0], attributes or {})


READERS: dict[type[Operation], type[Operation]] = {
    TransposeOp: TransposeReader,
    BroadcastOp: BroadcastReader,
    ReduceOp: ReduceReader,
}


def _element(value: SSAValue) -> Attribute:
    return get_element_type_or_self(value.type)


def _one_and_one(parser: Parser, name: str) -> tuple[SSAValue, SSAValue]:
    """`ins(%source : T) outs(%start : T)`."""
    place = parser.pos
    inputs, outputs = parse_operands(parser, "ins"), parse_operands(parser, "outs")
    if (len(inputs), len(outputs)) != (1, 1):
        parser.raise_error(f"'{name}' has one operand in ins and one in outs", place, parser.pos)
    return inputs[0], outputs[0]
