"""Amounts of shifts become constants; what else a function takes stays."""

from __future__ import annotations

from xdsl.dialects.func import FuncOp

from vtac.rewriting.known_amounts import fix_shift_amounts
from vtac.text.source import parse

_TEXT = """
func.func @f(%sums: tensor<2x20xi32>, %amounts: tensor<20xi32>, %added: tensor<20xi32>) -> tensor<2x20xi32> {
  %empty = tensor.empty() : tensor<2x20xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>,
      affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%sums, %amounts, %added : tensor<2x20xi32>, tensor<20xi32>, tensor<20xi32>)
      outs(%empty : tensor<2x20xi32>) {
  ^bb0(%a: i32, %s: i32, %b: i32, %o: i32):
    %sum = arith.addi %a, %b : i32
    %shifted = arith.shrsi %sum, %s : i32
    linalg.yield %shifted : i32
  } -> tensor<2x20xi32>
  func.return %y : tensor<2x20xi32>
}"""


def test_amounts_are_what_both_designs_take() -> None:
    module = parse(_TEXT)
    (function,) = (op for op in module.ops if isinstance(op, FuncOp))
    fix_shift_amounts(function)
    module.verify()
    assert [argument.name_hint for argument in function.body.block.args] == ["sums", "added"]
    assert "dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3]> : tensor<20xi32>" in str(module)
    text = str(module)
    fix_shift_amounts(function)
    assert str(module) == text
