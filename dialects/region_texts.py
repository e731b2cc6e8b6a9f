"""Regions and result types as MLIR prints those of control flow: `-> (T, U) {..}`, without terminators of nothing."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.builder import Builder
from xdsl.ir import Attribute, Block, Operation, Region
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.rewriter import InsertPoint
from xdsl.traits import IsTerminator
from xdsl.utils.exceptions import VerifyException


def parse_arrow_types(parser: Parser) -> list[Attribute]:
    """`-> (T, U)` or `-> T`; nothing where there is no arrow."""
    if parser.parse_optional_punctuation("->") is None:
        return []
    found = parser.parse_optional_comma_separated_list(Parser.Delimiter.PAREN, parser.parse_type)
    return [parser.parse_type()] if found is None else [*found]


def print_arrow_types(printer: Printer, kinds: Sequence[Attribute]) -> None:
    """` -> (T, U)`; nothing for no types."""
    if kinds:
        printer.print_string(" -> ")
        with printer.in_parens():
            printer.print_list(kinds, printer.print_attribute)


def parse_ended_region(
    parser: Parser, end: type[Operation], arguments: Sequence[Parser.Argument] | None = None
) -> Region:
    """A region whose last block ends in a terminator: the given one, of nothing, where the text has none."""
    region = parser.parse_region(arguments)
    if not region.blocks:
        region = Region(Block())
    block = region.blocks[-1]
    if block.last_op is None or not block.last_op.has_trait(IsTerminator):
        Builder(InsertPoint.at_end(block)).insert(end.create())
    return region


def print_ended_region(printer: Printer, region: Region, *, is_ended: bool) -> None:
    """A region without the arguments of its block, and without its terminator unless `is_ended`."""
    printer.print_string(" ")
    printer.print_region(
        region, print_entry_block_args=False, print_empty_block=False, print_block_terminators=is_ended
    )


def verify_yield(found: Sequence[Attribute], wanted: Sequence[Attribute]) -> None:
    """Raises `VerifyException` where a region yields other types than those of the results."""
    if list(found) != list(wanted):
        shown = [", ".join(map(str, kinds)) for kinds in (found, wanted)]
        raise VerifyException(f"it yields ({shown[0]}), its results are ({shown[1]}): equal types are required")
