"""Micro-coded kernels: GEMM and ALU instructions with their hardware loops and micro-ops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, TypeAlias, TypeVar

from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.frequent import numbers_attribute
from vtac.dialects.making import make_op
from vtac.dialects.segments import SEGMENTS, read_groups_directly, segments
from vtac.dialects.vta.attributes import UopLoop, UopLoopAttr

BuiltName: TypeAlias = Literal["min", "max", "add", "shr"]
"""What the ALU of the hardware computes."""

AluName: TypeAlias = BuiltName | Literal["mul"]
"""What an instruction can name: simulators also multiply."""

ALU_NAMES: tuple[AluName, ...] = ("min", "max", "add", "shr", "mul")
MAX_HARDWARE_LOOPS = 2

_K = TypeVar("_K", bound="KernelOp")


class KernelOp(IRDLOperation):
    """Base of GEMM and ALU kernels.

    The hardware runs `loops` (at most two, outermost first), and inside them the micro-op
    list. That list is `indices` evaluated over the `micro` extents (last one fastest): dims
    are micro-op loops, symbols are the host values in `captures`. Captures are the kernel's
    key in the micro-op cache together with its place in the program, so a pass must neither
    duplicate nor merge kernels. Indices count tiles, from the start of the matching buffer
    in `buffers` (empty after placement: then of the memory).
    """

    INDICES: ClassVar[tuple[str, ...]] = ()

    captures = var_operand_def(IndexType())
    buffers = var_operand_def(MemRefType)
    loops = prop_def(ArrayAttr[UopLoopAttr])
    micro = prop_def(DenseArrayBase.constr(i64))
    indices = prop_def(AffineMapAttr)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    @classmethod
    def build_kernel(
        cls: type[_K],
        captures: Sequence[SSAValue],
        buffers: Sequence[SSAValue],
        loops: Sequence[UopLoop],
        micro: Sequence[int],
        indices: AffineMap,
        properties: dict[str, Attribute | None],
    ) -> _K:
        """Make the kernel; `properties` are those of the concrete op."""
        given: dict[str, Attribute | None] = {
            "loops": ArrayAttr([UopLoopAttr(loop) for loop in loops]),
            "micro": numbers_attribute(*micro),
            "indices": AffineMapAttr(indices),
            **properties,
            SEGMENTS: segments(len(captures), len(buffers)),
        }
        return make_op(
            cls,
            operands=[*captures, *buffers],
            properties={name: attribute for name, attribute in given.items() if attribute is not None},
        )

    @property
    def hardware_loops(self) -> tuple[UopLoop, ...]:
        return tuple(loop.data for loop in self.loops)

    @property
    def micro_extents(self) -> tuple[int, ...]:
        return tuple(self.micro.get_values())

    def set_segments(self, captures: int) -> None:
        """Record how many of the operands are captures, after they were replaced."""
        self.properties[SEGMENTS] = segments(captures, len(self.operands) - captures)

    def verify_(self) -> None:
        if len(self.loops) > MAX_HARDWARE_LOOPS:
            raise VerifyException(f"{len(self.loops)} hardware loops; the hardware has {MAX_HARDWARE_LOOPS}")
        if any(extent < 1 for extent in self.micro_extents):
            raise VerifyException("a micro-op loop of extent 0: a kernel needs at least one micro-op")
        indices = self.indices.data
        if indices.num_dims != len(self.micro_extents) or indices.num_symbols != len(self.captures):
            raise VerifyException(
                f"indices take {indices.num_dims} micro-op loops and {indices.num_symbols} captures; "
                f"the kernel has {len(self.micro_extents)} and {len(self.captures)}"
            )
        if len(indices.results) != len(self.INDICES):
            raise VerifyException(f"indices give {len(indices.results)} values; expected {', '.join(self.INDICES)}")
        if len(self.buffers) not in (0, len(self.INDICES)):
            raise VerifyException(
                f"{len(self.buffers)} buffers; expected none or one each for {', '.join(self.INDICES)}"
            )

    def print_kernel(self, printer: Printer) -> None:
        """Print what all kernels share."""
        if self.captures:
            printer.print_string(" captures(")
            printer.print_list(self.captures, printer.print_ssa_value)
            printer.print_string(")")
        if self.buffers:
            printer.print_string(" on(")
            printer.print_list(self.buffers, printer.print_ssa_value)
            printer.print_string(" : ")
            printer.print_list([buffer.type for buffer in self.buffers], printer.print_attribute)
            printer.print_string(")")
        printer.print_string(" loops [")
        printer.print_list(self.loops, lambda loop: loop.print_parameter(printer))
        micro = ", ".join(map(str, self.micro_extents))
        printer.print_string(f"] micro [{micro}] {self.indices.data}")
        printer.print_op_attributes(self.attributes)

    @classmethod
    def parse_kernel(cls: type[_K], parser: Parser, properties: dict[str, Attribute | None]) -> _K:
        """Parse what all kernels share."""
        captures: list[SSAValue] = []
        if parser.parse_optional_keyword("captures") is not None:
            names = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
            captures = [parser.resolve_operand(name, IndexType()) for name in names]
        buffers: list[SSAValue] = []
        if parser.parse_optional_keyword("on") is not None:
            with parser.in_parens():
                position = parser.pos
                operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
                parser.parse_punctuation(":")
                types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
                buffers = list(parser.resolve_operands(operands, types, position))
        parser.parse_keyword("loops")
        loops = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: UopLoopAttr.parse_parameter(parser))
        parser.parse_keyword("micro")
        micro = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
        indices = parser.parse_affine_map()
        attributes = parser.parse_optional_attr_dict()
        op = cls.build_kernel(captures, buffers, loops, micro, indices, properties)
        op.attributes |= attributes
        return op


@irdl_op_definition
class GemmOp(KernelOp):
    """acc[dst] += inp[src] * wgt[wgt]^T per tile, or acc[dst] = 0 with `reset`."""

    name = "vta.gemm"
    INDICES: ClassVar[tuple[str, ...]] = ("dst", "src", "wgt")

    reset = opt_prop_def(UnitAttr)

    def print(self, printer: Printer) -> None:
        if self.reset is not None:
            printer.print_string(" reset")
        self.print_kernel(printer)

    @classmethod
    def parse(cls, parser: Parser) -> GemmOp:
        reset = UnitAttr() if parser.parse_optional_keyword("reset") is not None else None
        return cls.parse_kernel(parser, {"reset": reset})


@irdl_op_definition
class AluOp(KernelOp):
    """acc[dst] = opcode(acc[dst], immediate or acc[src]) per tile.

    With an immediate, src must equal dst: the hardware reads src, the simulator dst.
    """

    name = "vta.alu"
    INDICES: ClassVar[tuple[str, ...]] = ("dst", "src")

    opcode = prop_def(StringAttr)
    immediate = opt_prop_def(IntegerAttr.constr(i64))

    def verify_(self) -> None:
        super().verify_()
        if self.opcode.data not in ALU_NAMES:
            raise VerifyException(f"unknown ALU opcode '{self.opcode.data}'; it is one of {', '.join(ALU_NAMES)}")
        if self.immediate is not None:
            dst, src = self.indices.data.results
            if dst != src or any(loop.dst != loop.src for loop in self.hardware_loops):
                raise VerifyException("an ALU kernel with an immediate must have src equal to dst")

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.opcode.data}")
        if self.immediate is not None:
            printer.print_string(f" imm {self.immediate.value.data}")
        self.print_kernel(printer)

    @classmethod
    def parse(cls, parser: Parser) -> AluOp:
        opcode = StringAttr(parser.parse_identifier(context_msg="ALU opcode"))
        immediate = None
        if parser.parse_optional_keyword("imm") is not None:
            immediate = IntegerAttr(parser.parse_integer(), i64)
        return cls.parse_kernel(parser, {"opcode": opcode, "immediate": immediate})


read_groups_directly(GemmOp, AluOp)
