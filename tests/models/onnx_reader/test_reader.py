"""ONNX files made here, read, and run beside ONNX's own reference (and onnxruntime, where it is installed)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vtac
from vtac.errors import ModelError, ToolMissingError
from vtac.models.layer import Array

needs_onnx = pytest.mark.skipif(find_spec("onnx") is None, reason="the package onnx is not installed")


def numbers(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(np.float32)


def node(op: str, inputs: Sequence[str], output: str, **attributes: object) -> Any:
    outputs = output.split()
    return import_module("onnx.helper").make_node(op, list(inputs), outputs, outputs[0], **attributes)


def model_of(
    nodes: Sequence[Any],
    shape: Sequence[int | str],
    outputs: Sequence[str],
    constants: dict[str, Any] | None = None,
    opset: int = 20,
) -> bytes:
    """The bytes of a model with one input `x`."""
    helper, numpy_helper = import_module("onnx.helper"), import_module("onnx.numpy_helper")
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", 1, shape)],
        [helper.make_tensor_value_info(name, 1, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return import_module("onnx.shape_inference").infer_shapes(model).SerializeToString()


def expected(data: bytes, array: Array) -> list[Array]:
    """What onnxruntime computes, where it is installed, else ONNX's reference."""
    if find_spec("onnxruntime") is not None:
        session = import_module("onnxruntime").InferenceSession(data, providers=["CPUExecutionProvider"])
        return session.run(None, {"x": array})
    return (
        import_module("onnx.reference")
        .ReferenceEvaluator(import_module("onnx").load_model_from_string(data))
        .run(None, {"x": array})
    )


SINGLE: list[tuple[str, dict[str, object], dict[str, Any], tuple[int, ...]]] = [
    ("Conv", {"pads": [1, 0, 2, 1], "strides": [2, 1]}, {"w": numbers(4, 3, 3, 2), "b": numbers(4)}, (2, 3, 8, 7)),
    ("Conv", {"group": 4, "dilations": [2, 1]}, {"w": numbers(4, 1, 3, 3)}, (1, 4, 8, 7)),
    ("Conv", {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, {"w": numbers(4, 3, 3, 3)}, (1, 3, 8, 7)),
    ("Conv", {"auto_pad": "SAME_LOWER", "strides": [2, 2]}, {"w": numbers(4, 3, 3, 3)}, (1, 3, 8, 7)),
    (
        "ConvTranspose",
        {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
        {"w": numbers(4, 3, 3, 3)},
        (1, 4, 5, 6),
    ),
    (
        "ConvTranspose",
        {"strides": [2, 1], "dilations": [1, 2]},
        {"w": numbers(4, 3, 3, 3), "b": numbers(3)},
        (1, 4, 5, 6),
    ),
    ("Gemm", {"transB": 1}, {"w": numbers(5, 8), "b": numbers(5)}, (3, 8)),
    ("Gemm", {"alpha": 0.5, "beta": 2.0}, {"w": numbers(8, 5), "b": numbers(1)}, (3, 8)),
    ("MatMul", {}, {"w": numbers(8, 5)}, (2, 3, 8)),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1}, {}, (1, 2, 8, 7)),
    ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, {}, (1, 2, 8, 7)),
    ("AveragePool", {"kernel_shape": [3, 2], "pads": [1, 1, 1, 0], "count_include_pad": 1}, {}, (1, 2, 8, 7)),
    ("GlobalAveragePool", {}, {}, (2, 3, 5, 4)),
    ("ReduceMean", {"keepdims": 0}, {"axes": np.array([-1, 2])}, (2, 3, 5, 4)),
    (
        "Resize",
        {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        {"roi": np.zeros(0, np.float32), "s": np.array([1, 1, 2, 3], np.float32)},
        (1, 2, 3, 2),
    ),
    (
        "BatchNormalization",
        {"epsilon": 1e-3},
        {"s": numbers(3), "b": numbers(3), "m": numbers(3), "v": numbers(3) ** 2},
        (2, 3, 4, 4),
    ),
    ("LayerNormalization", {"axis": -1}, {"s": numbers(6), "b": numbers(6)}, (2, 4, 6)),
    ("Clip", {}, {"low": np.float32(0), "high": np.float32(6)}, (3, 9)),
    ("LeakyRelu", {"alpha": 0.125}, {}, (3, 9)),
    ("PRelu", {}, {"slopes": numbers(3, 1, 1)}, (1, 3, 2, 2)),
    ("HardSigmoid", {}, {}, (3, 9)),
    ("HardSwish", {}, {}, (3, 9)),
    ("Gelu", {}, {}, (3, 9)),
    ("Gelu", {"approximate": "tanh"}, {}, (3, 9)),
    ("Relu", {}, {}, (3, 9)),
    ("Sigmoid", {}, {}, (3, 9)),
    ("Tanh", {}, {}, (3, 9)),
    ("Softmax", {"axis": 1}, {}, (3, 9, 2)),
    ("Add", {}, {"c": numbers(3, 1)}, (2, 3, 4)),
    ("Sub", {}, {"c": numbers(1)}, (2, 3, 4)),
    ("Erf", {}, {}, (2, 3, 4)),
    ("Pad", {}, {"pads": np.array([0, 0, 1, 0, 0, 0, 2, 3])}, (2, 3, 4, 4)),
    ("Pad", {}, {"pads": np.array([0, 0, 1, 0, 0, 2]), "value": np.float32(2)}, (2, 3, 4)),
    ("GlobalMaxPool", {}, {}, (2, 3, 4, 5)),
    ("GlobalAveragePool", {}, {}, (2, 3, 5)),
    ("ReduceMean", {}, {"axes": np.array([1])}, (2, 3, 4)),
    ("ReduceMean", {"keepdims": 0}, {"axes": np.array([-1, 1])}, (2, 3, 4, 5)),
    ("Conv", {"pads": [2, 1], "dilations": [2], "strides": [2]}, {"w": numbers(4, 3, 3)}, (2, 3, 9)),
    ("ConvTranspose", {"strides": [2], "output_padding": [1]}, {"w": numbers(3, 4, 3)}, (2, 3, 5)),
    ("MaxPool", {"kernel_shape": [3], "pads": [1, 1], "strides": [2]}, {}, (2, 3, 9)),
    ("Mul", {}, {"c": numbers(4)}, (2, 3, 4)),
    ("Div", {}, {"c": numbers(4)}, (2, 3, 4)),
    ("Reshape", {}, {"shape": np.array([0, -1])}, (2, 3, 4)),
    ("Flatten", {"axis": 2}, {}, (2, 3, 4)),
    ("Squeeze", {}, {"axes": np.array([1])}, (2, 1, 4)),
    ("Unsqueeze", {}, {"axes": np.array([0, -1])}, (2, 4)),
    ("Transpose", {"perm": [0, 2, 1]}, {}, (2, 3, 4)),
    (
        "Slice",
        {},
        {"a": np.array([1, -3]), "b": np.array([9, -1]), "axes": np.array([1, 2]), "steps": np.array([2, 1])},
        (2, 5, 4),
    ),
]


