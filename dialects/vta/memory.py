"""2D transfers between DRAM and on-chip memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias, TypeVar

from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseArrayBase, IndexType, MemRefType, StringAttr, i64
from xdsl.ir import SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.frequent import numbers_attribute, text_attribute
from vtac.dialects.making import make_op
from vtac.dialects.segments import SEGMENTS, read_groups_directly, segments

Amount: TypeAlias = SSAValue | int
"""A number known now, or a host value."""

_T = TypeVar("_T", bound="_TransferOp")


class _TransferOp(IRDLOperation):
    """Base of both transfers: named amounts, each a constant or a host value.

    `static` holds one entry per field; the dynamic marker stands for the next operand of
    `dynamic`.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ()
    MEMORIES: ClassVar[tuple[str, ...]] = ()

    buffer = operand_def(MemRefType)
    on_chip = opt_operand_def(MemRefType)
    dynamic = var_operand_def(IndexType())
    static = prop_def(DenseArrayBase.constr(i64))
    memory = prop_def(StringAttr)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    @classmethod
    def build_from(
        cls: type[_T], memory: str, buffer: SSAValue, on_chip: SSAValue | None, amounts: Sequence[Amount]
    ) -> _T:
        """Make the op from one amount per field, in the order of FIELDS."""
        dynamic = [amount for amount in amounts if isinstance(amount, SSAValue)]
        static = [DYNAMIC_INDEX if isinstance(amount, SSAValue) else amount for amount in amounts]
        near = [] if on_chip is None else [on_chip]
        return make_op(
            cls,
            operands=[buffer, *near, *dynamic],
            properties={
                "static": numbers_attribute(*static),
                "memory": text_attribute(memory),
                SEGMENTS: segments(1, len(near), len(dynamic)),
            },
        )

    def amounts(self) -> list[Amount]:
        """One amount per field, in the order of FIELDS."""
        dynamic = iter(self.dynamic)
        return [next(dynamic) if value == DYNAMIC_INDEX else value for value in self.static.get_values()]

    def amount(self, field: str) -> Amount:
        return self.amounts()[self.FIELDS.index(field)]

    def with_amount(self: _T, field: str, value: Amount) -> _T:
        """A copy with one field changed."""
        amounts = self.amounts()
        amounts[self.FIELDS.index(field)] = value
        return type(self).build_from(self.memory.data, self.buffer, self.on_chip, amounts)

    def verify_(self) -> None:
        if self.memory.data not in self.MEMORIES:
            raise VerifyException(f"unknown memory '{self.memory.data}'; it is one of {', '.join(self.MEMORIES)}")
        values = self.static.get_values()
        if len(values) != len(self.FIELDS):
            raise VerifyException(
                f"expected {len(self.FIELDS)} amounts ({', '.join(self.FIELDS)}), found {len(values)}"
            )
        if sum(value == DYNAMIC_INDEX for value in values) != len(self.dynamic):
            raise VerifyException("expected one dynamic operand per dynamic amount")

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.memory.data} ")
        printer.print_ssa_value(self.buffer)
        if self.on_chip is not None:
            printer.print_string(", ")
            printer.print_ssa_value(self.on_chip)
        printer.print_string(" [")

        def field(item: tuple[str, Amount]) -> None:
            printer.print_string(f"{item[0]} = ")
            if isinstance(item[1], SSAValue):
                printer.print_ssa_value(item[1])
            else:
                printer.print_string(str(item[1]))

        printer.print_list(tuple(zip(self.FIELDS, self.amounts(), strict=True)), field)
        printer.print_string("]")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.buffer.type)
        if self.on_chip is not None:
            printer.print_string(", ")
            printer.print_attribute(self.on_chip.type)

    @classmethod
    def parse(cls: type[_T], parser: Parser) -> _T:
        memory = parser.parse_identifier(context_msg="memory name")
        buffer = parser.parse_unresolved_operand()
        on_chip = parser.parse_unresolved_operand() if parser.parse_optional_punctuation(",") is not None else None
        parser.parse_punctuation("[")
        amounts: list[Amount] = []
        for position, field in enumerate(cls.FIELDS):
            if position:
                parser.parse_punctuation(",")
            parser.parse_keyword(field)
            parser.parse_punctuation("=")
            value = parser.parse_optional_unresolved_operand()
            amounts.append(parser.parse_integer() if value is None else parser.resolve_operand(value, IndexType()))
        parser.parse_punctuation("]")
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        resolved = parser.resolve_operand(buffer, parser.parse_type())
        placed = None
        if on_chip is not None:
            parser.parse_punctuation(",")
            placed = parser.resolve_operand(on_chip, parser.parse_type())
        op = cls.build_from(memory, resolved, placed, amounts)
        op.attributes |= attributes
        return op


@irdl_op_definition
class Load2DOp(_TransferOp):
    """Load y_size rows of x_size tiles, x_stride apart in DRAM, with zero pads around.

    The (y_pad_before + y_size + y_pad_after) x (x_pad_before + x_size + x_pad_after) block is
    written contiguously from `sram`. `dram` and `sram` count tiles from the buffer's start.
    """

    name = "vta.load_2d"
    MEMORIES: ClassVar[tuple[str, ...]] = ("inp", "wgt", "acc", "acc8")
    FIELDS: ClassVar[tuple[str, ...]] = (
        "dram",
        "x_size",
        "y_size",
        "x_stride",
        "x_pad_before",
        "y_pad_before",
        "x_pad_after",
        "y_pad_after",
        "sram",
    )


@irdl_op_definition
class Store2DOp(_TransferOp):
    """Store y_size rows of x_size tiles; DRAM rows x_stride apart, SRAM rows contiguous."""

    name = "vta.store_2d"
    MEMORIES: ClassVar[tuple[str, ...]] = ("out",)
    FIELDS: ClassVar[tuple[str, ...]] = ("sram", "dram", "x_size", "y_size", "x_stride")


read_groups_directly(Load2DOp, Store2DOp)
