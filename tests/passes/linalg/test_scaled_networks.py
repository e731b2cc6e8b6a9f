"""Convolutions that quantisers leave in f32 compute the same in integers, and run on the VTA as one stream."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.evaluate import evaluate
from vtac.passes.linalg.convert_scaled_floats import ConvertScaledFloats
from vtac.text.context import make_context
from vtac.text.source import parse

RNG = np.random.default_rng(3)
ID = "affine_map<(a, b, c, d) -> (a, b, c, d)>"
FIRST = "affine_map<(a, b, c, d) -> (a)>"
ALL = 'iterator_types = ["parallel", "parallel", "parallel", "parallel"]'


def reals(values: list[float]) -> str:
    return ", ".join(repr(float(value)) for value in values)


def layer(channels: int, exponents: list[int], bias: list[float], zero: int) -> str:
    """Dequantise, pad with 0.0, convolve per channel with a bias in f32, relu, quantise at 2^-4 around `zero`."""
    features = len(exponents)
    weights = RNG.integers(-128, 128, (features, channels, 3, 3)).astype(np.int8).tobytes().hex().upper()
    data, padded = f"tensor<1x{channels}x4x4xf32>", f"tensor<1x{channels}x6x6xf32>"
    kernel, result = f"tensor<{features}x{channels}x3x3xf32>", f"tensor<1x{features}x4x4xf32>"
    return f"""
func.func @layer(%x: tensor<1x{channels}x4x4xi8>) -> tensor<1x{features}x4x4xi8> {{
  %w = arith.constant dense<"0x{weights}"> : tensor<{features}x{channels}x3x3xi8>
  %ws = arith.constant dense<[{reals([2.0**e for e in exponents])}]> : tensor<{features}xf32>
  %b = arith.constant dense<[{reals(bias)}]> : tensor<{features}xf32>
  %xs = arith.constant 6.25e-02 : f64
  %zero = arith.constant 0.0 : f32
  %point = arith.constant {zero}.0 : f32
  %low = arith.constant -128.0 : f32
  %high = arith.constant 127.0 : f32
  %ex = tensor.empty() : {data}
  %ek = tensor.empty() : {kernel}
  %ey = tensor.empty() : {result}
  %o = tensor.empty() : tensor<1x{features}x4x4xi8>
  %fx = linalg.generic {{indexing_maps = [{ID}, {ID}], {ALL}}}
    ins(%x : tensor<1x{channels}x4x4xi8>) outs(%ex : {data}) {{
  ^bb0(%in: i8, %out: f32):
    %s = arith.truncf %xs : f64 to f32
    %f = arith.sitofp %in : i8 to f32
    %g = arith.mulf %f, %s : f32
    linalg.yield %g : f32
  }} -> {data}
  %fw = linalg.generic {{indexing_maps = [{ID}, {FIRST}, {ID}], {ALL}}}
    ins(%w, %ws : tensor<{features}x{channels}x3x3xi8>, tensor<{features}xf32>) outs(%ek : {kernel}) {{
  ^bb0(%in: i8, %s: f32, %out: f32):
    %f = arith.sitofp %in : i8 to f32
    %g = arith.mulf %f, %s : f32
    linalg.yield %g : f32
  }} -> {kernel}
  %p = tensor.pad %fx low[0, 0, 1, 1] high[0, 0, 1, 1] {{
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  }} : {data} to {padded}
  %start = linalg.broadcast ins(%b : tensor<{features}xf32>) outs(%ey : {result}) dimensions = [0, 2, 3]
  %y = linalg.conv_2d_nchw_fchw {{dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}}
    ins(%p, %fw : {padded}, {kernel}) outs(%start : {result}) -> {result}
  %q = linalg.generic {{indexing_maps = [{ID}, {ID}], {ALL}}}
    ins(%y : {result}) outs(%o : tensor<1x{features}x4x4xi8>) {{
  ^bb0(%in: f32, %out: i8):
    %c = arith.cmpf ugt, %in, %zero : f32
    %r = arith.select %c, %in, %zero : f32
    %d = arith.divf %r, %s : f32
    %n = math.roundeven %d : f32
    %a = arith.addf %n, %point : f32
    %m = arith.maximumf %a, %low : f32
    %t = arith.minimumf %m, %high : f32
    %i = arith.fptosi %t : f32 to i8
    linalg.yield %i : i8
  }} -> tensor<1x{features}x4x4xi8>
  func.return %q : tensor<1x{features}x4x4xi8>
}}
""".replace("%d = arith.divf %r, %s : f32", "%s = arith.truncf %xs : f64 to f32\n    %d = arith.divf %r, %s : f32")


@pytest.mark.parametrize("zero", [0, -128])
@pytest.mark.parametrize("exponents", [[-7] * 20, [-5, -8, -10, -6] * 5])
def test_a_layer_in_f32_is_one_stream(exponents: list[int], zero: int) -> None:
    bias = [int(RNG.integers(-900, 900)) * 2.0 ** (e - 4) for e in exponents]
    text = layer(16, exponents, bias, zero)
    x = RNG.integers(-128, 128, (1, 16, 4, 4)).astype(np.int8)
    module = parse(text)
    expected = evaluate(module, x)
    ConvertScaledFloats().apply(make_context(), module)
    module.verify()
    assert "xf32>" not in str(module)
    np.testing.assert_array_equal(evaluate(module, x), expected)
    program = vtac.compile(parse(text))
    np.testing.assert_array_equal(program(x), expected)
    assert program.choices == ()
    assert len(program.devices) == 1


def test_sums_that_f32_may_round_are_a_choice() -> None:
    module = parse(layer(200, [-7, -7], [0.5, 0.25], 0))
    ConvertScaledFloats().apply(make_context(), module)
    assert "whose sums may reach 2949" in str(module)
    assert "round above 2^24: the exact integers are taken" in str(module)


def test_a_bias_between_the_integers_stays_in_f32() -> None:
    module = parse(layer(16, [-7, -7], [0.3, 0.25], 0))
    ConvertScaledFloats().apply(make_context(), module)
    assert "math.roundeven" in str(module)
