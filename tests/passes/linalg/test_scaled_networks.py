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


def generic(name: str, operands: dict[str, str], maps: list[str], into: str, kind: str, body: str) -> str:
    """One elementwise operation in four loops; `body` begins with the block's arguments."""
    indexed = ", ".join([*maps, ID])
    names, kinds = ", ".join(operands), ", ".join(operands.values())
    return f"""
  %{name} = linalg.generic {{indexing_maps = [{indexed}], {ALL}}}
    ins({names} : {kinds}) outs({into} : {kind}) {{
  ^bb0{body}
  }} -> {kind}"""


SCALED = """(%in: i8, %out: f32):
    %s = arith.truncf %xs : f64 to f32
    %f = arith.sitofp %in : i8 to f32
    %g = arith.mulf %f, %s : f32
    linalg.yield %g : f32"""
SCALED_BY_FEATURE = """(%in: i8, %s: f32, %out: f32):
    %f = arith.sitofp %in : i8 to f32
    %g = arith.mulf %f, %s : f32
    linalg.yield %g : f32"""
QUANTISED = """(%in: f32, %out: i8):
    %c = arith.cmpf ugt, %in, %zero : f32
    %r = arith.select %c, %in, %zero : f32
    %s = arith.truncf %xs : f64 to f32
    %d = arith.divf %r, %s : f32
    %n = math.roundeven %d : f32
    %a = arith.addf %n, %point : f32
    %m = arith.maximumf %a, %low : f32
    %t = arith.minimumf %m, %high : f32
    %i = arith.fptosi %t : f32 to i8
    linalg.yield %i : i8"""


def layer(channels: int, exponents: list[int], bias: list[float], zero: int) -> str:
    """Dequantise, pad with 0.0, convolve per channel with a bias in f32, relu, quantise at 2^-4 around `zero`."""
    features = len(exponents)
    weights = RNG.integers(-128, 128, (features, channels, 3, 3)).astype(np.int8).tobytes().hex().upper()
    image, result = f"tensor<1x{channels}x4x4", f"tensor<1x{features}x4x4"
    kernel, padded, scales = (
        f"tensor<{features}x{channels}x3x3",
        f"tensor<1x{channels}x6x6xf32>",
        f"tensor<{features}xf32>",
    )
    data = generic("fx", {"%x": f"{image}xi8>"}, [ID], "%ex", f"{image}xf32>", SCALED)
    factors = {"%w": f"{kernel}xi8>", "%ws": scales}
    filters = generic("fw", factors, [ID, FIRST], "%ek", f"{kernel}xf32>", SCALED_BY_FEATURE)
    return f"""
func.func @layer(%x: {image}xi8>) -> {result}xi8> {{
  %w = arith.constant dense<"0x{weights}"> : {kernel}xi8>
  %ws = arith.constant dense<[{reals([2.0**e for e in exponents])}]> : {scales}
  %b = arith.constant dense<[{reals(bias)}]> : {scales}
  %xs = arith.constant 6.25e-02 : f64
  %zero = arith.constant 0.0 : f32
  %point = arith.constant {zero}.0 : f32
  %low = arith.constant -128.0 : f32
  %high = arith.constant 127.0 : f32
  %ex = tensor.empty() : {image}xf32>
  %ek = tensor.empty() : {kernel}xf32>
  %ey = tensor.empty() : {result}xf32>
  %o = tensor.empty() : {result}xi8>{data}{filters}
  %p = tensor.pad %fx low[0, 0, 1, 1] high[0, 0, 1, 1] {{
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  }} : {image}xf32> to {padded}
  %start = linalg.broadcast ins(%b : {scales}) outs(%ey : {result}xf32>) dimensions = [0, 2, 3]
  %y = linalg.conv_2d_nchw_fchw {{dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}}
    ins(%p, %fw : {padded}, {kernel}xf32>) outs(%start : {result}xf32>) -> {result}xf32>
{generic("q", {"%y": f"{result}xf32>"}, [ID], "%o", f"{result}xi8>", QUANTISED)}
  func.return %q : {result}xi8>
}}
"""


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
