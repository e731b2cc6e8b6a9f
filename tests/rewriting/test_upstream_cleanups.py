"""Canonicalisation and elimination of common subexpressions do what xDSL's passes do."""

from __future__ import annotations

import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.transforms.canonicalize import CanonicalizePass
from xdsl.transforms.common_subexpression_elimination import CommonSubexpressionElimination

import vtac
from vtac.analysis.ir.walks import operations_under
from vtac.pipelines import Runner
from vtac.rewriting.upstream_cleanups import Canonicalize, EliminateCommonSubexpressions, is_canonical
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.text.context import make_context
from vtac.workloads.conv2d import Conv2D
from vtac.workloads.matmul import Matmul

_CASES = {
    "nothing to do": "func.func @f(%a: i32) -> i32 { func.return %a : i32 }",
    "folds": """func.func @f() -> i32 {
      %one = arith.constant 1 : i32
      %two = arith.constant 2 : i32
      %sum = arith.addi %one, %two : i32
      func.return %sum : i32
    }""",
    "a chain that nothing reads": """func.func @f(%a: i32) {
      %b = arith.muli %a, %a : i32
      %c = arith.addi %b, %a : i32
      func.return
    }""",
    "a loop that does nothing": """func.func @f(%a: index, %b: index) {
      scf.for %i = %a to %b step %b {
        %m = memref.alloc() : memref<4xi32>
        %x = arith.addi %a, %b : index
      }
      func.return
    }""",
    "a loop that stores": """func.func @f(%a: index, %b: index, %m: memref<4xi32>, %v: i32) {
      scf.for %i = %a to %b step %b {
        %x = arith.addi %a, %b : index
        memref.store %v, %m[%x] : memref<4xi32>
        %y = arith.addi %a, %b : index
        memref.store %v, %m[%y] : memref<4xi32>
      }
      func.return
    }""",
    "loads with and without a store between": """func.func @f(%a: index, %m: memref<4xi32>) -> (i32, i32, i32) {
      %x = memref.load %m[%a] : memref<4xi32>
      %y = memref.load %m[%a] : memref<4xi32>
      memref.store %x, %m[%a] : memref<4xi32>
      %z = memref.load %m[%a] : memref<4xi32>
      func.return %x, %y, %z : i32, i32, i32
    }""",
    "a buffer that is only freed": """func.func @f() {
      %m = memref.alloc() : memref<4xi32>
      memref.dealloc %m : memref<4xi32>
      func.return
    }""",
    "a block that nothing reaches": """func.func @f(%a: i32) -> i32 {
      %b = arith.addi %a, %a : i32
      func.return %b : i32
    ^other(%c: i32):
      func.return %c : i32
    }""",
    "an unknown operation": """func.func @f(%a: i32) {
      %x = "unknown.op"(%a) : (i32) -> i32
      %y = "unknown.op"(%a) : (i32) -> i32
      func.return
    }""",
    "equal choices": """func.func @f(%c: i1, %a: i32) -> (i32, i32) {
      %x = scf.if %c -> (i32) { scf.yield %a : i32 } else { %t = arith.addi %a, %a : i32 scf.yield %t : i32 }
      %y = scf.if %c -> (i32) { scf.yield %a : i32 } else { %t = arith.addi %a, %a : i32 scf.yield %t : i32 }
      func.return %x, %y : i32, i32
    }""",
}


def _kernel(layer: Conv2D | Matmul) -> str:
    """A program of ours as it is before the passes."""
    module = vtac.parse(f"{layer.text()}\n{layer.schedule()}")
    Runner(make_context()).run_phases(VTA_PIPELINE.through("threads"), module)
    return str(module)


def _read(text: str) -> ModuleOp:
    context = make_context()
    context.allow_unregistered = True
    return Parser(context, text).parse_module()


_PROGRAMS = {**_CASES, "matmul": _kernel(Matmul()), "conv2d": _kernel(Conv2D())}


@pytest.mark.parametrize("text", _PROGRAMS.values(), ids=_PROGRAMS)
def test_it_is_what_upstream_does(text: str) -> None:
    ours, theirs = _read(text), _read(text)
    for mine, other in (
        (Canonicalize(), CanonicalizePass()),
        (EliminateCommonSubexpressions(), CommonSubexpressionElimination()),
    ):
        mine.apply(make_context(), ours)
        other.apply(make_context(), theirs)
        assert str(ours) == str(theirs)
        ours.verify()


@pytest.mark.parametrize("text", _CASES.values(), ids=_CASES)
def test_what_is_called_canonical_stays_as_it_is(text: str) -> None:
    module = _read(text)
    before, canonical = str(module), is_canonical(module)
    CanonicalizePass().apply(make_context(), module)
    assert not canonical or str(module) == before


def test_a_program_of_ours_is_known_to_be_canonical() -> None:
    module = _read(_kernel(Matmul()))
    assert len(operations_under(module)) > 20
    assert is_canonical(module)
