"""Operations that no dialect has are named together."""

from __future__ import annotations

import pytest

import vtac
from vtac.errors import CompileError

TEXT = """func.func @f(%x: tensor<2xi8>) -> tensor<2xi8> {
  %a, %b = "nowhere.pair"(%x) : (tensor<2xi8>) -> (tensor<2xi8>, tensor<2xi8>)
  // nowhere.comment
  %c = linalg.softmax dimension(0) ins(%x : tensor<2xi8>) outs(%x : tensor<2xi8>) -> tensor<2xi8>
  nowhere.custom %x {
    some.key = 3 : i8, other.key}
  %d = arith.constant dense_resource<torch_tensor_1.key> : tensor<1xi32>
  func.return %c : tensor<2xi8>
}
{-#
  dialect_resources: {
    builtin: {
      torch_tensor_1.key: "0x0400000080FEFFFF"
    }
  }
#-}
"""


def test_every_one_with_its_place() -> None:
    with pytest.raises(CompileError) as caught:
        vtac.parse(TEXT)
    assert str(caught.value).splitlines() == [
        "<string>:2:12: unknown dialect 'nowhere' of operation 'nowhere.pair'",
        "<string>:4:8: dialect 'linalg' has no operation 'linalg.softmax'; it is not read in this form: "
        "let the frontend decompose it into linalg.generic",
        "<string>:5:3: unknown dialect 'nowhere' of operation 'nowhere.custom'",
    ]


def test_one_alone() -> None:
    with pytest.raises(CompileError) as caught:
        vtac.parse("\nnowhere.at_all\n")
    assert str(caught.value) == "<string>:2:1: unknown dialect 'nowhere' of operation 'nowhere.at_all'"
