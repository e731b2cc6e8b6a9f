"""How loops and blocks are written: records of what a text states, parsed and printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import AffineMapAttr, AffineSetAttr, IndexType
from xdsl.ir import Attribute, BlockArgument, Region, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer

from vtac.dialects.schedule.attributes import AccessAttr, IterationAttr, LoopKind, parse_loop_kind

INDEX = IndexType()


@dataclass(frozen=True)
class LoopText:
    """A loop: `%i = 0 to 8 kind "cthread" named "row" attributes {...} {...}`, what is usual left out."""

    extent: int
    kind: LoopKind
    name: str | None
    """None where the loop is called as its induction variable."""
    attributes: Mapping[str, Attribute]
    body: Region

    @staticmethod
    def parse(parser: Parser) -> LoopText:
        """What the text at hand states."""
        argument = parser.parse_argument(expect_type=False).resolve(INDEX)
        parser.parse_punctuation("=")
        start = parser.parse_integer(allow_negative=False)
        if start != 0:
            parser.raise_error("a schedule loop starts at 0")
        parser.parse_keyword("to")
        extent = parser.parse_integer(allow_negative=False)
        kind = parse_loop_kind(parser) if parser.parse_optional_keyword("kind") is not None else LoopKind.SERIAL
        name = parser.parse_str_literal("loop name") if parser.parse_optional_keyword("named") is not None else None
        attributes = _parse_attributes(parser)
        return LoopText(extent, kind, name, attributes, parser.parse_region([argument]))

    def print(self, printer: Printer, variable: BlockArgument) -> None:
        """Write it; `variable` is the induction variable."""
        printer.print_string(" ")
        printer.print_ssa_value(variable)
        printer.print_string(f" = 0 to {self.extent}")
        if self.kind is not LoopKind.SERIAL:
            printer.print_string(" kind ")
            printer.print_string_literal(self.kind.value)
        if self.name is not None:
            printer.print_string(" named ")
            printer.print_string_literal(self.name)
        printer.print_op_attributes(dict(self.attributes), print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False, print_empty_block=False)


@dataclass(frozen=True)
class BlockText:
    """A block: a line with its domain and bindings, then lines of its guard, its buffers and its init."""

    name: str
    domain: IterationAttr
    bindings: AffineMapAttr
    loops: Sequence[SSAValue]
    source: str | None
    guard: AffineSetAttr | None
    accesses: Sequence[tuple[SSAValue, AccessAttr]]
    """Each buffer that it reads, then the one that it writes."""
    init: Attribute | None
    attributes: Mapping[str, Attribute]
    body: Region

    @staticmethod
    def parse(parser: Parser) -> BlockText:
        """What the text at hand states."""
        name = parser.parse_str_literal("block name")
        domain = IterationAttr(IterationAttr.parse_parameter(parser))
        parser.parse_punctuation("=")
        bindings = AffineMapAttr(parser.parse_affine_map())
        names = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
        loops = [parser.resolve_operand(loop, INDEX) for loop in names]
        source = parser.parse_str_literal("operation name") if parser.parse_optional_keyword("from") else None
        guard = AffineSetAttr(parser.parse_affine_set()) if parser.parse_optional_keyword("where") else None
        accesses: list[tuple[SSAValue, AccessAttr]] = []
        while parser.parse_optional_keyword("reads") is not None:
            accesses.append(_parse_access(parser))
        parser.parse_keyword("writes")
        accesses.append(_parse_access(parser))
        init = parser.parse_attribute() if parser.parse_optional_keyword("init") is not None else None
        attributes = _parse_attributes(parser)
        body = parser.parse_region()
        return BlockText(name, domain, bindings, loops, source, guard, accesses, init, attributes, body)

    def print(self, printer: Printer) -> None:
        """Write it, from behind the operation's name."""
        printer.print_string(" ")
        printer.print_string_literal(self.name)
        printer.print_string(" ")
        self.domain.print_parameter(printer)
        printer.print_string(" = ")
        printer.print_string(str(self.bindings.data))
        printer.print_string("(")
        printer.print_list(self.loops, printer.print_ssa_value)
        printer.print_string(")")
        if self.source is not None:
            printer.print_string(" from ")
            printer.print_string_literal(self.source)
        with printer.indented():
            self._print_lines(printer)
        printer.print_op_attributes(dict(self.attributes), print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body)

    def _print_lines(self, printer: Printer) -> None:
        if self.guard is not None:
            printer._print_new_line()  # pyright: ignore[reportPrivateUsage]
            printer.print_string(f"where {self.guard.data}")
        for position, (buffer, access) in enumerate(self.accesses, 1):
            printer._print_new_line()  # pyright: ignore[reportPrivateUsage]
            printer.print_string("writes " if position == len(self.accesses) else "reads ")
            printer.print_ssa_value(buffer)
            access.print_parameters(printer)
            printer.print_string(" : ")
            printer.print_attribute(buffer.type)
        if self.init is not None:
            printer._print_new_line()  # pyright: ignore[reportPrivateUsage]
            printer.print_string("init ")
            printer.print_attribute(self.init)


def _parse_access(parser: Parser) -> tuple[SSAValue, AccessAttr]:
    unresolved = parser.parse_unresolved_operand()
    access = AccessAttr.new(AccessAttr.parse_parameters(parser))
    parser.parse_punctuation(":")
    return parser.resolve_operand(unresolved, parser.parse_type()), access


def _parse_attributes(parser: Parser) -> Mapping[str, Attribute]:
    found = parser.parse_optional_attr_dict_with_keyword()
    return {} if found is None else found.data
