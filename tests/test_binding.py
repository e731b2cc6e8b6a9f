"""vtac.bind: arguments that become constants."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.errors import CompileError

TEXT = """
func.func @scaled(%x: tensor<4x16xi8>, %w: tensor<16x16xi8>) -> tensor<4x16xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<4x16xi32>
  %start = linalg.fill ins(%zero : i32) outs(%empty : tensor<4x16xi32>) -> tensor<4x16xi32>
  %y = linalg.matmul ins(%x, %w : tensor<4x16xi8>, tensor<16x16xi8>) outs(%start : tensor<4x16xi32>) -> tensor<4x16xi32>
  func.return %y : tensor<4x16xi32>
}
"""


def test_a_bound_weight_is_packed_at_compile_time() -> None:
    random = np.random.default_rng(0)
    x, w = random.integers(-128, 128, (4, 16), dtype=np.int8), random.integers(-128, 128, (16, 16), dtype=np.int8)
    module = vtac.parse(TEXT)
    program = vtac.compile(vtac.bind(module, {"w": w}))
    assert [buffer.name for buffer in program.arguments] == ["x"]
    np.testing.assert_array_equal(np.asarray(program(x)), x.astype(np.int32) @ w.astype(np.int32))
    assert [buffer.name for buffer in vtac.compile(module).arguments] == ["x", "w"]


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("v", np.zeros((16, 16), np.int8), "bind: no argument is called 'v'; there are x, w"),
        (
            "w",
            np.zeros((16, 15), np.int8),
            "bind: argument 'w' is tensor<16x16xi8>, the array 16x15 int8: pass an array of exactly that shape",
        ),
        ("w", np.zeros((16, 16), np.int32), "bind: argument 'w' is tensor<16x16xi8>, the array 16x16 int32"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, array: np.ndarray, message: str) -> None:  # pyright: ignore[reportMissingTypeArgument, reportUnknownParameterType]
    with pytest.raises(CompileError) as refusal:
        vtac.bind(vtac.parse(TEXT), {name: array})  # pyright: ignore[reportUnknownArgumentType]
    assert message in str(refusal.value)
