"""Types and attributes of the schedule dialect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from xdsl.dialects.builtin import AffineMapAttr, AnyFloat, FloatAttr, IndexType, IntegerAttr, IntegerType, NoneAttr
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, Data, ParametrizedAttribute, SpacedOpaqueSyntaxAttribute, TypeAttribute
from xdsl.ir.affine import AffineMap
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from vtac.dialects.making import make_attribute

Number: TypeAlias = IntegerAttr[IntegerType | IndexType] | FloatAttr[AnyFloat]


class LoopKind(StrEnum):
    """How a loop's iterations run."""

    SERIAL = "serial"
    UNROLLED = "unrolled"
    VECTORIZED = "vectorized"
    CTHREAD = "cthread"
    BLOCK_X = "blockIdx.x"
    BLOCK_Y = "blockIdx.y"
    BLOCK_Z = "blockIdx.z"
    THREAD_X = "threadIdx.x"
    THREAD_Y = "threadIdx.y"
    THREAD_Z = "threadIdx.z"

    @property
    def is_bound(self) -> bool:
        """Iterations run side by side: virtual threads or GPU indices."""
        return self not in (LoopKind.SERIAL, LoopKind.UNROLLED, LoopKind.VECTORIZED)

    @property
    def is_thread(self) -> bool:
        """Iterations are the threads of one GPU block."""
        return self.value.startswith("threadIdx")

    @property
    def is_gpu_index(self) -> bool:
        """Iterations are the blocks or threads of a GPU launch."""
        return self.is_thread or self.value.startswith("blockIdx")


@irdl_attr_definition
class LoopKindAttr(Data[LoopKind]):
    """`#schedule.kind<"cthread">`."""

    name = "schedule.kind"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> LoopKind:
        with parser.in_angle_brackets():
            return parse_loop_kind(parser)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string_literal(self.data.value)


def parse_loop_kind(parser: AttrParser) -> LoopKind:
    """Parse a loop kind as a string literal, refusing an unknown one at its position."""
    text = parser.parse_str_literal("loop kind")
    for kind in LoopKind:
        if kind.value == text:
            return kind
    return parser.raise_error(f"unknown loop kind '{text}'; the kinds are {', '.join(kind.value for kind in LoopKind)}")


class Tail(StrEnum):
    """What `split` does with a factor that does not divide the extent."""

    ERROR = "error"
    GUARD = "guard"
    PEEL = "peel"


@irdl_attr_definition
class TailAttr(EnumAttribute[Tail], SpacedOpaqueSyntaxAttribute):
    """Tail strategy of a split."""

    name = "schedule.tail"


@dataclass(frozen=True, slots=True)
class IterationVariable:
    """One iteration variable of a block: 0 <= v < extent, spatial or reduction."""

    extent: int
    reduction: bool = False


@irdl_attr_definition
class IterationAttr(Data[tuple[IterationVariable, ...]]):
    """Iteration domain of a block: `#schedule.iterations<spatial 16, reduction 3>`."""

    name = "schedule.iterations"

    def verify(self) -> None:
        for variable in self.data:
            if variable.extent < 1:
                raise VerifyException(f"an iteration variable has extent {variable.extent}; at least 1 is required")

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[IterationVariable, ...]:
        def variable() -> IterationVariable:
            reduction = parser.parse_optional_keyword("reduction") is not None
            if not reduction:
                parser.parse_keyword("spatial")
            return IterationVariable(parser.parse_integer(allow_negative=False), reduction)

        return tuple(parser.parse_comma_separated_list(parser.Delimiter.ANGLE, variable))

    def print_parameter(self, printer: Printer) -> None:
        def variable(item: IterationVariable) -> None:
            printer.print_string(f"{'reduction' if item.reduction else 'spatial'} {item.extent}")

        with printer.in_angle_brackets():
            printer.print_list(self.data, variable)


_NO_PAD = NoneAttr()


@irdl_attr_definition
class AccessAttr(ParametrizedAttribute):
    """Where a block touches a buffer: iteration variables -> indices.

    With `pad`, an index outside the buffer's shape reads the pad value instead.
    """

    name = "schedule.access"

    map: AffineMapAttr
    pad: Attribute

    @staticmethod
    def get(indices: AffineMap, pad: Number | None = None) -> AccessAttr:
        return make_attribute(AccessAttr, {"map": AffineMapAttr(indices), "pad": _NO_PAD if pad is None else pad})

    @property
    def indices(self) -> AffineMap:
        return self.map.data

    @property
    def pad_value(self) -> Number | None:
        return None if type(self.pad) is NoneAttr else cast(Number, self.pad)

    def verify(self) -> None:
        if not isinstance(self.pad, NoneAttr | IntegerAttr | FloatAttr):
            raise VerifyException(f"the pad value of an access is a number, not {self.pad}")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            indices = AffineMapAttr(parser.parse_affine_map())
            pad: Attribute = NoneAttr()
            if parser.parse_optional_punctuation(",") is not None:
                parser.parse_keyword("pad")
                pad = parser.parse_attribute()
            return [indices, pad]

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(str(self.map.data))
            if not isinstance(self.pad, NoneAttr):
                printer.print_string(", pad ")
                printer.print_attribute(self.pad)


@irdl_attr_definition
class BlockHandleType(ParametrizedAttribute, TypeAttribute):
    """A handle to one block of the payload."""

    name = "schedule.block"


@irdl_attr_definition
class LoopHandleType(ParametrizedAttribute, TypeAttribute):
    """A handle to one loop of the payload."""

    name = "schedule.loop"


@irdl_attr_definition
class BufferHandleType(ParametrizedAttribute, TypeAttribute):
    """A handle to one buffer of the payload."""

    name = "schedule.buffer"
