"""scf's operations as MLIR prints them, where xDSL reads the generic form alone, or not at all.

`FrontendScf` is xDSL's scf dialect with `scf.parallel` in custom form, loops that compare unsigned numbers, and
`scf.forall`, which `frontend_forall` has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self, cast

from xdsl.dialects import scf
from xdsl.dialects.builtin import IndexType, UnitAttr
from xdsl.dialects.scf import Scf
from xdsl.ir import Attribute, Dialect, Operation, SSAValue
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer

from vtac.dialects.frontend_forall import ForallOp, InParallelOp
from vtac.dialects.redefinition import redefined
from vtac.dialects.region_texts import parse_arrow_types, parse_ended_region, print_arrow_types, print_ended_region

UNSIGNED = "unsignedCmp"
"""The property of loops that compare their variable with its bound as unsigned numbers."""


@redefined(added={UNSIGNED: UnitAttr})
class UnsignedForOp(scf.ForOp):
    """`unsigned %i = %a to %b step %c ..`; without the word the loop is xDSL's own."""

    @classmethod
    def create(cls, **parts: object) -> scf.ForOp:  # pyright: ignore[reportIncompatibleMethodOverride]
        properties = cast("dict[str, Attribute]", parts.get("properties") or {})
        kind = super() if UNSIGNED in properties else scf.ForOp
        return cast("Callable[..., scf.ForOp]", kind.create)(**parts)

    @classmethod
    def parse(cls, parser: Parser) -> scf.ForOp:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not parser.parse_optional_keyword("unsigned"):
            return scf.ForOp.parse(parser)
        found = super().parse(parser)
        found.properties[UNSIGNED] = UnitAttr()
        return found

    def print(self, printer: Printer) -> None:
        printer.print_string(" unsigned")
        super().print(printer)


@redefined()
class ParallelOp(scf.ParallelOp):
    """A nest of loops whose iterations may run in any order: `(%i) = (%a) to (%b) step (%c) init (%x) -> (T) {..}`."""

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        arguments = parser.parse_comma_separated_list(
            Parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=False)
        )
        parser.parse_punctuation("=")
        bounds: list[Sequence[SSAValue]] = [_parse_indices(parser)]
        for keyword in ("to", "step"):
            parser.parse_keyword(keyword)
            bounds.append(_parse_indices(parser))
        place = parser.pos
        starts: list[UnresolvedOperand] = []
        if parser.parse_optional_keyword("init"):
            starts = parser.parse_comma_separated_list(Parser.Delimiter.PAREN, parser.parse_unresolved_operand)
        results = parse_arrow_types(parser)
        values = parser.resolve_operands(starts, results, place)
        body = parse_ended_region(parser, ReduceOp, [one.resolve(IndexType()) for one in arguments])
        return cls.build(
            operands=[*bounds, values],
            result_types=[results],
            regions=[body],
            attributes=parser.parse_optional_attr_dict(),
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        with printer.in_parens():
            printer.print_list(self.body.block.args, printer.print_ssa_value)
        bounds = (self.lowerBound, self.upperBound, self.step)
        for keyword, values in zip((" = ", " to ", " step "), bounds, strict=True):
            _print_values(printer, keyword, values)
        if self.initVals:
            _print_values(printer, " init ", self.initVals)
        print_arrow_types(printer, self.result_types)
        print_ended_region(printer, self.body, is_ended=bool(self.results))
        printer.print_op_attributes(self.attributes)


@redefined()
class ReduceOp(scf.ReduceOp):
    """The end of an iteration, and how each of its values is reduced: `(%x, %y : T, U) {..}, {..}`."""

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        values: Sequence[SSAValue] = ()
        if parser.parse_optional_punctuation("("):
            place = parser.pos
            given = parser.parse_comma_separated_list(Parser.Delimiter.NONE, parser.parse_unresolved_operand)
            parser.parse_punctuation(":")
            kinds = parser.parse_comma_separated_list(Parser.Delimiter.NONE, parser.parse_type)
            parser.parse_punctuation(")")
            values = parser.resolve_operands(given, kinds, place)
        regions = [parser.parse_region()] if values else []
        while parser.parse_optional_punctuation(","):
            regions.append(parser.parse_region())
        return cls.create(operands=values, regions=regions, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        if self.args:
            with printer.in_parens():
                printer.print_list(self.args, printer.print_ssa_value)
                printer.print_string(" : ")
                printer.print_list(self.args, lambda value: printer.print_attribute(value.type))
            printer.print_string(" ")
            printer.print_list(self.reductions, printer.print_region)
        printer.print_op_attributes(self.attributes)


def _parse_indices(parser: Parser) -> Sequence[SSAValue]:
    return parser.parse_comma_separated_list(Parser.Delimiter.PAREN, lambda: parser.parse_operand(IndexType()))


def _print_values(printer: Printer, keyword: str, values: Sequence[SSAValue]) -> None:
    printer.print_string(keyword)
    with printer.in_parens():
        printer.print_list(values, printer.print_ssa_value)


_OURS: dict[type[Operation], type[Operation]] = {
    scf.ForOp: UnsignedForOp,
    scf.ParallelOp: ParallelOp,
    scf.ReduceOp: ReduceOp,
}
_OPERATIONS: list[type[Operation]] = [*(_OURS.get(op, op) for op in Scf.operations), ForallOp, InParallelOp]
_ATTRIBUTES: list[type[Attribute]] = list(Scf.attributes)
FrontendScf = Dialect("scf", _OPERATIONS, _ATTRIBUTES)
