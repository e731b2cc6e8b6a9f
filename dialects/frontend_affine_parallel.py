"""affine.parallel as MLIR prints it: `(%i, %j) = (0, max(%a, 2)) to (4, %n) step (1, 2) reduce ("addi") -> (T)`."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Self, cast

from xdsl.dialects import affine
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseIntElementsAttr,
    DenseIntOrFPElementsAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    TensorType,
    i32,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.ir.affine import AffineExpr
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.affine_texts import ExpressionReader, print_expression
from vtac.dialects.redefinition import redefined
from vtac.dialects.region_texts import (
    parse_arrow_types,
    parse_ended_region,
    print_arrow_types,
    print_ended_region,
    verify_yield,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS = "addf addi andi assign maximumf maxnumf maxs maxu minimumf minnumf mins minu mulf muli ori xori"
REDUCTIONS: Mapping[str, int] = MappingProxyType({name: number for number, name in enumerate(_KINDS.split())})
"""Kinds of reductions by the names that texts have, and the numbers by which MLIR 22 keeps them."""
_NAMES = {number: name for name, number in REDUCTIONS.items()}


@redefined(properties={"reductions": ArrayAttr[IntegerAttr[IntegerType]]})
class ParallelOp(affine.ParallelOp):
    """A nest of loops whose iterations may run in any order; results reduce what each iteration yields."""

    def verify_(self) -> None:
        lower, upper = self.lowerBoundsMap.data, self.upperBoundsMap.data
        wanted = sum(one.num_dims + one.num_symbols for one in (lower, upper))
        if len(self.map_operands) != wanted:
            raise VerifyException(f"its bounds take {wanted} values, {len(self.map_operands)} are given")
        loops = len(self.body.block.args)
        for found, groups in ((lower, self.lowerBoundsGroups), (upper, self.upperBoundsGroups)):
            counts = [int(count) for count in groups.get_values()]
            if len(counts) != loops or sum(counts) != len(found.results):
                raise VerifyException(f"its {loops} loops have bounds in groups of {counts} of {len(found.results)}")
        steps = self.step_values()
        if len(steps) != loops or min(steps, default=1) < 1:
            raise VerifyException(f"its steps are {steps}: a positive one for each of its {loops} loops is required")
        kinds = self.reduction_names()
        if len(kinds) != len(self.results):
            raise VerifyException(f"it has {len(kinds)} reductions and {len(self.results)} results")
        last = self.body.block.last_op
        if isinstance(last, affine.YieldOp):
            verify_yield(last.operand_types, self.result_types)

    def step_values(self) -> list[int]:
        """How far each loop goes in one iteration."""
        return [int(step.value.data) for step in self.steps]

    def reduction_names(self) -> list[str]:
        """How each result is reduced. Raises `VerifyException` for a number that names no kind."""
        numbers = [one.value.data for one in cast("ArrayAttr[IntegerAttr]", self.properties["reductions"])]
        unknown = [number for number in numbers if number not in _NAMES]
        if unknown:
            raise VerifyException(f"{unknown[0]} names no kind of reduction: one of 0 to {len(_NAMES) - 1} is required")
        return [_NAMES[number] for number in numbers]

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        arguments = parser.parse_comma_separated_list(
            Parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=False)
        )
        parser.parse_punctuation("=")
        lower, lower_map, lower_groups = _parse_bounds(parser, "max")
        parser.parse_keyword("to")
        upper, upper_map, upper_groups = _parse_bounds(parser, "min")
        steps = [1] * len(arguments)
        if parser.parse_optional_keyword("step"):
            steps = parser.parse_comma_separated_list(Parser.Delimiter.PAREN, parser.parse_integer)
        reductions: list[int] = []
        if parser.parse_optional_keyword("reduce"):
            reductions = parser.parse_comma_separated_list(Parser.Delimiter.PAREN, lambda: _parse_reduction(parser))
        results = parse_arrow_types(parser)
        body = parse_ended_region(parser, affine.YieldOp, [one.resolve(IndexType()) for one in arguments])
        properties: dict[str, Attribute] = {
            "lowerBoundsMap": lower_map,
            "lowerBoundsGroups": lower_groups,
            "upperBoundsMap": upper_map,
            "upperBoundsGroups": upper_groups,
            "steps": _numbers(steps),
            "reductions": _numbers(reductions),
        }
        return cls.create(
            operands=[*lower, *upper],
            result_types=results,
            properties=properties,
            attributes=parser.parse_optional_attr_dict(),
            regions=[body],
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        with printer.in_parens():
            printer.print_list(self.body.block.args, printer.print_ssa_value)
        lower, operands = self.lowerBoundsMap, list(self.map_operands)
        count = lower.data.num_dims + lower.data.num_symbols
        printer.print_string(" = ")
        _print_bounds(printer, "max", lower, self.lowerBoundsGroups, operands[:count])
        printer.print_string(" to ")
        _print_bounds(printer, "min", self.upperBoundsMap, self.upperBoundsGroups, operands[count:])
        if any(step != 1 for step in self.step_values()):
            printer.print_string(f" step ({', '.join(map(str, self.step_values()))})")
        if self.results:
            names = ", ".join(f'"{name}"' for name in self.reduction_names())
            printer.print_string(f" reduce ({names})")
            print_arrow_types(printer, self.result_types)
        print_ended_region(printer, self.body, is_ended=bool(self.results))
        printer.print_op_attributes(self.attributes)


def _parse_bounds(parser: Parser, keyword: str) -> tuple[list[SSAValue], AffineMapAttr, DenseIntElementsAttr]:
    """`(%a + 1, max(0, %b))`: a bound for each loop, of one expression or the outermost of several."""
    reader = ExpressionReader(parser)

    def bound() -> list[AffineExpr]:
        several = parser.parse_optional_keyword(keyword) is not None
        return reader.read_list(Parser.Delimiter.PAREN) if several else [reader.read()]

    groups = parser.parse_comma_separated_list(Parser.Delimiter.PAREN, bound)
    found = reader.map_of([one for group in groups for one in group])
    counts = DenseIntOrFPElementsAttr.from_list(TensorType(i32, [len(groups)]), [len(group) for group in groups])
    return reader.operands, AffineMapAttr(found), cast("DenseIntElementsAttr", counts)


def _print_bounds(
    printer: Printer, keyword: str, bounds: AffineMapAttr, groups: DenseIntElementsAttr, operands: Sequence[SSAValue]
) -> None:
    dims, symbols = operands[: bounds.data.num_dims], operands[bounds.data.num_dims :]
    left = list(bounds.data.results)

    def one(count: int) -> None:
        group = [left.pop(0) for _ in range(count)]
        printer.print_string(f"{keyword}(" if count != 1 else "")
        printer.print_list(group, lambda expr: print_expression(printer, expr, dims, symbols))
        printer.print_string(")" if count != 1 else "")

    with printer.in_parens():
        printer.print_list([int(count) for count in groups.get_values()], one)


def _parse_reduction(parser: Parser) -> int:
    place = parser.pos
    name = parser.parse_str_literal()
    if name not in REDUCTIONS:
        parser.raise_error(f"'{name}' is no kind of reduction: one of {', '.join(REDUCTIONS)} is required", place)
    return REDUCTIONS[name]


def _numbers(values: Sequence[int]) -> ArrayAttr[IntegerAttr]:
    return ArrayAttr([IntegerAttr(value, i64) for value in values])
