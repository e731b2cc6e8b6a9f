"""scf.forall, which xDSL lacks: iterations in any order, each of which puts its slices into shared tensors.

`(%i, %j) in (4, %n) shared_outs(%o = %t) -> (T) {..}`; where a loop does not count from 0 by 1 the bounds are written
as `= (0) to (%n) step (2)`. The iterations end in `scf.forall.in_parallel`, whose region says what goes where.
"""

from __future__ import annotations

from typing import Self

from xdsl.dialects.builtin import DYNAMIC_INDEX, ArrayAttr, DenseArrayBase, IndexType, TensorType, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    lazy_traits_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.traits import HasParent, IsTerminator, NoTerminator, RecursiveMemoryEffect, SingleBlockImplicitTerminator
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.region_texts import parse_arrow_types, parse_ended_region, print_arrow_types, print_ended_region

Bounds = tuple[list[int], list[SSAValue]]
"""A number for each loop, `DYNAMIC_INDEX` for those that are values, and these values."""


@irdl_op_definition
class ForallOp(IRDLOperation):
    """Iterations in any order; a result is a shared tensor with the slices of all iterations in place."""

    name = "scf.forall"
    dynamic_lower = var_operand_def(IndexType)
    dynamic_upper = var_operand_def(IndexType)
    dynamic_step = var_operand_def(IndexType)
    outputs = var_operand_def(TensorType[Attribute])
    static_lower = prop_def(DenseArrayBase.constr(i64), prop_name="staticLowerBound")
    static_upper = prop_def(DenseArrayBase.constr(i64), prop_name="staticUpperBound")
    static_step = prop_def(DenseArrayBase.constr(i64), prop_name="staticStep")
    mapping = opt_prop_def(ArrayAttr[Attribute])
    res = var_result_def(TensorType[Attribute])
    body = region_def("single_block")
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = lazy_traits_def(lambda: (SingleBlockImplicitTerminator(InParallelOp), RecursiveMemoryEffect()))

    def bounds(self) -> tuple[Bounds, Bounds, Bounds]:
        """Where the loops begin, where they end, and their steps."""
        static = (self.static_lower, self.static_upper, self.static_step)
        dynamic = (self.dynamic_lower, self.dynamic_upper, self.dynamic_step)
        lower, upper, step = (
            ([int(number) for number in numbers.get_values()], list(values))
            for numbers, values in zip(static, dynamic, strict=True)
        )
        return lower, upper, step

    def verify_(self) -> None:
        loops = len(self.static_upper)
        for what, (numbers, values) in zip(("begin", "end", "step"), self.bounds(), strict=True):
            if len(numbers) != loops or numbers.count(DYNAMIC_INDEX) != len(values):
                raise VerifyException(f"its {loops} loops {what} at {numbers}, with {len(values)} values: one for each")
        kinds = [value.type for value in self.outputs]
        wanted = [*[IndexType()] * loops, *kinds]
        if list(self.result_types) != kinds:
            raise VerifyException("its results have other types than its shared tensors")
        if [argument.type for argument in self.body.block.args] != wanted:
            raise VerifyException(f"its block takes {', '.join(map(str, wanted))}: an index a loop, and shared tensors")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        loops = parser.parse_comma_separated_list(
            Parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=False)
        )
        if parser.parse_optional_keyword("in"):
            upper = _parse_bounds(parser)
            lower, step = ([0] * len(upper[0]), list[SSAValue]()), ([1] * len(upper[0]), list[SSAValue]())
        else:
            parser.parse_punctuation("=")
            lower = _parse_bounds(parser)
            parser.parse_keyword("to")
            upper = _parse_bounds(parser)
            parser.parse_keyword("step")
            step = _parse_bounds(parser)
        place = parser.pos
        shared: list[tuple[Parser.UnresolvedArgument, UnresolvedOperand]] = []
        if parser.parse_optional_keyword("shared_outs"):
            shared = parser.parse_comma_separated_list(Parser.Delimiter.PAREN, lambda: _parse_shared(parser))
        kinds = parse_arrow_types(parser)
        outputs = parser.resolve_operands([value for _, value in shared], kinds, place)
        arguments = [one.resolve(IndexType()) for one in loops]
        arguments += [one.resolve(kind) for (one, _), kind in zip(shared, kinds, strict=True)]
        body = parse_ended_region(parser, InParallelOp, arguments)
        attributes = parser.parse_optional_attr_dict()
        properties: dict[str, Attribute | None] = {
            "staticLowerBound": DenseArrayBase.from_list(i64, lower[0]),
            "staticUpperBound": DenseArrayBase.from_list(i64, upper[0]),
            "staticStep": DenseArrayBase.from_list(i64, step[0]),
            "mapping": attributes.pop("mapping", None),
        }
        return cls.build(
            operands=[lower[1], upper[1], step[1], outputs],
            result_types=[kinds],
            properties=properties,
            attributes=attributes,
            regions=[body],
        )

    def print(self, printer: Printer) -> None:
        lower, upper, step = self.bounds()
        loops = len(upper[0])
        printer.print_string(" ")
        with printer.in_parens():
            printer.print_list(self.body.block.args[:loops], printer.print_ssa_value)
        if (lower[0], step[0]) == ([0] * loops, [1] * loops):
            _print_bounds(printer, " in ", upper)
        else:
            for keyword, bounds in ((" = ", lower), (" to ", upper), (" step ", step)):
                _print_bounds(printer, keyword, bounds)
        if self.outputs:
            printer.print_string(" shared_outs")
            with printer.in_parens():
                pairs = list(zip(self.body.block.args[loops:], self.outputs, strict=True))
                printer.print_list(pairs, lambda pair: _print_shared(printer, *pair))
        print_arrow_types(printer, self.result_types)
        print_ended_region(printer, self.body, is_ended=bool(self.results))
        mapping: dict[str, Attribute] = {} if self.mapping is None else {"mapping": self.mapping}
        printer.print_op_attributes({**mapping, **self.attributes})


