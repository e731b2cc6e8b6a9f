"""Direct execution of linalg, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from programs import SmallConv, identity

from vtac.evaluate import EvaluationError, evaluate, evaluate_linalg
from vtac.text.source import parse

MATMUL = """
func.func @matmul(%a: memref<3x4xi32>, %b: memref<4x2xi32>, %c: memref<3x2xi32>) {
  linalg.matmul ins(%a, %b : memref<3x4xi32>, memref<4x2xi32>) outs(%c : memref<3x2xi32>)
  func.return
}
"""


def generic(inputs: str, output: str, body: str, *, maps: str, iterators: str) -> str:
    return f"""
  %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{iterators}]}}
    ins({inputs}) outs({output}) {{
  {body}
  }} -> tensor<4xi32>
  func.return %r : tensor<4xi32>
}}
"""


@pytest.mark.parametrize(
    "conv",
    [SmallConv(), SmallConv(stride=2, padding=2), SmallConv(kernel=1, padding=0), SmallConv(kernel=2, height=3)],
)
def test_convolution(conv: SmallConv) -> None:
    data, kernel = conv.arrays()
    (found,) = evaluate_linalg(parse(conv.text()), [data, kernel])
    assert np.array_equal(found, conv.expected(data, kernel))


def test_memrefs_accumulate_into_a_copy_of_the_callers_array() -> None:
    rng = np.random.default_rng(1)
    a, b, c = (rng.integers(-(2**31), 2**31, shape).astype(np.int32) for shape in ((3, 4), (4, 2), (3, 2)))
    before = c.copy()
    (found,) = evaluate_linalg(parse(MATMUL), [a, b, c])
    assert np.array_equal(found, c + a @ b)
    assert np.array_equal(c, before)


def test_a_named_convolution_with_strides() -> None:
    source = """
func.func @conv(%x: tensor<1x2x5x5xi32>, %w: tensor<3x2x3x3xi32>, %o: tensor<1x3x2x2xi32>) -> tensor<1x3x2x2xi32> {
  %r = linalg.conv_2d_nchw_fchw {strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x2x5x5xi32>, tensor<3x2x3x3xi32>) outs(%o : tensor<1x3x2x2xi32>) -> tensor<1x3x2x2xi32>
  func.return %r : tensor<1x3x2x2xi32>
}
"""
    conv = SmallConv(2, 3, 5, 5, 3, 2, 0)
    rng = np.random.default_rng(2)
    x = rng.integers(-9, 9, (1, 2, 5, 5)).astype(np.int32)
    w = rng.integers(-9, 9, (3, 2, 3, 3)).astype(np.int32)
    windows = np.lib.stride_tricks.sliding_window_view(x[0], (3, 3), (1, 2))[:, :: conv.stride, :: conv.stride]
    found = evaluate(parse(source), x, w, np.ones((1, 3, 2, 2), np.int32))
    assert np.array_equal(found, np.einsum("cyxij,ocij->oyx", windows, w)[None] + 1)


def test_several_results_come_as_a_tuple() -> None:
    source = """
func.func @two(%x: tensor<4xi32>) -> (tensor<4xi32>, tensor<4xi32>) {
  %e = tensor.empty() : tensor<4xi32>
  %d = linalg.add ins(%x, %x : tensor<4xi32>, tensor<4xi32>) outs(%e : tensor<4xi32>) -> tensor<4xi32>
  func.return %d, %x : tensor<4xi32>, tensor<4xi32>
}
"""
    x = np.arange(4, dtype=np.int32)
    found = evaluate(parse(source), x)
    assert isinstance(found, tuple)
    assert [array.tolist() for array in found] == [[0, 2, 4, 6], [0, 1, 2, 3]]


def test_iterators_as_values_and_dense_constants() -> None:
    head = """
