"""Affine expressions over values, as MLIR writes them in accesses and bounds: `%i * 2 + symbol(%n)`.

A value is a dimension of the map; `symbol(%n)` is a symbol, which MLIR takes only of values that stay the same while
loops run. xDSL takes every value for a symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.dialects.builtin import IndexType
from xdsl.ir import SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSymExpr,
)
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.parser.affine_parser import AffineParser
from xdsl.printer import Printer

_SUM, _PRODUCT = 10, 20


@dataclass
class ExpressionReader:
    """Reads expressions over values; equal values are one dimension, or one symbol, of all of them."""

    parser: Parser
    dims: list[SSAValue] = field(default_factory=list[SSAValue])
    symbols: list[SSAValue] = field(default_factory=list[SSAValue])

    def read(self) -> AffineExpr:
        """One expression. Raises `ParseError`."""
        reader = AffineParser(self.parser._parser_state)  # pyright: ignore[reportPrivateUsage]
        return reader._parse_affine_expr(self._value)  # pyright: ignore[reportPrivateUsage]

    def read_list(self, delimiter: Parser.Delimiter) -> list[AffineExpr]:
        """Expressions with commas between them."""
        return self.parser.parse_comma_separated_list(delimiter, self.read)

    def map_of(self, results: Sequence[AffineExpr]) -> AffineMap:
        """The map of expressions that were read, whose operands are `operands`."""
        return AffineMap(len(self.dims), len(self.symbols), tuple(results))

    @property
    def operands(self) -> list[SSAValue]:
        """The values, dimensions first."""
        return [*self.dims, *self.symbols]

    def _value(self) -> AffineExpr | None:
        if self.parser.parse_optional_keyword("symbol"):
            with self.parser.in_parens():
                return AffineSymExpr(_position(self._resolved(self.parser.parse_unresolved_operand()), self.symbols))
        found = self.parser.parse_optional_unresolved_operand()
        return None if found is None else AffineDimExpr(_position(self._resolved(found), self.dims))

    def _resolved(self, operand: UnresolvedOperand) -> SSAValue:
        return self.parser.resolve_operand(operand, IndexType())


def _position(value: SSAValue, known: list[SSAValue]) -> int:
    if value not in known:
        known.append(value)
    return known.index(value)


def parse_map_operands(parser: Parser) -> tuple[list[SSAValue], list[SSAValue]]:
    """`(%dims..)[%symbols..]`, of which the brackets may be left out."""

    def one() -> SSAValue:
        return parser.parse_operand(IndexType())

    dims = parser.parse_comma_separated_list(Parser.Delimiter.PAREN, one)
    return dims, parser.parse_optional_comma_separated_list(Parser.Delimiter.SQUARE, one) or []


def print_map_operands(printer: Printer, operands: Sequence[SSAValue], num_dims: int) -> None:
    """`(%dims..)[%symbols..]`."""
    with printer.in_parens():
        printer.print_list(operands[:num_dims], printer.print_ssa_value)
    if len(operands) > num_dims:
        with printer.in_square_brackets():
            printer.print_list(operands[num_dims:], printer.print_ssa_value)


def print_expression(
    printer: Printer, expr: AffineExpr, dims: Sequence[SSAValue], symbols: Sequence[SSAValue], binds: int = 0
) -> None:
    """An expression over values, in parentheses where it binds less than what is around it, `binds`."""
    match expr:
        case AffineConstantExpr(value=value):
            printer.print_string(str(value))
        case AffineDimExpr(position=position):
            printer.print_ssa_value(dims[position])
        case AffineSymExpr(position=position):
            printer.print_string("symbol(")
            printer.print_ssa_value(symbols[position])
            printer.print_string(")")
        case AffineBinaryOpExpr(kind=kind, lhs=left, rhs=right):
            own = _SUM if kind is AffineBinaryOpKind.Add else _PRODUCT
            printer.print_string("(" if own < binds else "")
            print_expression(printer, left, dims, symbols, own)
            printer.print_string(f" {kind.get_token()} ")
            print_expression(printer, right, dims, symbols, own if own == _SUM else own + 1)
            printer.print_string(")" if own < binds else "")
        case _:
            raise ValueError(f"no affine expression: {expr}")
