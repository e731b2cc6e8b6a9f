"""Attributes read without xDSL's parser are those that it reads, and print as the text that they were read of."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import AffineMapAttr
from xdsl.ir import Attribute
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSymExpr,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import ParseError

from vtac.text.plain_attributes import composed_attribute, parsed_attribute, plain_context

OWN = (
    "-128 : i64",
    "7 : index",
    '"vta.acc"',
    '""',
    "array<i64>",
    "array<i64: -9223372036854775808, 1, 14>",
    "array<i32: 1, 0, 2>",
    "memref<16x16x3x3x16x16xi8>",
    "tensor<1x16xi32>",
    "memref<i8>",
    "(memref<4x16xi8>, i32) -> ()",
    "() -> (i8, i16)",
    "#vta.uop_loop<14, 1, 56, 0>",
    "[#vta.uop_loop<8, 98, 0, 1>, #vta.uop_loop<14, 1, 1, 0>]",
    "[]",
    "{}",
    '[{}, {schedule.result}, {a = [1 : i64, "x, ]{"], b}]',
    '["x\\22y, z\\22w", {a = "\\\\, \\22]", b}]',
    "affine_map<() -> (0, 0, -3)>",
    "affine_map<(d0, d1)[s0] -> (((d0 * -14) + 1), (d1 mod 2), ((d0 floordiv 3) + (s0 ceildiv 4)))>",
)
XDSL = (
    "si8",
    "true",
    "dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>",
    "memref<4x4xi8, strided<[8, 1]>>",
    'memref<4xi8, "vta.inp">',
    "(i8) -> i8",
    '"a\\22b"',
    "affine_map<(i, j) -> (i + j)>",
    "affine_map<(d1, d0) -> (d0)>",
    "affine_map<(d0) -> (d0 + 1)>",
)


def _by_xdsl(text: str) -> Attribute:
    return Parser(plain_context(), text).parse_attribute()


def _printed(attribute: Attribute) -> str:
    stream = StringIO()
    Printer(stream, print_generic_format=True).print_attribute(attribute)
    return stream.getvalue()


@pytest.mark.parametrize("text", OWN)
def test_what_is_read_is_what_xdsl_reads_and_prints_so(text: str) -> None:
    found = composed_attribute(text, parsed_attribute)
    assert found == _by_xdsl(text)
    assert found is not None and _printed(found) == text


@pytest.mark.parametrize("text", XDSL)
def test_other_texts_are_for_xdsl(text: str) -> None:
    assert composed_attribute(text, parsed_attribute) is None
    assert parsed_attribute(text) == _by_xdsl(text)


@pytest.mark.parametrize(
    "text",
    [
        "affine_map<(d0) -> ((d0 + 1)>",
        "affine_map<(d0) -> (d0))>",
        "affine_map<(d0) -> (+)>",
        "affine_map<(d0) -> (d1)>",
        "[1 : i64",
        "[{]}",
        "{a = }",
        "{1}",
        "() -> (i8>)",
    ],
)
def test_what_is_no_attribute_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parsed_attribute(text)


def _operations(inner: st.SearchStrategy[AffineExpr]) -> st.SearchStrategy[AffineExpr]:
    return st.builds(AffineBinaryOpExpr, st.sampled_from(AffineBinaryOpKind), inner, inner)


_LEAVES = st.one_of(
    st.builds(AffineDimExpr, st.integers(0, 1)),
    st.builds(AffineSymExpr, st.integers(0, 2)),
    st.builds(AffineConstantExpr, st.integers(-(1 << 40), 1 << 40)),
)


@settings(max_examples=50)
@given(st.lists(st.recursive(_LEAVES, _operations), max_size=3))
def test_maps_are_read_as_they_were_written(results: list[AffineExpr]) -> None:
    """xDSL's parser simplifies while it reads."""
    written = AffineMapAttr(AffineMap(2, 3, tuple(results)))
    assert composed_attribute(_printed(written), parsed_attribute) == written
