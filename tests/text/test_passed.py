"""The quick verification against the complete one: whatever it has seen before, it lets nothing wrong pass."""

from __future__ import annotations

from gc import collect
from pathlib import Path
from weakref import ref

import pytest
from xdsl.dialects.arith import AddiOp, ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp, TensorType, i32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation

import vtac
from vtac.errors import VtacError
from vtac.text.context import make_context
from vtac.text.passed import Passed
from vtac.text.source import parse_module
from vtac.text.verification import verification_reports

TESTS = Path(__file__).parents[1]
FILES = sorted(
    [*TESTS.glob("dialects/*/errors.mlir"), *TESTS.glob("text/*.mlir"), *TESTS.glob("dialects/*/roundtrip.mlir")]
)


def parsed(file: Path) -> list[ModuleOp]:
    """The programs of a file that parse, right or wrong."""
    found: list[ModuleOp] = []
    for chunk in file.read_text().split("// -----"):
        try:
            found.append(parse_module(chunk, file.name, make_context(), check=False))
        except VtacError:
            continue
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_what_the_complete_verification_refuses_does_not_pass(file: Path) -> None:
    passed = Passed()
    for module in parsed(file):
        if verification_reports(module):
            assert not passed.is_right(module)
            assert not Passed().is_right(module)
        else:
            passed.is_right(module)  # and remembers it


@pytest.mark.parametrize("file", sorted(TESTS.glob("dialects/*/roundtrip.mlir")), ids=lambda file: file.parent.name)
def test_right_modules_pass(file: Path) -> None:
    modules = parsed(file)
    assert modules
    assert all(Passed().is_right(module) for module in modules)


TEXT = """
func.func @f(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  %1 = arith.addi %0, %0 : i32
  func.return %1 : i32
}
"""


def test_operations_alike_are_told_apart_by_where_they_stand() -> None:
    passed = Passed()
    assert passed.is_right(vtac.parse(TEXT))
    late, without_end, twice = vtac.parse(TEXT), vtac.parse(TEXT), vtac.parse(TEXT + TEXT.replace("@f", "@g"))
    assert passed.is_right(twice)
    first, second = (op for op in late.walk() if isinstance(op, AddiOp))
    first.operands[0] = second.results[0]
    assert not passed.is_right(late)
    end = next(op for op in without_end.walk() if isinstance(op, ReturnOp))
    end.detach()
    assert not passed.is_right(without_end)
    functions = [op for op in twice.ops if isinstance(op, FuncOp)]
    functions[1].sym_name = functions[0].sym_name
    assert not passed.is_right(twice)


def test_what_passed_once_passes_again_until_rules_come(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Passed().is_right(vtac.parse(TEXT))
    asked: list[Operation] = []

    def ask(operation: Operation) -> list[str]:
        asked.append(operation)
        return []

    monkeypatch.setattr("vtac.text.passed.violations", ask)
    again = parse_module(TEXT, "f.mlir", make_context(), check=False)
    assert Passed().is_right(again)
    assert not asked
    monkeypatch.setattr("vtac.text.passed.declared_count", lambda: 1_000_000)  # rules have come
    assert Passed().is_right(again)
    assert asked


def test_contents_in_bulk_are_let_go() -> None:
    constant = ConstantOp(DenseIntOrFPElementsAttr.from_list(TensorType(i32, [3]), [3, 1, 4]))
    module = ModuleOp([constant])
    assert Passed().is_right(module)
    contents = ref(constant.value)
    del constant, module
    collect()
    assert contents() is None
