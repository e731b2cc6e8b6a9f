"""Texts of attributes that are made without xDSL's printer are those that it prints."""

from __future__ import annotations

from io import StringIO

import pytest
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, StringAttr
from xdsl.ir import Attribute
from xdsl.parser import Parser
from xdsl.printer import Printer

from vtac.analysis.ir.attribute_texts import plain_text
from vtac.text.context import make_context

_OWN = (
    "i8",
    "index",
    "-3 : i32",
    "7 : index",
    '"a b!#[]~"',
    '""',
    "array<i64: -1, 2>",
    "array<i32>",
    "array<i8: 1>",
    "tensor<2x3xi8>",
    "memref<4xi32>",
    "memref<i8>",
    "affine_map<(d0)[s0] -> ((d0 * 2), ((d0 + s0) mod 3))>",
    '[1 : i64, "x", affine_map<() -> ()>]',
    "[]",
)
_FOR_THE_PRINTER = (
    "si8",
    "true",
    "1.0 : f32",
    '"a\\22b"',
    '"a\\5Cb"',
    '"\\C3\\A9"',
    "tensor<?x3xi8>",
    "tensor<4xi8, 1 : i8>",
    "memref<4x4xi8, strided<[8, 1]>>",
    'memref<4xi8, "vta.inp">',
    "tensor<4xf32>",
    "array<i1: true>",
    "[1 : i64, true]",
    "dense<1> : tensor<4xi8>",
    "{a = 1 : i64}",
    "unit",
    "loc(unknown)",
)


def _printed(attribute: Attribute) -> str:
    stream = StringIO()
    Printer(stream, print_generic_format=True).print_attribute(attribute)
    return stream.getvalue()


@pytest.mark.parametrize("text", _OWN)
def test_a_text_is_what_xdsl_prints(text: str) -> None:
    attribute = Parser(make_context(), text).parse_attribute()
    assert plain_text(attribute) == _printed(attribute) == text


@pytest.mark.parametrize("text", _FOR_THE_PRINTER)
def test_others_are_for_the_printer(text: str) -> None:
    assert plain_text(Parser(make_context(), text).parse_attribute()) is None


@pytest.mark.parametrize("name", ["net.mlir", 'a "b".mlir', "a\\b"])
def test_places_in_files(name: str) -> None:
    place = FileLineColLoc(StringAttr(name), IntAttr(3), IntAttr(14))
    assert plain_text(place) == (_printed(place) if name == "net.mlir" else None)