@irdl_op_definition
class InParallelOp(IRDLOperation):
    """The end of an iteration of `scf.forall`: its region puts slices into the shared tensors."""

    name = "scf.forall.in_parallel"
    region = region_def("single_block")
    traits = traits_def(HasParent(ForallOp), IsTerminator(), NoTerminator(), RecursiveMemoryEffect())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        region = parser.parse_region()
        found = region if region.blocks else Region(Block())
        return cls.build(regions=[found], attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_region(self.region, print_entry_block_args=False, print_empty_block=False)
        printer.print_op_attributes(self.attributes)

    @classmethod
    def create(cls, **parts: object) -> Operation:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Without a region it is the end of an iteration that puts nothing anywhere."""
        made = {"regions": [Region(Block())], **parts}
        return super().create(**made)  # pyright: ignore[reportArgumentType]


def _parse_bounds(parser: Parser) -> Bounds:
    """`(4, %n)`."""
    values: list[SSAValue] = []

    def one() -> int:
        found = parser.parse_optional_operand(IndexType())
        if found is None:
            return parser.parse_integer()
        values.append(found)
        return DYNAMIC_INDEX

    return parser.parse_comma_separated_list(Parser.Delimiter.PAREN, one), values


def _print_bounds(printer: Printer, keyword: str, bounds: Bounds) -> None:
    numbers, values = bounds
    left = list(values)

    def one(number: int) -> None:
        if number == DYNAMIC_INDEX:
            printer.print_ssa_value(left.pop(0))
        else:
            printer.print_string(str(number))

    printer.print_string(keyword)
    with printer.in_parens():
        printer.print_list(numbers, one)


def _parse_shared(parser: Parser) -> tuple[Parser.UnresolvedArgument, UnresolvedOperand]:
    argument = parser.parse_argument(expect_type=False)
    parser.parse_punctuation("=")
    return argument, parser.parse_unresolved_operand()


def _print_shared(printer: Printer, argument: SSAValue, output: SSAValue) -> None:
    printer.print_ssa_value(argument)
    printer.print_string(" = ")
    printer.print_ssa_value(output)