func.func @f() -> tensor<4xi32> {
  %k = arith.constant dense<[10, 20, 30, 40]> : tensor<4xi32>
  %e = tensor.empty() : tensor<4xi32>
"""
    body = """^bb0(%v: i32, %o: i32):
    %i = linalg.index 0 : index
    %j = arith.index_cast %i : index to i32
    %s = arith.addi %v, %j : i32
    linalg.yield %s : i32"""
    source = head + generic(
        "%k : tensor<4xi32>",
        "%e : tensor<4xi32>",
        body,
        maps=f"{identity(1)}, {identity(1)}",
        iterators='"parallel"',
    )
    (found,) = evaluate_linalg(parse(source), [])
    assert found.tolist() == [10, 21, 32, 43]


def test_reading_an_empty_tensor_is_refused() -> None:
    source = """
func.func @f(%x: tensor<4xi32>) -> tensor<4xi32> {
  %e = tensor.empty() : tensor<4xi32>
  %d = linalg.add ins(%x, %e : tensor<4xi32>, tensor<4xi32>) outs(%e : tensor<4xi32>) -> tensor<4xi32>
  func.return %d : tensor<4xi32>
}
"""
    with pytest.raises(EvaluationError, match=r"'linalg\.add' reads 'e' where nothing has written it"):
        evaluate(parse(source), np.zeros(4, np.int32))


def test_returning_an_empty_tensor_is_refused() -> None:
    source = """
func.func @f() -> tensor<2x3xi32> {
  %e = tensor.empty() : tensor<2x3xi32>
  func.return %e : tensor<2x3xi32>
}
"""
    with pytest.raises(EvaluationError, match=r"result 'e': nothing has written its element \[0, 0\]"):
        evaluate(parse(source))


def test_an_op_of_another_kind_is_refused() -> None:
    source = """
func.func @f(%x: tensor<4xi32>) -> tensor<4xi32> {
  %s = arith.constant dense<4> : tensor<1xindex>
  %e = tensor.reshape %x(%s) : (tensor<4xi32>, tensor<1xindex>) -> tensor<4xi32>
  func.return %e : tensor<4xi32>
}
"""
    with pytest.raises(EvaluationError, match=r"<string>:4:8: cannot execute 'tensor\.reshape' at"):
        evaluate(parse(source), np.zeros(4, np.int32))


def test_an_element_beyond_a_tensor_is_refused() -> None:
    source = """
func.func @f(%x: tensor<4xi32>) -> tensor<1xi32> {
  %i = arith.constant 4 : index
  %e = tensor.extract %x[%i] : tensor<4xi32>
  %r = tensor.splat %e : tensor<1xi32>
  func.return %r : tensor<1xi32>
}
"""
    with pytest.raises(EvaluationError, match=r"'tensor\.extract' reaches 4 to 4 of dimension 0, whose extent is 4"):
        evaluate(parse(source), np.zeros(4, np.int32))
    found = evaluate(parse(source.replace("constant 4", "constant 2")), np.arange(4, dtype=np.int32))
    np.testing.assert_array_equal(np.asarray(found), [2])


def test_an_output_indexed_by_a_reduction_is_refused() -> None:
    head = "\nfunc.func @f(%x: tensor<4xi32>, %o: tensor<4xi32>) -> tensor<4xi32> {\n"
    body = "^bb0(%v: i32, %a: i32):\n    linalg.yield %v : i32"
    source = head + generic(
        "%x : tensor<4xi32>",
        "%o : tensor<4xi32>",
        body,
        maps=f"{identity(1)}, {identity(1)}",
        iterators='"reduction"',
    )
    with pytest.raises(EvaluationError, match="an output's indices must be the parallel iterators"):
        evaluate(parse(source), np.zeros(4, np.int32), np.zeros(4, np.int32))


def test_a_reduced_dimension_may_be_kept() -> None:
    source = """
func.func @f(%x: tensor<2x4xi32>, %o: tensor<2x1xi32>) -> tensor<2x1xi32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, 0)>],
      iterator_types = ["parallel", "reduction"]} ins(%x : tensor<2x4xi32>) outs(%o : tensor<2x1xi32>) {
  ^bb0(%v: i32, %a: i32):
    %s = arith.addi %a, %v : i32
    linalg.yield %s : i32
  } -> tensor<2x1xi32>
  func.return %r : tensor<2x1xi32>
}
"""
    x = np.arange(8, dtype=np.int32).reshape(2, 4)
    assert np.array_equal(evaluate(parse(source), x, np.ones((2, 1), np.int32)), x.sum(1, keepdims=True) + 1)


def test_arrays_must_be_the_parameters() -> None:
    module = parse(MATMUL)
    a, b, c = np.zeros((3, 4), np.int32), np.zeros((4, 2), np.int32), np.zeros((3, 2), np.int32)
    with pytest.raises(EvaluationError, match=r"'matmul' takes 3 arrays \(a, b, c\); 2 were given"):
        evaluate(module, a, b)
    with pytest.raises(EvaluationError, match=r"'b' of 'matmul' is int32\[4, 2\]; the array given is int32\[2, 4\]"):
        evaluate(module, a, b.T, c)
    with pytest.raises(EvaluationError, match=r"argument 'c' of 'matmul' is int32\[3, 2\]; the array given is int64"):
        evaluate(module, a, b, c.astype(np.int64))


def test_a_module_of_two_functions_needs_a_choice() -> None:
    with pytest.raises(EvaluationError, match=r"cannot execute a module with 2 functions \(matmul, other\)"):
        evaluate(parse(MATMUL + MATMUL.replace("@matmul", "@other")))


def test_a_slice_in_steps() -> None:
    source = """
func.func @slice(%x: tensor<4x7xi32>) -> tensor<2x3xi32> {
  %s = tensor.extract_slice %x[1, 0] [2, 3] [2, 3] : tensor<4x7xi32> to tensor<2x3xi32>
  func.return %s : tensor<2x3xi32>
}
"""
    x = np.arange(28, dtype=np.int32).reshape(4, 7)
    assert np.array_equal(evaluate(parse(source), x), x[1::2, ::3])


def test_a_tensor_without_elements_is_computed() -> None:
    kind = "tensor<0x7xi32>"
    text = f"func.func @f(%x: {kind}) -> {kind} {{\n  %e = tensor.empty() : {kind}\n"
    text += f"  %y = linalg.add ins(%x, %x : {kind}, {kind}) outs(%e : {kind}) -> {kind}\n  func.return %y : {kind}\n}}"
    found = evaluate(parse(text), np.zeros((0, 7), np.int32))
    assert isinstance(found, np.ndarray) and found.shape == (0, 7)
