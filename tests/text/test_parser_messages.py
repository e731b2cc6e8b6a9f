"""What the parser refuses is said with what is wrong, and what to write instead."""

from __future__ import annotations

import pytest

from vtac.errors import CompileError, VtacError
from vtac.text.source import parse

_F = "func.func @f(%a: tensor<4xi8>) -> tensor<4xi8> {\n"
_END = "  func.return %a : tensor<4xi8>\n}\n"

REFUSED = {
    "a brace": (_F + "  func.return %a : tensor<4xi8>\n", "3:1: the text ends inside a region: a '}' is missing"),
    "a type": (
        (_F + _END).replace("tensor<4xi8>)", "tensor<4xint8>)"),
        "1:27: 'int8' is no type of elements; those are i1, i8, i16",
    ),
    "a page": ("\n<a>\n", "2:1: '<a>' begins no operation; one looks like func.func @name() { ... }"),
    "a control character": (
        "func.func @f\x01()\n",
        "1:13: unexpected character U+0001: is this a file of another kind?",
    ),
    "a name twice": (
        _F + "  %a = arith.addi %a, %a : tensor<4xi8>\n" + _END,
        "2:3: %a is defined already: give each value a name of its own",
    ),
    "a large constant": (
        _F + "  %c = arith.constant dense<300> : tensor<4xi8>\n" + _END,
        "2:8: 300 does not fit i8, which holds -128 to 255: choose a wider type",
    ),
    "no dialect": (
        _F + "  %c = addi %a, %a : tensor<4xi8>\n" + _END,
        "2:8: unknown operation 'addi'; did you mean 'arith.addi'?",
    ),
    "func alone": ("func @f() {\n}\n", "1:1: unknown operation 'func'; did you mean 'func.func'?"),
    "an operand too few": (
        _F + "  %c = linalg.add ins(%a : tensor<4xi8>) outs(%a : tensor<4xi8>) -> tensor<4xi8>\n" + _END,
        "2:8: 'linalg.add' does not verify: it has 1 ins and 1 outs; 2 ins and 1 outs are required",
    ),
    "another type returned": (
        _F.replace("-> tensor<4xi8>", "-> tensor<8xi8>") + _END,
        "2:3: 'func.return' does not verify: it returns (tensor<4xi8>), the type of 'f' says (tensor<8xi8>): change",
    ),
    "the directive before": (
        'schedule.script @f {\n  %b = schedule.get_block "c"\n  %i, %j = schedule.get_loops %b\n'
        "  %x, %y = schedule.split %i\n}\n",
        "3:12: it is written: schedule.get_loops block : loops_types",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_said_what_to_write(name: str) -> None:
    text, message = REFUSED[name]
    with pytest.raises(CompileError) as caught:
        parse(text)
    assert f"<string>:{message}" in str(caught.value)


@pytest.mark.parametrize("name", REFUSED)
def test_the_parts_have_the_place(name: str) -> None:
    with pytest.raises(CompileError) as caught:
        parse(REFUSED[name][0])
    fields = caught.value.to_fields()
    assert fields["kind"] == "source" and str(fields["locations"]).count("<string>:") >= 1
    assert "(ValueError" not in str(fields["message"])


def test_a_verifier_that_raises_what_it_likes_is_heard() -> None:
    text = "func.func @f(%x: memref<4xf32>, %v: f32) {\n  memref.store %v, %x[] : memref<4xf32>\n  func.return\n}\n"
    with pytest.raises(VtacError, match=r"2:3: 'memref.store' does not verify: .*Expected an index for each dimension"):
        parse(text)
