"""Tensors that are generated, padded, changed in one element, or looked at."""

from __future__ import annotations

import numpy as np
import pytest

from vtac.evaluate import EvaluationError, evaluate
from vtac.text.source import parse

HEAD = """
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
"""
X = np.array([[5, -3, 7], [2, 0, 1]], np.int32)


def run(body: str, returns: str, *more: np.ndarray) -> object:
    text = f"func.func @f(%x: tensor<2x3xi32>, %n: index, %v: i32) -> {returns} {{{HEAD}{body}\n}}\n"
    return evaluate(parse(text), X, *(more or (np.array(2), np.array(9, np.int32))))


WANTED = {
    "elements of their indices": (
        """
  %g = tensor.generate %n {
  ^bb0(%i: index, %j: index):
    %e = tensor.extract %x[%i, %j] : tensor<2x3xi32>
    %k = arith.index_cast %j : index to i32
    %s = arith.muli %e, %k : i32
    tensor.yield %s : i32
  } : tensor<?x3xi32>
  return %g : tensor<?x3xi32>""",
        "tensor<?x3xi32>",
        X * np.arange(3),
    ),
    "one number everywhere": (
        "%g = tensor.generate {\n  tensor.yield %v : i32\n} : tensor<i32>\nreturn %g : tensor<i32>",
        "tensor<i32>",
        9,
    ),
    "padding by values": (
        """
  %p = tensor.pad %x low[%c1, 0] high[0, %n] {
  ^bb0(%i: index, %j: index):
    tensor.yield %v : i32
  } : tensor<2x3xi32> to tensor<3x?xi32>
  return %p : tensor<3x?xi32>""",
        "tensor<3x?xi32>",
        np.pad(X, ((1, 0), (0, 2)), constant_values=9),
    ),
    "another element": (
        "%r = tensor.insert %v into %x[%c1, %c0] : tensor<2x3xi32>\nreturn %r : tensor<2x3xi32>",
        "tensor<2x3xi32>",
        [[5, -3, 7], [9, 0, 1]],
    ),
    "elements one by one": (
        "%r = tensor.from_elements %v, %v : tensor<2xi32>\nreturn %r : tensor<2xi32>",
        "tensor<2xi32>",
        [9, 9],
    ),
    "shape and rank": (
        """
  %open = tensor.cast %x : tensor<2x3xi32> to tensor<?x?xi32>
  %d = tensor.dim %open, %c1 : tensor<?x?xi32>
  %r = tensor.rank %open : tensor<?x?xi32>
  %s = arith.muli %d, %r : index
  return %s : index""",
        "index",
        6,
    ),
}


@pytest.mark.parametrize(("body", "returns", "wanted"), WANTED.values(), ids=WANTED)
def test_tensors(body: str, returns: str, wanted: object) -> None:
    assert np.array_equal(np.asarray(run(body, returns)), np.asarray(wanted))


REFUSED = {
    "%r = tensor.insert %v into %x[%c1, %n] : tensor<2x3xi32>\nreturn": r"at \[1, 5\], outside of the shape \[2, 3\]",
    "%d = tensor.dim %x, %n : tensor<2x3xi32>\nreturn": "'tensor.dim' of dimension 5: there are 2",
    "%o = tensor.cast %x : tensor<2x3xi32> to tensor<?x?xi32>\n%r = tensor.cast %o : tensor<?x?xi32> to "
    "tensor<2x4xi32>\nreturn": r"'tensor.cast' to tensor<2x4xi32> of a tensor whose shape is \[2, 3\]",
    "%g = tensor.generate {\n^bb0(%i: index):\n%k = arith.addi %i, %n : index\n%e = tensor.extract %x[%c0, %k] : "
    "tensor<2x3xi32>\ntensor.yield %e : i32\n} : tensor<2xi32>\nreturn": "reaches 5 to 6 of dimension 1",
}


@pytest.mark.parametrize(("body", "message"), REFUSED.items())
def test_what_has_no_meaning_is_refused(body: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        run(body, "()", np.array(5), np.array(9, np.int32))
