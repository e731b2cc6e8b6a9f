"""Operations as text that MLIR reads, and that says all of them.

xDSL's printer writes large constants of single bits a byte each, where MLIR takes eight in a byte, the first one
lowest; and it leaves out the attributes of linalg's moves and reductions, and those of the arguments and results of
functions without a body.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from typing import IO, cast

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, DenseIntOrFPElementsAttr, IntegerType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation
from xdsl.printer import Printer
from xdsl.targets.mlir import MLIRTarget

from vtac.dialects.packed_bits import packed_bits

_WITHOUT_ATTRIBUTES = ("linalg.transpose", "linalg.broadcast", "linalg.reduce")
"""Operations whose attributes xDSL does not print in pretty form."""


def op_text(op: Operation, *, generic: bool = False, places: bool = False) -> str:
    """An operation as text that can be parsed, without a line break at its end; with `places`, its locations too."""
    stream = StringIO()
    TextPrinter(stream, print_generic_format=generic, print_debuginfo=places).print_op(op)
    return stream.getvalue()


class TextPrinter(Printer):
    """xDSL's printer, whose text MLIR reads, and which leaves out no attributes."""

    def print_attribute(self, attribute: Attribute) -> None:
        packed = packed_bits(attribute)
        if packed is None:
            super().print_attribute(attribute)
            return
        self.print_string(f"{packed} : ")
        super().print_attribute(cast("DenseIntOrFPElementsAttr", attribute).type)

    def print_op(self, op: Operation) -> None:
        if not self.print_generic_format and _is_declaration_with_notes(op):
            self.print_generic_format = True
            super().print_op(op)
            self.print_generic_format = False
            return
        if self.print_generic_format or not op.attributes or op.name not in _WITHOUT_ATTRIBUTES:
            super().print_op(op)
            return
        self._print_results(op)
        self.print_string(op.name)
        if op.regions and op.name == "linalg.reduce":
            self._print_reduction(op)
        else:
            op.print(self)
            self.print_op_attributes(op.attributes)
        if self.print_debuginfo:
            self.print_string(" ")
            self.print_attribute(op.location)

    def _print_reduction(self, op: Operation) -> None:
        """`ins(%x : T) outs(%start : T) dimensions = [..] {..}`, and the arguments and the body in the next line."""
        for keyword, value in zip((" ins", " outs"), op.operands, strict=True):
            self.print_string(keyword)
            with self.in_parens():
                self.print_ssa_value(value)
                self.print_string(":")
                self.print_attribute(value.type)
        self.print_string(" dimensions = ")
        with self.in_square_brackets():
            reduced = cast("DenseArrayBase[IntegerType]", op.properties["dimensions"])
            self.print_list(reduced.get_values(), self.print_int)
        self.print_op_attributes(op.attributes)
        self.print_string("\n")
        with self.in_parens():
            self.print_list(op.regions[0].block.args, self.print_block_argument)
        self.print_string(" ")
        self.print_region(op.regions[0], print_entry_block_args=False)


def _is_declaration_with_notes(op: Operation) -> bool:
    """A function without a body whose arguments or results have attributes, which xDSL has no pretty form for."""
    if not isinstance(op, FuncOp) or op.body.blocks:
        return False
    return any(entry.data for entry in (*(op.arg_attrs or ()), *(op.res_attrs or ())))


@dataclass(frozen=True)
class TextTarget(MLIRTarget):
    """MLIR's text, as `TextPrinter` writes it."""

    name = "mlir"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        if self.syntax_highlight:
            super().emit(ctx, module, output)
            return
        printer = TextPrinter(
            output,
            print_generic_format=self.print_generic_format,
            print_properties_as_attributes=self.print_properties_as_attributes,
            print_debuginfo=self.print_debuginfo,
        )
        printer.print_op(module)
        printer.print_metadata(ctx.loaded_dialects)
        output.write("\n")
