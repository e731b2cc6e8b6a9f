"""memref's operations as MLIR prints them, where xDSL reads and prints the generic form alone.

`FrontendMemRef` is xDSL's memref dialect with these in the places of the operations of the same name.
"""

from __future__ import annotations

from typing import Self, cast

from xdsl.dialect_interfaces.op_asm import OpAsmDialectInterface
from xdsl.dialects import memref
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AnyFloat,
    ComplexType,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    IndexType,
    IntegerType,
    MemRefType,
    ShapedType,
    StringAttr,
    TensorType,
    UnitAttr,
    UnrankedMemRefType,
)
from xdsl.dialects.memref import MemRef
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from vtac.dialects.packed_bits import packed_bits
from vtac.dialects.redefinition import redefined
from vtac.dialects.strided_layouts import agree, extents_of, may_be_cast


@redefined("$source `,` $destination attr-dict `:` type($source) `to` type($destination)")
class CopyOp(memref.CopyOp):
    """All elements of one buffer into another: `%from, %to : T to U`."""

    def verify_(self) -> None:
        source, target = self.source.type, self.destination.type
        if not isa(source, MemRefType) or not isa(target, MemRefType):
            return
        if source.get_element_type() != target.get_element_type():
            raise VerifyException(f"it copies {source} to {target}: one element type is required")
        if not agree(extents_of(source), extents_of(target)):
            raise VerifyException(f"it copies {source} to {target}: equal shapes are required")


@redefined("$source attr-dict `:` type($source)")
class RankOp(memref.RankOp):
    """How many dimensions a buffer has."""


@redefined("$source attr-dict `:` type($source) `to` type($dest)")
class CastOp(memref.CastOp):
    """The same buffer by another type, of which more or less is known: `%buffer : T to U`."""

    def verify_(self) -> None:
        source, target = self.source.type, self.dest.type
        if isa(source, UnrankedMemRefType) and isa(target, UnrankedMemRefType):
            raise VerifyException(f"it casts {source} to {target}: one of them has a rank")
        if not may_be_cast(source, target):
            raise VerifyException(
                f"it casts {source} to {target}: one element type, scope and rank are required, and equal extents, "
                "strides and offsets where both say them"
            )


@redefined(optional=("sym_visibility", "initial_value"))
class GlobalOp(memref.GlobalOp):
    """A buffer of the module: `"private" constant @name : T = dense<..>`; without contents it is defined elsewhere."""

    def verify_(self) -> None:
        alignment = None if self.alignment is None else self.alignment.value.data
        if alignment is not None and (alignment < 1 or alignment & (alignment - 1)):
            raise VerifyException(f"its alignment is {alignment}: a power of 2 is required")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {}
        visibility = parser.parse_optional_str_literal()
        if visibility is not None:
            properties["sym_visibility"] = StringAttr(visibility)
        if parser.parse_optional_keyword("constant"):
            properties["constant"] = UnitAttr()
        properties["sym_name"] = parser.parse_symbol_name()
        parser.parse_punctuation(":")
        place = parser.pos
        properties["type"] = kind = parser.parse_type()
        if parser.parse_optional_punctuation("="):
            properties["initial_value"] = _parse_contents(parser, kind, place)
        attributes = parser.parse_optional_attr_dict()
        if "alignment" in attributes:
            properties["alignment"] = attributes.pop("alignment")
        return cls.create(properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        visibility = self.properties.get("sym_visibility")
        if isinstance(visibility, StringAttr):
            printer.print_string(f'"{visibility.data}" ')
        if self.constant is not None:
            printer.print_string("constant ")
        printer.print_symbol_name(self.sym_name.data)
        printer.print_string(" : ")
        printer.print_attribute(self.type)
        if "initial_value" in self.properties:
            printer.print_string(" = ")
            _print_contents(printer, self.properties["initial_value"])
        alignment = {} if self.alignment is None else {"alignment": cast(Attribute, self.alignment)}
        printer.print_op_attributes({**alignment, **self.attributes})


def _parse_contents(parser: Parser, kind: Attribute, place: int) -> Attribute:
    """What a buffer begins with: `uninitialized`, or a constant whose type is not written again."""
    if parser.parse_optional_keyword("uninitialized"):
        return UnitAttr()
    if not isa(kind, MemRefType[IntegerType | IndexType | AnyFloat | ComplexType]) or DYNAMIC_INDEX in kind.get_shape():
        parser.raise_error(f"{kind} cannot hold a constant: a memref of static shape and numbers is required", place)
    tensor = TensorType(kind.element_type, kind.get_shape())
    if parser.parse_optional_keyword("dense"):
        return parser.parse_dense_int_or_fp_elements_attr(tensor)
    if not parser.parse_optional_keyword("dense_resource"):
        parser.raise_error("dense<..>, dense_resource<..> or 'uninitialized' is required behind '='")
    return _parse_resource(parser, tensor)


def _parse_resource(parser: Parser, kind: ShapedType) -> DenseResourceAttr:
    """`<key>`: a constant whose bytes stand at the end of the text."""
    store = parser.ctx.get_dialect("builtin").get_interface(OpAsmDialectInterface)
    if store is None:
        parser.raise_error("the builtin dialect keeps no resources here")
    with parser.in_angle_brackets():
        key = parser._parse_dialect_resource_handle("builtin", store)  # pyright: ignore[reportPrivateUsage]
    return DenseResourceAttr.from_params(key, kind)


def _print_contents(printer: Printer, contents: Attribute) -> None:
    bits = packed_bits(contents)
    if isinstance(contents, UnitAttr):
        printer.print_string("uninitialized")
    elif bits is not None:
        printer.print_string(bits)
    elif isinstance(contents, DenseIntOrFPElementsAttr | DenseResourceAttr):
        contents.print_without_type(printer)


_OURS: dict[type[Operation], type[Operation]] = {
    memref.CopyOp: CopyOp,
    memref.CastOp: CastOp,
    memref.RankOp: RankOp,
    memref.GlobalOp: GlobalOp,
}
_OPERATIONS: list[type[Operation]] = [_OURS.get(op, op) for op in MemRef.operations]
_ATTRIBUTES: list[type[Attribute]] = list(MemRef.attributes)
FrontendMemRef = Dialect("memref", _OPERATIONS, _ATTRIBUTES)
