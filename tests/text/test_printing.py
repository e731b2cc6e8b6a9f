"""Text of operations that we print: MLIR reads it, and nothing is left out."""

from __future__ import annotations

import pytest
from mlir_opt import mlir_opt, needs_mlir_opt
from xdsl.dialects.builtin import ModuleOp

from vtac.text.printing import op_text
from vtac.text.reports import SourceError
from vtac.text.source import parse

MOVES = """
func.func @f(%x: tensor<4x8xi32>, %y: tensor<8x4xi32>, %z: tensor<2x8x4xi32>, %s: tensor<8xi32>) {
  %t = linalg.transpose ins(%x : tensor<4x8xi32>) outs(%y : tensor<8x4xi32>) permutation = [1, 0] {first}
  %b = linalg.broadcast ins(%t : tensor<8x4xi32>) outs(%z : tensor<2x8x4xi32>) dimensions = [0] {second = 2 : i32}
  %r = linalg.reduce { arith.addi } ins(%t : tensor<8x4xi32>) outs(%s : tensor<8xi32>) dimensions = [1] {third}
  func.return
}
"""


def bits(count: int, true: int = 3) -> str:
    """A function with a constant of so many bits, every `true`th of which is set."""
    elements = ", ".join("true" if number % true == 0 else "false" for number in range(count))
    kind = f"tensor<{count}xi1>"
    constant = f"arith.constant dense<[{elements}]> : {kind}"
    return f"func.func @f() -> {kind} {{\n  %c = {constant}\n  func.return %c : {kind}\n}}\n"


def read_back(module: ModuleOp, text: str) -> bool:
    """Whether a text says what a module does."""
    return parse(text).is_structurally_equivalent(module)


@pytest.mark.parametrize("count", [100, 101, 104, 150, 1000])
@pytest.mark.parametrize("generic", [False, True])
def test_bits_read_back(count: int, generic: bool) -> None:
    module = parse(bits(count))
    assert read_back(module, op_text(module, generic=generic))


def test_many_bits_stand_eight_in_a_byte_and_few_one_by_one() -> None:
    assert 'dense<"0x499224499224499224499224' in op_text(parse(bits(120)))
    assert "dense<[true, false, false, true" in op_text(parse(bits(100)))
    assert "dense<true> : tensor<120xi1>" in op_text(parse(bits(120, true=1)))


@needs_mlir_opt
@pytest.mark.parametrize("count", [100, 101, 104, 150])
def test_mlir_reads_bits(count: int) -> None:
    module = parse(bits(count))
    for generic in (False, True):
        assert read_back(module, mlir_opt(text=op_text(module, generic=generic)))


def test_attributes_of_moves_and_reductions_are_printed() -> None:
    module = parse(MOVES)
    text = op_text(module)
    for shown in ("permutation = [1, 0] {first}", "dimensions = [0] {second = 2 : i32}", "dimensions = [1] {third}"):
        assert shown in text
    assert "linalg.transpose ins(" in text
    assert read_back(module, text)


@pytest.mark.parametrize("generic", [False, True])
def test_places_are_printed_behind_attributes(generic: bool) -> None:
    text = op_text(parse(MOVES), generic=generic, places=True)
    back = parse(text)
    assert read_back(back, text)
    for kind, line in (("transpose", 3), ("broadcast", 4), ("reduce", 5)):
        (found,) = [str(op.location) for op in back.walk() if op.name == f"linalg.{kind}"]
        assert found == f'loc("<string>":{line}:8)'


@needs_mlir_opt
def test_mlir_reads_attributes_of_moves_and_reductions() -> None:
    module = parse(MOVES)
    for places in (False, True):
        assert read_back(module, mlir_opt(text=op_text(module, places=places)))


DECLARED = """"func.func"() <{arg_attrs = [{llvm.x}], function_type = (i8) -> i8, res_attrs = [{llvm.y}],
  sym_name = "h", sym_visibility = "private"}> ({}) : () -> ()
"""


def test_attributes_of_a_declaration_are_kept() -> None:
    module = parse(DECLARED)
    printed = op_text(module)
    assert "arg_attrs = [{llvm.x}]" in printed
    assert "res_attrs = [{llvm.y}]" in printed
    assert parse(printed).is_structurally_equivalent(module)
    assert "func.func private @h(i8) -> i8" in op_text(parse("func.func private @h(i8) -> i8\n"))


def test_attributes_that_would_be_lost_are_refused() -> None:
    with pytest.raises(SourceError, match="attributes of arguments of a function without a body are in generic form"):
        parse("func.func private @h(i8 {llvm.x}) -> (i8 {llvm.y})\n")
    kept = op_text(parse("func.func private @h(i8) -> (i8 {llvm.y}) attributes {llvm.z}\n"))
    assert "llvm.y" in kept
    assert "llvm.z" in kept
