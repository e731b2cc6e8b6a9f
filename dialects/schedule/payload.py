"""Payload of the schedule dialect: explicit loop nests over blocks."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import cast

from xdsl.dialects.builtin import (
    I64,
    AffineMapAttr,
    AffineSetAttr,
    ArrayAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    i64,
)
from xdsl.ir import Attribute, Block, BlockArgument, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, MemoryReadEffect, MemoryWriteEffect, NoTerminator, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.schedule.attributes import (
    AccessAttr,
    IterationAttr,
    IterationVariable,
    LoopKind,
    LoopKindAttr,
    Number,
    parse_loop_kind,
)
from vtac.dialects.segments import SEGMENTS, segments

INDEX = IndexType()


@lru_cache(maxsize=4096)
def _extent_attribute(extent: int) -> IntegerAttr[I64]:
    return IntegerAttr(extent, i64)


@cache
def _kind_attribute(kind: LoopKind) -> LoopKindAttr:
    return LoopKindAttr(kind)


@irdl_op_definition
class ForOp(IRDLOperation):
    """A loop `0 <= iv < extent` of a given kind.

    Its name is a property; text that states none names the loop as its induction variable, and the printer
    states it where that would not give it back. Legal with any body of loops, blocks and allocations; at
    least one iteration.
    """

    name = "schedule.for"

    extent = prop_def(IntegerAttr[I64])
    kind = prop_def(LoopKindAttr)
    name_property = opt_prop_def(StringAttr, prop_name="loop_name")
    body = region_def("single_block")

    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    @staticmethod
    def get(extent: int, name: str | None, kind: LoopKind = LoopKind.SERIAL) -> ForOp:
        """A loop with an empty body."""
        loop = ForOp.make(extent, kind, Region(Block(arg_types=[INDEX])))
        if name is not None:
            loop.rename(name)
        return loop

    def rename(self, name: str) -> None:
        """Name the loop, and its induction variable alike where SSA names allow it."""
        self.name_property = StringAttr(name)
        self.induction_variable.name_hint = name if SSAValue.is_valid_name(name) else None

    @staticmethod
    def make(extent: int, kind: LoopKind, body: Region) -> ForOp:
        """A loop with a given body."""
        properties = {"extent": _extent_attribute(extent), "kind": _kind_attribute(kind)}
        return ForOp.create(properties=properties, regions=[body])

    @property
    def trip_count(self) -> int:
        return self.properties["extent"].value.data  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]

    @trip_count.setter
    def trip_count(self, count: int) -> None:
        self.extent = _extent_attribute(count)

    @property
    def loop_kind(self) -> LoopKind:
        return self.kind.data

    @property
    def induction_variable(self) -> BlockArgument:
        block = self.regions[0].first_block
        if block is None:
            raise ValueError("a loop without a body has no induction variable")
        return block.args[0]

    @property
    def loop_name(self) -> str:
        """The loop's name; that of its induction variable where none was given, else `i`."""
        if self.name_property is not None:
            return self.name_property.data
        return self.induction_variable.name_hint or "i"

    def verify_(self) -> None:
        if self.trip_count < 1:
            raise VerifyException(f"loop runs {self.trip_count} times; at least 1 is required")
        arguments = self.body.block.args
        if len(arguments) != 1 or not isinstance(arguments[0].type, IndexType):
            raise VerifyException("a loop body takes exactly one argument, its index induction variable")

    @classmethod
    def parse(cls, parser: Parser) -> ForOp:
        argument = parser.parse_argument(expect_type=False).resolve(INDEX)
        parser.parse_punctuation("=")
        start = parser.parse_integer(allow_negative=False)
        if start != 0:
            parser.raise_error("a schedule loop starts at 0")
        parser.parse_keyword("to")
        extent = parser.parse_integer(allow_negative=False)
        kind = parse_loop_kind(parser) if parser.parse_optional_keyword("kind") is not None else LoopKind.SERIAL
        name = parser.parse_str_literal("loop name") if parser.parse_optional_keyword("named") is not None else None
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parser.parse_region([argument])
        loop = ForOp.make(extent, kind, body)
        if name is not None or loop.induction_variable.name_hint is not None:
            loop.name_property = StringAttr(loop.loop_name if name is None else name)
        if attributes is not None:
            loop.attributes |= attributes.data
        return loop

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.induction_variable)
        printer.print_string(f" = 0 to {self.trip_count}")
        if self.loop_kind is not LoopKind.SERIAL:
            printer.print_string(" kind ")
            printer.print_string_literal(self.loop_kind.value)
        if self.name_property is not None and self.name_property.data != self.induction_variable.name_hint:
            printer.print_string(" named ")
            printer.print_string_literal(self.name_property.data)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False, print_empty_block=False)


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends a block's body with the scalar that is stored."""

    name = "schedule.yield"

    value = operand_def()

    traits = traits_def(IsTerminator())
    assembly_format = "$value attr-dict `:` type($value)"


