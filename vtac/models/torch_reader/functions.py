"""Activations, normalisations, products and sums of PyTorch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vtac.models.layers import activations
from vtac.models.layers.elementwise import Add, Affine, Multiply
from vtac.models.layers.normalisation import BatchNorm, LayerNorm, Softmax
from vtac.models.layers.products import Linear, MatMul
from vtac.models.torch_reader.building import Builder, Converter, integer, integers, number
from vtac.models.torch_reader.exported import Node


def _plain(layer: type[activations.Activation]) -> Converter:
    """A function without parameters."""

    def convert(builder: Builder, node: Node) -> None:
        builder.add(layer(builder.name(node), (builder.value(node),)), node)

    return convert


def _clamp(builder: Builder, node: Node) -> None:
    """A clamp; relu6 where it keeps what is between 0 and 6."""
    low = number(node, "min", -np.inf) if "min" in node.arguments else number(node, "min_val", -1)
    high = number(node, "max", np.inf) if "max" in node.arguments else number(node, "max_val", 1)
    name, inputs = builder.name(node), (builder.value(node),)
    ends = (low, high)
    builder.add(activations.Relu6(name, inputs) if ends == (0, 6) else activations.Clamp(name, inputs, *ends), node)


def _leaky(builder: Builder, node: Node) -> None:
    slope = number(node, "negative_slope", 0.01)
    builder.add(activations.LeakyRelu(builder.name(node), (builder.value(node),), slope), node)


def _parametric(builder: Builder, node: Node) -> None:
    slopes = builder.required(node, "weight").reshape(-1)
    builder.add(activations.ParametricRelu(builder.name(node), (builder.value(node),), slopes), node)


def _gelu(builder: Builder, node: Node) -> None:
    near = node.arguments.get("approximate") == "tanh"
    builder.add(activations.Gelu(builder.name(node), (builder.value(node),), near), node)


def _silu(builder: Builder, node: Node) -> None:
    """x times its sigmoid."""
    source, name = builder.value(node), builder.name(node)
    gate = builder.add(activations.Sigmoid(f"{name}.gate", (source,)))
    builder.add(Multiply(name, (source, gate)), node)


def _batch_norm(builder: Builder, node: Node) -> None:
    """Its first result; the others are of use in training only."""
    mean, variance = builder.required(node, "running_mean"), builder.required(node, "running_var")
    scale, shift = builder.parameters(node, "weight"), builder.parameters(node, "bias")
    layer = BatchNorm(
        builder.name(node),
        (builder.value(node),),
        np.ones_like(mean) if scale is None else scale,
        np.zeros_like(mean) if shift is None else shift,
        mean,
        variance,
        number(node, "eps", 1e-5),
    )
    builder.several[node.name] = (builder.add(layer, node),)


def _layer_norm(builder: Builder, node: Node) -> None:
    shape = integers(node, "normalized_shape")
    scale = builder.parameters(node, "weight")
    layer = LayerNorm(
        builder.name(node),
        (builder.value(node),),
        np.ones(shape, np.float32) if scale is None else scale,
        builder.parameters(node, "bias"),
        number(node, "eps", 1e-5),
    )
    builder.add(layer, node)


def _softmax(builder: Builder, node: Node) -> None:
    builder.add(Softmax(builder.name(node), (builder.value(node),), integer(node, "dim", -1)), node)


def _linear(builder: Builder, node: Node) -> None:
    weights, bias = builder.required(node, "weight"), builder.parameters(node, "bias")
    builder.add(Linear(builder.name(node), (builder.value(node),), weights, bias), node)


def _matmul(builder: Builder, node: Node) -> None:
    second = "other" if "other" in node.arguments else "mat2"
    if builder.is_computed(node.arguments.get(second)):
        layer = MatMul(builder.name(node), (builder.value(node), builder.value(node, second)))
    else:
        weights = builder.required(node, second)
        if weights.ndim != 2:
            raise node.refuse(f"its second operand is {weights.shape}", "2 dimensions")
        turned = np.ascontiguousarray(weights.T)
        builder.add(Linear(builder.name(node, second), (builder.value(node),), turned), node)
        return
    builder.add(layer, node)


def _add(builder: Builder, node: Node) -> None:
    _sum(builder, node, 1.0)


def _subtract(builder: Builder, node: Node) -> None:
    _sum(builder, node, -1.0)


def _subtract_from(builder: Builder, node: Node) -> None:
    """other - alpha * self, by a constant."""
    factor = -number(node, "alpha", 1)
    _affine(builder, node, node.arguments.get("self"), factor, builder.required(node, "other"))


def _sum(builder: Builder, node: Node, sign: float) -> None:
    """self + sign * alpha * other."""
    factor = sign * number(node, "alpha", 1)
    left, right = node.arguments.get("self"), node.arguments.get("other")
    if builder.is_computed(left) and builder.is_computed(right):
        inputs = (builder.layer_of(node, left), builder.layer_of(node, right))
        name = builder.name(node)
        if factor != 1:
            times = Affine(f"{name}.times", (inputs[1],), np.full(1, factor, np.float32), np.zeros(1, np.float32))
            inputs = (inputs[0], builder.add(times))
        builder.add(Add(name, inputs), node)
    elif builder.is_computed(left):
        _affine(builder, node, left, 1.0, builder.required(node, "other") * np.float32(factor))
    else:
        _affine(builder, node, right, factor, builder.required(node, "self"))


def _multiply(builder: Builder, node: Node) -> None:
    left, right = node.arguments.get("self"), node.arguments.get("other")
    if builder.is_computed(left) and builder.is_computed(right):
        inputs = (builder.layer_of(node, left), builder.layer_of(node, right))
        builder.add(Multiply(builder.name(node), inputs), node)
        return
    computed, constant = (left, "other") if builder.is_computed(left) else (right, "self")
    layer = Affine(
        builder.name(node),
        (builder.layer_of(node, computed),),
        builder.required(node, constant),
        np.zeros(1, np.float32),
    )
    builder.add(layer, node)


def _divide(builder: Builder, node: Node) -> None:
    """Division by a constant, as multiplication by what float32 holds of its reciprocal."""
    divisor = builder.required(node, "other").astype(np.float64)
    if not divisor.all() or node.arguments.get("rounding_mode") is not None:
        raise node.refuse("it rounds, or divides by zero", "a constant divisor without zeros")
    factor = (1 / divisor).astype(np.float32)
    builder.add(Affine(builder.name(node), (builder.value(node),), factor, np.zeros(1, np.float32)), node)


def _affine(builder: Builder, node: Node, computed: object, factor: float, offset: np.ndarray) -> None:
    source = (builder.layer_of(node, computed),)
    builder.add(Affine(builder.name(node), source, np.full(1, factor, np.float32), offset.astype(np.float32)), node)


CONVERTERS: Mapping[str, Converter] = {
    "_native_batch_norm_legit_no_training": _batch_norm,
    "add": _add,
    "batch_norm": _batch_norm,
    "bmm": _matmul,
    "clamp": _clamp,
    "div": _divide,
    "gelu": _gelu,
    "hardsigmoid": _plain(activations.HardSigmoid),
    "hardswish": _plain(activations.HardSwish),
    "hardtanh": _clamp,
    "layer_norm": _layer_norm,
    "leaky_relu": _leaky,
    "linear": _linear,
    "matmul": _matmul,
    "mm": _matmul,
    "mul": _multiply,
    "prelu": _parametric,
    "relu": _plain(activations.Relu),
    "relu6": _plain(activations.Relu6),
    "rsub": _subtract_from,
    "sigmoid": _plain(activations.Sigmoid),
    "silu": _silu,
    "softmax": _softmax,
    "sub": _subtract,
    "tanh": _plain(activations.Tanh),
}
