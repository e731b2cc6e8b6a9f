"""affine's operations as MLIR prints them, where xDSL reads less or takes dimensions for symbols.

`FrontendAffine` is xDSL's affine dialect with these in the places of the operations of the same name, and with
`affine.max` and what `frontend_affine_parallel` has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from xdsl.dialects import affine
from xdsl.dialects.affine import Affine
from xdsl.dialects.builtin import AffineMapAttr, AffineSetAttr, IndexType, MemRefType
from xdsl.ir import Attribute, Dialect, Operation, Region, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, prop_def, result_def, traits_def, var_operand_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from vtac.dialects.affine_texts import ExpressionReader, parse_map_operands, print_expression, print_map_operands
from vtac.dialects.frontend_affine_parallel import ParallelOp
from vtac.dialects.redefinition import redefined
from vtac.dialects.region_texts import (
    parse_arrow_types,
    parse_ended_region,
    print_arrow_types,
    print_ended_region,
    verify_yield,
)


def _parse_access(parser: Parser) -> tuple[SSAValue, ExpressionReader, AffineMapAttr, dict[str, Attribute], MemRefType]:
    """`%buffer[expressions] {..} : T`."""
    buffer = parser.parse_unresolved_operand()
    reader = ExpressionReader(parser)
    results = reader.read_list(Parser.Delimiter.SQUARE)
    attributes = parser.parse_optional_attr_dict()
    parser.parse_punctuation(":")
    place = parser.pos
    kind = parser.parse_type()
    if not isa(kind, MemRefType):
        parser.raise_error(f"{kind} has no elements to access: a memref is required", place)
    return parser.resolve_operand(buffer, kind), reader, AffineMapAttr(reader.map_of(results)), attributes, kind


def _print_access(
    printer: Printer, op: Operation, buffer: SSAValue, indices: AffineMapAttr, operands: Sequence[SSAValue]
) -> None:
    printer.print_ssa_value(buffer)
    dims, symbols = operands[: indices.data.num_dims], operands[indices.data.num_dims :]
    with printer.in_square_brackets():
        printer.print_list(indices.data.results, lambda one: print_expression(printer, one, dims, symbols))
    printer.print_op_attributes(op.attributes)
    printer.print_string(" : ")
    printer.print_attribute(buffer.type)


def _verify_access(indices: AffineMapAttr, operands: Sequence[SSAValue], kind: Attribute) -> None:
    found = indices.data
    if len(operands) != found.num_dims + found.num_symbols:
        raise VerifyException(f"its map {found} takes {found.num_dims + found.num_symbols} values, not {len(operands)}")
    if isa(kind, MemRefType) and len(found.results) != kind.get_num_dims():
        raise VerifyException(f"its map {found} gives {len(found.results)} indices into {kind}: one per dimension")


@redefined()
class LoadOp(affine.LoadOp):
    """An element of a buffer: `%buffer[%i + 1, symbol(%n)] : T`."""

    def verify_(self) -> None:
        _verify_access(self.map, self.indices, self.memref.type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        buffer, reader, indices, attributes, kind = _parse_access(parser)
        return cls.create(
            operands=[buffer, *reader.operands],
            result_types=[kind.get_element_type()],
            properties={"map": indices},
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        _print_access(printer, self, self.memref, self.map, self.indices)


@redefined()
class StoreOp(affine.StoreOp):
    """An element into a buffer: `%x, %buffer[%i + 1, symbol(%n)] : T`."""

    def verify_(self) -> None:
        _verify_access(self.map, self.indices, self.memref.type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        buffer, reader, indices, attributes, kind = _parse_access(parser)
        stored = parser.resolve_operand(value, kind.get_element_type())
        return cls.create(
            operands=[stored, buffer, *reader.operands], properties={"map": indices}, attributes=attributes
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(", ")
        _print_access(printer, self, self.memref, self.map, self.indices)


@redefined()
class IfOp(affine.IfOp):
    """A choice by an affine set: `#set(%i)[%n] -> (T) {..} else {..}`."""

    def verify_(self) -> None:
        wanted = self.condition.data.num_dims + self.condition.data.num_symbols
        if len(self.args) != wanted:
            raise VerifyException(f"its set {self.condition.data} takes {wanted} values, {len(self.args)} are given")
        if self.res and not self.else_region.blocks:
            raise VerifyException("it has results: an else that yields them is required")
        for region in self.regions:
            last = region.blocks.last.last_op if region.blocks.last is not None else None
            if isinstance(last, affine.YieldOp):
                verify_yield(last.operand_types, self.result_types)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        place = parser.pos
        condition = parser.parse_attribute()
        if not isinstance(condition, AffineSetAttr):
            parser.raise_error(f"{condition} is no condition: affine_set<..> is required", place)
        dims, symbols = parse_map_operands(parser)
        if (len(dims), len(symbols)) != (condition.data.num_dims, condition.data.num_symbols):
            parser.raise_error(f"({len(dims)})[{len(symbols)}] values are given to the set {condition.data}", place)
        results = parse_arrow_types(parser)
        then = parse_ended_region(parser, affine.YieldOp)
        otherwise = parse_ended_region(parser, affine.YieldOp) if parser.parse_optional_keyword("else") else Region()
        return cls.create(
            operands=[*dims, *symbols],
            result_types=results,
            properties={"condition": condition},
            attributes=parser.parse_optional_attr_dict(),
            regions=[then, otherwise],
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_attribute(self.condition)
        print_map_operands(printer, self.args, self.condition.data.num_dims)
        print_arrow_types(printer, self.result_types)
        print_ended_region(printer, self.then_region, is_ended=bool(self.res))
        if self.else_region.blocks:
            printer.print_string(" else")
            print_ended_region(printer, self.else_region, is_ended=bool(self.res))
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class MaxOp(IRDLOperation):
    """The largest result of a map: `#map(%i)[%n]`."""

    name = "affine.max"
    arguments = var_operand_def(IndexType())
    result = result_def(IndexType())
    map = prop_def(AffineMapAttr)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        wanted = self.map.data.num_dims + self.map.data.num_symbols
        if len(self.arguments) != wanted:
            raise VerifyException(f"its map {self.map.data} takes {wanted} values, {len(self.arguments)} are given")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        place = parser.pos
        found = parser.parse_attribute()
        if not isinstance(found, AffineMapAttr):
            parser.raise_error(f"{found} has no largest result: affine_map<..> is required", place)
        dims, symbols = parse_map_operands(parser)
        return cls.create(
            operands=[*dims, *symbols],
            result_types=[IndexType()],
            properties={"map": found},
            attributes=parser.parse_optional_attr_dict(),
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_attribute(self.map)
        print_map_operands(printer, self.arguments, self.map.data.num_dims)
        printer.print_op_attributes(self.attributes)


_OURS: dict[type[Operation], type[Operation]] = {
    affine.LoadOp: LoadOp,
    affine.StoreOp: StoreOp,
    affine.IfOp: IfOp,
    affine.ParallelOp: ParallelOp,
}
_OPERATIONS: list[type[Operation]] = [*(_OURS.get(op, op) for op in Affine.operations), MaxOp]
_ATTRIBUTES: list[type[Attribute]] = list(Affine.attributes)
FrontendAffine = Dialect("affine", _OPERATIONS, _ATTRIBUTES)
