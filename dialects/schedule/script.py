"""Schedule scripts: directives in order, over handles to a payload."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerAttr, StringAttr, SymbolNameConstraint, i64
from xdsl.ir import Block, Region
from xdsl.irdl import IRDLOperation, irdl_op_definition, prop_def, region_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import HasParent, NoTerminator

from vtac.dialects.schedule.attributes import BlockHandleType, BufferHandleType, LoopHandleType

BLOCK = BlockHandleType()
LOOP = LoopHandleType()
BUFFER = BufferHandleType()

I64 = IntegerAttr.constr(i64)


@irdl_op_definition
class ScriptOp(IRDLOperation):
    """A schedule: directives applied in order to the function of that name."""

    name = "schedule.script"

    target = prop_def(SymbolNameConstraint())
    body = region_def("single_block")

    traits = traits_def(NoTerminator())

    @staticmethod
    def get(target: str, body: Region) -> ScriptOp:
        return ScriptOp(properties={"target": StringAttr(target)}, regions=[body])

    @classmethod
    def parse(cls, parser: Parser) -> ScriptOp:
        target = parser.parse_symbol_name()
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parser.parse_region()
        script = cls.get(target.data, body if body.blocks else Region(Block()))
        if attributes is not None:
            script.attributes |= attributes.data
        return script

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.target.data)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_empty_block=False)


class DirectiveOp(IRDLOperation):
    """Base of all directives, which stand in scripts and nowhere else."""

    traits = traits_def(HasParent(ScriptOp))

    @property
    def directive(self) -> str:
        """The directive's name as users write it."""
        return self.name.removeprefix("schedule.")
