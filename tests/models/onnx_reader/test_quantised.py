"""Quantised ONNX: its scales are kept, its integers run as one stream, near what its floats say."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import vtac
from vtac.errors import ModelError
from vtac.models.layer import Array

pytestmark = pytest.mark.skipif(find_spec("onnx") is None, reason="the package onnx is not installed")


def numbers(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(np.float32)


def model_of(nodes: Sequence[tuple[str, Sequence[str], str, dict[str, object]]], constants: dict[str, Any]) -> bytes:
    """The bytes of a model from `x`, 1x2x6x6, to `y`, 1x3."""
    helper, arrays = import_module("onnx.helper"), import_module("onnx.numpy_helper")
    graph = helper.make_graph(
        [helper.make_node(op, list(inputs), [output], output, **more) for op, inputs, output, more in nodes],
        "net",
        [helper.make_tensor_value_info("x", 1, [1, 2, 6, 6])],
        [helper.make_tensor_value_info("y", 1, [1, 3])],
        [arrays.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


WEIGHTS = np.clip(np.rint(numbers(4, 2, 3, 3) * 40), -127, 127).astype(np.int8)
CONSTANTS: dict[str, Any] = {
    "sx": np.float32(0.021),
    "zx": np.uint8(131),
    "conv.weight": WEIGHTS,
    "sw": np.array([0.011, 0.013, 0.017, 0.02], np.float32),
    "zw": np.zeros(4, np.int8),
    "bias": np.array([100, -200, 300, -400], np.int32),
    "sb": np.array([0.011, 0.013, 0.017, 0.02], np.float32) * np.float32(0.021),
    "sh": np.float32(0.037),
    "zh": np.uint8(0),
    "fc.weight": numbers(3, 144),
    "sf": np.float32(0.02),
}


def qdq() -> bytes:
    """As quantisers print it: relu is left to the zero point, weights per channel."""
    return model_of(
        [
            ("QuantizeLinear", ["x", "sx", "zx"], "xq", {}),
            ("DequantizeLinear", ["xq", "sx", "zx"], "xd", {}),
            ("DequantizeLinear", ["conv.weight", "sw", "zw"], "wd", {"axis": 0}),
            ("DequantizeLinear", ["bias", "sb"], "bd", {"axis": 0}),
            ("Conv", ["xd", "wd", "bd"], "c", {"pads": [1, 1, 1, 1]}),
            ("QuantizeLinear", ["c", "sh", "zh"], "cq", {}),
            ("DequantizeLinear", ["cq", "sh", "zh"], "cd", {}),
            ("Flatten", ["cd"], "flat", {}),
            ("Gemm", ["flat", "fc.weight"], "y", {"transB": 1}),
        ],
        CONSTANTS,
    )


def qlinear() -> bytes:
    """The same as one operator."""
    return model_of(
        [
            ("QuantizeLinear", ["x", "sx", "zx"], "xq", {}),
            (
                "QLinearConv",
                ["xq", "sx", "zx", "conv.weight", "sw", "zw", "sh", "zh", "bias"],
                "cq",
                {"pads": [1, 1, 1, 1]},
            ),
            ("DequantizeLinear", ["cq", "sh", "zh"], "cd", {}),
            ("Flatten", ["cd"], "flat", {}),
            ("Gemm", ["flat", "fc.weight"], "y", {"transB": 1}),
        ],
        CONSTANTS,
    )


@pytest.mark.parametrize("make", [qdq, qlinear])
@pytest.mark.parametrize("calibrated", [False, True])
def test_scales_are_kept_and_weights_fit_them(make: Any, calibrated: bool) -> None:
    model = vtac.from_onnx(make())
    data = numbers(8, 2, 6, 6)
    quantised = model.quantize(data) if calibrated else model.quantize()
    scales = {(scale.size, scale.zero) for scale in quantised.scales.values()}
    assert {(float(np.float32(0.021)), 3), (float(np.float32(0.037)), -128)} <= scales
    found, expected = quantised.floats(np.asarray(quantised.simulate(data)))[0], np.asarray(model(data))
    assert 10 * np.log10((expected**2).sum() / ((found - expected) ** 2).sum()) > 28
    program = quantised.compile()
    assert len(program.devices) == 1
    np.testing.assert_array_equal(program.predict(data[:1]), found[:1])


def test_both_ways_of_writing_are_the_same_float_model() -> None:
    """Values are clipped where the zero point clips them."""
    one, other = (vtac.from_onnx(make()) for make in (qdq, qlinear))
    data = numbers(2, 2, 6, 6)
    np.testing.assert_allclose(np.asarray(one(data)), np.asarray(other(data)), rtol=1e-4, atol=1e-4)
    hidden = next(name for name in one.shapes if name.endswith(".relu"))
    assert one.given[hidden].zero == -128


def test_what_is_not_said_needs_calibration() -> None:
    nodes: list[tuple[str, Sequence[str], str, dict[str, object]]] = [
        ("QuantizeLinear", ["x", "sx", "zx"], "xq", {}),
        ("DequantizeLinear", ["xq", "sx", "zx"], "xd", {}),
        ("Conv", ["xd", "w"], "c", {}),
        ("Relu", ["c"], "r", {}),
        ("Flatten", ["r"], "flat", {}),
        ("Gemm", ["flat", "m"], "y", {"transB": 1}),
    ]
    constants = {**CONSTANTS, "w": numbers(4, 2, 3, 3), "m": numbers(3, 64)}
    model = vtac.from_onnx(model_of(nodes, constants))
    with pytest.raises(ModelError, match="does not say what the integers of 'r' stand for; calibration data is req"):
        model.quantize()
    with pytest.raises(ModelError, match="was quantised without data; samples are required for a report"):
        vtac.from_onnx(qdq()).quantize().report()


def test_scales_by_channel_of_data_are_refused() -> None:
    constants = {**CONSTANTS, "sx": np.array([0.1, 0.2], np.float32), "zx": np.zeros(2, np.uint8)}
    with pytest.raises(
        ModelError, match=r"node 'xq' .QuantizeLinear.: its scale is \(2,\); required: one scale for all"
    ):
        vtac.from_onnx(
            model_of([("QuantizeLinear", ["x", "sx", "zx"], "xq", {}), ("Relu", ["xq"], "y", {})], constants)
        )