@irdl_op_definition
class BlockOp(IRDLOperation):
    """One statement: for each point of its iteration domain, compute a scalar and store it.

    `bindings` maps the enclosing loops in `loops` to the iteration variables; the block
    runs where every constraint of `guard` holds. The body takes one scalar per input,
    then, when the domain has a reduction, the value accumulated so far; with `init` that
    value starts there whenever all reduction variables are 0, else in the buffer itself.
    `source` is the name of the operation that the block computes, if it comes from one.
    """

    name = "schedule.block"

    loops = var_operand_def(IndexType())
    inputs = var_operand_def(MemRefType)
    output = operand_def(MemRefType)

    sym_name = prop_def(StringAttr)
    source = opt_prop_def(StringAttr)
    domain = prop_def(IterationAttr)
    bindings = prop_def(AffineMapAttr)
    guard = opt_prop_def(AffineSetAttr)
    accesses = prop_def(ArrayAttr[AccessAttr])
    init = opt_prop_def(IntegerAttr | FloatAttr)
    body = region_def("single_block")

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    @staticmethod
    def get(
        name: str,
        *,
        loops: list[SSAValue],
        inputs: list[SSAValue],
        output: SSAValue,
        domain: tuple[IterationVariable, ...],
        bindings: AffineMap,
        accesses: list[AccessAttr],
        body: Region,
        init: Number | None = None,
    ) -> BlockOp:
        properties: dict[str, Attribute] = {
            "sym_name": StringAttr(name),
            "domain": IterationAttr(domain),
            "bindings": AffineMapAttr(bindings),
            "accesses": ArrayAttr(accesses),
            **({} if init is None else {"init": init}),
            SEGMENTS: segments(len(loops), len(inputs), 1),
        }
        return BlockOp.create(operands=[*loops, *inputs, output], properties=properties, regions=[body])

    @property
    def block_name(self) -> str:
        return self.sym_name.data

    @property
    def bound_loops(self) -> tuple[SSAValue, ...]:
        """`loops`, by the number that `bindings` take: in a fraction of the time, as nothing is decoded."""
        return tuple(self.operands)[: self.bindings.data.num_dims]

    @property
    def buffers(self) -> tuple[SSAValue, ...]:
        """What it accesses, one for each of `accesses`: `inputs`, then `output`."""
        return tuple(self.operands)[-len(self.accesses.data) :]

    @property
    def variables(self) -> tuple[IterationVariable, ...]:
        return self.domain.data

    @property
    def has_reduction(self) -> bool:
        return any(variable.reduction for variable in self.variables)

    @property
    def output_access(self) -> AccessAttr:
        return self.accesses.data[-1]

    @property
    def yielded(self) -> SSAValue:
        return cast(YieldOp, self.body.block.last_op).value

    def verify_(self) -> None:
        self._verify_maps()
        self._verify_body()

    def _verify_maps(self) -> None:
        bindings = self.bindings.data
        if bindings.num_dims != len(self.loops) or bindings.num_symbols:
            raise VerifyException(f"bindings take {bindings.num_dims} loops; the block names {len(self.loops)}")
        if len(bindings.results) != len(self.variables):
            raise VerifyException(
                f"bindings give {len(bindings.results)} values; the domain has {len(self.variables)} variables"
            )
        if self.guard is not None and self.guard.data.num_dims != len(self.loops):
            raise VerifyException(
                f"the guard takes {self.guard.data.num_dims} loops; the block names {len(self.loops)}"
            )
        buffers = (*self.inputs, self.output)
        if len(self.accesses) != len(buffers):
            raise VerifyException(f"{len(self.accesses)} accesses for {len(buffers)} buffers; one each is required")
        for position, (buffer, access) in enumerate(zip(buffers, self.accesses, strict=True)):
            rank = len(cast(MemRefType, buffer.type).get_shape())
            if access.indices.num_dims != len(self.variables) or len(access.indices.results) != rank:
                raise VerifyException(
                    f"access #{position} maps {access.indices.num_dims} variables to {len(access.indices.results)} "
                    f"indices; the block has {len(self.variables)} variables and the buffer rank {rank}"
                )
        if self.output_access.pad_value is not None:
            raise VerifyException("the output of a block cannot be padded")

    def _verify_body(self) -> None:
        types = [cast(MemRefType, buffer.type).element_type for buffer in self.inputs]
        result = cast(MemRefType, self.output.type).element_type
        if self.has_reduction:
            types.append(result)
        found = [argument.type for argument in self.body.block.args]
        if found != types:
            raise VerifyException(
                f"the body takes ({_join(found)}); the inputs"
                f"{' and the accumulator' if self.has_reduction else ''} give ({_join(types)})"
            )
        last = self.body.block.last_op
        if not isinstance(last, YieldOp) or last.value.type != result:
            raise VerifyException(f"the body must end with schedule.yield of {result}, the output's element type")
        if self.init is not None and (self.init.type != result or not self.has_reduction):
            raise VerifyException(f"init must be a number of type {result} on a block with a reduction")

    @classmethod
    def parse(cls, parser: Parser) -> BlockOp:
        return _parse_block(parser)

    def print(self, printer: Printer) -> None:
        _print_block(self, printer)


