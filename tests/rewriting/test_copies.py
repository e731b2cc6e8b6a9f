"""Copies of operations are what xDSL's clones are."""

from __future__ import annotations

import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

import vtac
from vtac.analysis.ir.locations import location_of
from vtac.rewriting.copies import copy_of
from vtac.workloads.conv2d import Conv2D
from vtac.workloads.matmul import Matmul

_BRANCHES = """func.func @f(%c: i1, %a: i32) -> i32 {
  cf.cond_br %c, ^bb1, ^bb2
^bb1:
  %x = arith.addi %y, %a : i32
  func.return %x : i32
^bb2:
  %y = arith.muli %a, %a : i32
  cf.br ^bb1
}"""


def _values(root: Operation) -> list[SSAValue]:
    found: list[SSAValue] = []
    for op in root.walk():
        found += op.results
        found += [argument for region in op.regions for block in region.blocks for argument in block.args]
    return found


def _uses(root: Operation) -> list[list[tuple[str, int]]]:
    """Who uses each value, in the order that passes meet them in."""
    return [[(use.operation.name, use.index) for use in value.uses] for value in _values(root)]


@pytest.mark.parametrize("layer", [Matmul(), Conv2D()], ids=["matmul", "conv2d"])
def test_a_copy_is_what_a_clone_is(layer: Matmul | Conv2D) -> None:
    scheduled = layer.schedule()
    for module in (vtac.parse(f"{layer.text()}\n{scheduled}"), scheduled.module):
        copy, clone = copy_of(module), module.clone()
        assert isinstance(copy, ModuleOp)
        assert str(copy) == str(clone)
        assert _uses(copy) == _uses(clone)
        assert [value.name_hint for value in _values(copy)] == [value.name_hint for value in _values(clone)]
        assert list(map(location_of, copy.walk())) == list(map(location_of, module.walk()))
        copy.verify()


def test_a_copy_shares_nothing_that_can_change() -> None:
    module = vtac.parse(Matmul().text())
    before, copy = str(module), copy_of(module)
    for op in list(copy.walk())[1:]:
        op.attributes.clear()
        op.properties.clear()
    assert str(module) == before


def test_values_from_outside_are_replaced_and_those_inside_are_told() -> None:
    module = vtac.parse("func.func @f(%a: i32, %b: i32) -> i32 { %s = arith.addi %a, %a : i32 func.return %s : i32 }\n")
    (function,) = module.ops
    assert isinstance(function, FuncOp)
    total, _ = function.body.block.ops
    first, second = function.body.block.args
    values: dict[SSAValue, SSAValue] = {first: second}
    copy = copy_of(total, values)
    assert tuple(copy.operands) == (second, second)
    assert values[total.results[0]] is copy.results[0]
    assert copy.parent is None


def test_values_that_branches_let_stand_behind_their_uses_are_copied() -> None:
    from xdsl.context import Context
    from xdsl.dialects import get_all_dialects
    from xdsl.parser import Parser

    context = Context()
    for name, dialect in get_all_dialects().items():
        if name in ("builtin", "func", "arith", "cf"):
            context.register_dialect(name, dialect)
    module = Parser(context, _BRANCHES).parse_module()
    copy = copy_of(module)
    assert str(copy) == str(module)
    inside = {id(value) for value in _values(copy)}
    assert all(id(operand) in inside for op in copy.walk() for operand in op.operands)