@needs_onnx
@pytest.mark.parametrize(("op", "attributes", "constants", "shape"), SINGLE)
def test_an_operator_means_what_onnx_says(
    op: str, attributes: dict[str, object], constants: dict[str, Any], shape: tuple[int, ...]
) -> None:
    data = model_of([node(op, ["x", *constants], "y", **attributes)], shape, ["y"], constants)
    array = numbers(*shape)
    found = vtac.from_onnx(data)(array)
    np.testing.assert_allclose(found, expected(data, array)[0], rtol=1e-4, atol=1e-5)


def residual_net(opset: int = 20) -> bytes:
    """A network as exporters write it, its batch left open."""
    constants = {
        "layer1.conv.weight": numbers(4, 3, 3, 3),
        "layer1.bn.weight": numbers(4),
        "layer1.bn.bias": numbers(4),
        "mean": numbers(4),
        "variance": numbers(4) ** 2,
        "fc.weight": numbers(5, 16),
        "fc.bias": numbers(5),
        "rest": np.array([-1]),
        "zero": np.array(0),
        "first": np.array([0]),
    }
    nodes = [
        node("Conv", ["x", "layer1.conv.weight"], "/layer1/conv", pads=[1, 1, 1, 1]),
        node(
            "BatchNormalization",
            ["/layer1/conv", "layer1.bn.weight", "layer1.bn.bias", "mean", "variance"],
            "bn",
        ),
        node("Relu", ["bn"], "relu"),
        node("Split", ["relu"], "left right", axis=1, num_outputs=2)
        if opset >= 18
        else node("Split", ["relu"], "left right", axis=1),
        node("Concat", ["right", "left"], "swapped", axis=1),
        node("Add", ["swapped", "relu"], "sum"),
        node("Dropout", ["sum"], "kept"),
        node("MaxPool", ["kept"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        node("Shape", ["pool"], "extents"),
        node("Gather", ["extents", "zero"], "batch"),
        node("Unsqueeze", ["batch", "first"], "batches"),
        node("Concat", ["batches", "rest"], "target", axis=0),
        node("Reshape", ["pool", "target"], "flat"),
        node("Gemm", ["flat", "fc.weight", "fc.bias"], "scores", transB=1),
    ]
    return model_of(nodes, ["N", 3, 4, 4], ["scores", "relu"], constants, opset)


@needs_onnx
@pytest.mark.parametrize("opset", [14, 17, 18, 24])
def test_a_network_is_read_at_a_fixed_batch(opset: int, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(residual_net(opset))
    model = vtac.from_onnx(path, batch=2)
    array = numbers(4, 3, 4, 4)
    for own, other in zip(model(array), expected(residual_net(opset), array), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-4)
    assert [given.shape for given in model.inputs] == [(2, 3, 4, 4)]
    names = [layer.name for layer in model.layers]
    assert names[:3] == ["layer1.conv", "layer1.bn", "relu"]
    assert names[-1] == "fc"


def refusal(make: Callable[[], object]) -> str:
    with pytest.raises(ModelError) as caught:
        make()
    return str(caught.value)


@needs_onnx
def test_unknown_operators_are_listed_all_at_once() -> None:
    nodes = [node("Sin", ["x"], "a"), node("Relu", ["a"], "b"), node("Sin", ["b"], "c"), node("Cos", ["c"], "d")]
    assert refusal(lambda: vtac.from_onnx(model_of(nodes, [1, 4], ["d"]))) == (
        "model 'net' uses operators that no layer is for: Cos (1 times, first 'd'); Sin (2 times, first 'a')"
    )


@needs_onnx
def test_what_does_not_fit_is_refused() -> None:
    relu = [node("Relu", ["x"], "y")]
    assert refusal(lambda: vtac.from_onnx(model_of(relu, [1, 4], ["y"], opset=12))) == (
        "model 'net' is of opset 12; 13 to 24 can be read: convert it with onnx.version_converter"
    )
    assert refusal(lambda: vtac.from_onnx(model_of(relu, ["N", "width"], ["y"]))) == (
        "input 'x' is Nxwidth in the file; all extents but the first have to be known: pass shapes={'x': (...)}"
    )
    assert refusal(lambda: vtac.from_onnx(model_of(relu, ["N", 4], ["y"]), shapes={"x": (1, 5)})) == (
        "input 'x' is Nx4 in the file; the shape 1x5 was given"
    )
    assert refusal(lambda: vtac.from_onnx(b"no model")).startswith("the given bytes cannot be read as an ONNX model: ")
    wide = model_of([node("Gemm", ["x", "w"], "y")], [1, 4], ["y"], {"w": np.zeros((4, 2))})
    assert "its weights is of float64; required: one of float16, bfloat16, float32" in refusal(
        lambda: vtac.from_onnx(wide)
    )
    both = model_of([node("Div", ["x", "x"], "y")], [1, 4], ["y"])
    assert refusal(lambda: vtac.from_onnx(both)) == (
        "node 'y' (Div): its divisor is computed or zero; required: a constant divisor without zeros"
    )


@pytest.mark.skipif(
    not (find_spec("onnx") and find_spec("onnxruntime")),
    reason="onnx or onnxruntime is not installed, and ONNX's own reference computes neither of these",
)
def test_old_normalisation_and_transposed_groups() -> None:
    attributes: dict[str, object] = {"strides": [2, 1], "group": 2}
    turned = [node("ConvTranspose", ["x", "w", "b"], "y", **attributes)]
    grouped = model_of(turned, [2, 4, 5, 6], ["y"], {"w": numbers(4, 3, 3, 3), "b": numbers(6)})
    for data, shape in ((grouped, (2, 4, 5, 6)), (residual_net(13), (2, 3, 4, 4))):
        found = vtac.from_onnx(data, batch=2)(numbers(*shape))
        first = found if isinstance(found, np.ndarray) else found[0]
        np.testing.assert_allclose(first, expected(data, numbers(*shape))[0], rtol=1e-4, atol=1e-4)


@needs_onnx
def test_open_extents_are_given_by_name() -> None:
    data = model_of([node("Relu", ["x"], "y")], ["N", 3, "height", "width"], ["y"])
    assert vtac.from_onnx(data, shapes={"x": (1, 3, 5, 6)}).shapes["y"] == (1, 3, 5, 6)


@pytest.mark.skipif(find_spec("onnx") is not None, reason="the package onnx is installed")
def test_without_the_package_a_message_says_how_to_get_it() -> None:
    with pytest.raises(ToolMissingError) as caught:
        vtac.from_onnx(b"")
    assert str(caught.value) == "reading ONNX models needs the package 'onnx': pip install 'vtac[onnx]'"