def _join(types: list[Attribute]) -> str:
    return ", ".join(str(kind) for kind in types)


def _print_block(block: BlockOp, printer: Printer) -> None:
    printer.print_string(" ")
    printer.print_string_literal(block.block_name)
    printer.print_string(" ")
    block.domain.print_parameter(printer)
    printer.print_string(" = ")
    printer.print_string(str(block.bindings.data))
    printer.print_string("(")
    printer.print_list(block.loops, printer.print_ssa_value)
    printer.print_string(")")
    if block.source is not None:
        printer.print_string(" from ")
        printer.print_string_literal(block.source.data)
    with printer.indented():
        if block.guard is not None:
            printer._print_new_line()  # pyright: ignore[reportPrivateUsage]
            printer.print_string(f"where {block.guard.data}")
        for position, (buffer, access) in enumerate(zip((*block.inputs, block.output), block.accesses, strict=True)):
            printer._print_new_line()  # pyright: ignore[reportPrivateUsage]
            printer.print_string("writes " if position == len(block.inputs) else "reads ")
            printer.print_ssa_value(buffer)
            access.print_parameters(printer)
            printer.print_string(" : ")
            printer.print_attribute(buffer.type)
        if block.init is not None:
            printer._print_new_line()  # pyright: ignore[reportPrivateUsage]
            printer.print_string("init ")
            printer.print_attribute(block.init)
    printer.print_op_attributes(block.attributes, print_keyword=True)
    printer.print_string(" ")
    printer.print_region(block.body)


def _parse_access(parser: Parser) -> tuple[SSAValue, AccessAttr]:
    unresolved = parser.parse_unresolved_operand()
    access = AccessAttr.new(AccessAttr.parse_parameters(parser))
    parser.parse_punctuation(":")
    return parser.resolve_operand(unresolved, parser.parse_type()), access


def _parse_block(parser: Parser) -> BlockOp:
    name = parser.parse_str_literal("block name")
    domain = IterationAttr(IterationAttr.parse_parameter(parser))
    parser.parse_punctuation("=")
    bindings = parser.parse_affine_map()
    names = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
    loops = [parser.resolve_operand(loop, INDEX) for loop in names]
    source = StringAttr(parser.parse_str_literal("operation name")) if parser.parse_optional_keyword("from") else None
    guard = AffineSetAttr(parser.parse_affine_set()) if parser.parse_optional_keyword("where") else None
    reads: list[tuple[SSAValue, AccessAttr]] = []
    while parser.parse_optional_keyword("reads") is not None:
        reads.append(_parse_access(parser))
    parser.parse_keyword("writes")
    output, written = _parse_access(parser)
    init = parser.parse_attribute() if parser.parse_optional_keyword("init") is not None else None
    attributes = parser.parse_optional_attr_dict_with_keyword()
    body = parser.parse_region()
    block = BlockOp(
        operands=[loops, [buffer for buffer, _ in reads], output],
        properties={
            "sym_name": StringAttr(name),
            "source": source,
            "domain": domain,
            "bindings": AffineMapAttr(bindings),
            "guard": guard,
            "accesses": ArrayAttr([*(access for _, access in reads), written]),
            "init": init,
        },
        regions=[body],
    )
    if attributes is not None:
        block.attributes |= attributes.data
    return block
