"""Loops of the schedule dialect's payload."""

from __future__ import annotations

from functools import cache, lru_cache

from xdsl.dialects.builtin import I64, IndexType, IntegerAttr, StringAttr
from xdsl.ir import Attribute, BlockArgument, Region, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def, region_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.frequent import number_attribute
from vtac.dialects.making import make_body, make_op, only_region, read_directly
from vtac.dialects.schedule.attributes import LoopKind, LoopKindAttr
from vtac.dialects.schedule.payload_text import INDEX, LoopText


@cache
def _kind_attribute(kind: LoopKind) -> LoopKindAttr:
    return LoopKindAttr(kind)


@lru_cache(maxsize=4096)
def _names(name: str) -> tuple[StringAttr, str | None]:
    """A loop's name, and the one that its induction variable gets: none where SSA names do not allow it."""
    return StringAttr(name), SSAValue.extract_valid_name(name) if SSAValue.is_valid_name(name) else None


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
        loop = ForOp.make(extent, kind, make_body(INDEX))
        if name is not None:
            loop.rename(name)
        return loop

    def rename(self, name: str) -> None:
        """Name the loop, and its induction variable alike where SSA names allow it."""
        self.properties["loop_name"], self.induction_variable._name = _names(name)  # pyright: ignore[reportPrivateUsage]

    @staticmethod
    def make(extent: int, kind: LoopKind, body: Region) -> ForOp:
        """A loop with a given body."""
        properties: dict[str, Attribute] = {"extent": number_attribute(extent), "kind": _kind_attribute(kind)}
        return make_op(ForOp, properties=properties, regions=[body])

    @property
    def trip_count(self) -> int:
        return self.properties["extent"].value.data  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]

    @trip_count.setter
    def trip_count(self, count: int) -> None:
        self.extent = number_attribute(count)

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
        text = LoopText.parse(parser)
        loop = ForOp.make(text.extent, text.kind, text.body)
        if text.name is not None or loop.induction_variable.name_hint is not None:
            loop.name_property = StringAttr(loop.loop_name if text.name is None else text.name)
        loop.attributes |= text.attributes
        return loop

    def print(self, printer: Printer) -> None:
        name = self.name_property
        named = name is not None and name.data != self.induction_variable.name_hint
        text = LoopText(self.trip_count, self.loop_kind, self.loop_name if named else None, self.attributes, self.body)
        text.print(printer, self.induction_variable)


read_directly(ForOp, body=only_region)
