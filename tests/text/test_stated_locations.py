"""Locations as MLIR prints them: aliases behind the operations, ranges, names, notes of what fused them."""

from __future__ import annotations

import pytest
from mlir_opt import mlir_opt, needs_mlir_opt
from xdsl.ir import Operation

from vtac.analysis.ir.locations import location_of
from vtac.errors import CompileError
from vtac.text.source import parse


def returned(location: str, aliases: str = "") -> Operation:
    """The `func.return` of a text, with this location behind it."""
    text = f"func.func @f() {{\n  func.return loc({location})\n}}\n{aliases}\n"
    return next(op for op in parse(text).walk() if op.name == "func.return")


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ('"m.py":3:7 to :9', "m.py:3:7"),
        ('"m.py":3:7 to 4:2', "m.py:3:7"),
        ('"layer"("m.py":3:7)', "m.py:3:7"),
        ('"layer"', "<string>:2:3"),
        ('fused<"cse">["m.py":3:7, unknown]', "m.py:3:7"),
        ('callsite("layer"("m.py":3:7) at "n.py":1:1)', "m.py:3:7"),
        ("unknown", "<string>:2:3"),
    ],
)
def test_a_location_says_where_it_begins(location: str, found: str) -> None:
    assert location_of(returned(location)) == found


@pytest.mark.parametrize("order", ["#place = loc({0})\n#loc = loc(#place)", "#loc = loc(#place)\n#place = loc({0})"])
def test_aliases_may_follow_the_operations_that_name_them(order: str) -> None:
    assert location_of(returned("#loc", order.format('"m.py":3:7'))) == "m.py:3:7"


@pytest.mark.parametrize(
    ("aliases", "message"),
    [
        ("", "undefined symbol alias '#loc'"),
        ("#loc = loc(#loc)", "the location '#loc' is defined by itself"),
        ("#loc = loc(#a)\n#a = loc(#loc)", "the location '#loc' is defined by itself"),
        ("#loc = 3 : i32", "'#loc' stands where a location is required"),
        ("#loc = loc(fused<)", "required"),
    ],
)
def test_an_alias_of_no_location_is_refused(aliases: str, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        returned("#loc", aliases)


@needs_mlir_opt
@pytest.mark.parametrize("form", ["--mlir-print-local-scope", "--mlir-print-debuginfo"])
def test_what_mlir_prints_with_locations_is_read(form: str) -> None:
    text = """func.func @f(%a: tensor<4xi32> loc("a")) -> tensor<4xi32> {
  %b = arith.addi %a, %a : tensor<4xi32> loc("layer"("m.py":1:2))
  %c = arith.addi %a, %b : tensor<4xi32> loc(callsite("layer"("m.py":3:4) at "n.py":3:4))
  func.return %c : tensor<4xi32> loc(fused<"cse">["m.py":5:6, "n.py":7:8])
}
"""
    module = parse(mlir_opt("--mlir-print-debuginfo", form, text=text))
    assert [location_of(op) for op in module.walk()][-3:] == ["m.py:1:2", "m.py:3:4", "m.py:5:6"]
