"""Activations and normalisations of ONNX."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vtac.models.layers import activations
from vtac.models.layers.normalisation import BatchNorm, LayerNorm, Softmax
from vtac.models.onnx_reader.building import Builder, Converter, refuse_shape
from vtac.models.onnx_reader.messages import Node


def _plain(layer: type[activations.Activation]) -> Converter:
    """A function without parameters."""

    def convert(builder: Builder, node: Node) -> None:
        builder.add(layer(builder.layer_name(node), (builder.value(node, 0),)), node.outputs[0])

    return convert


def _clip(builder: Builder, node: Node) -> None:
    """A clamp; relu6 where it keeps what is between 0 and 6."""
    low, high = (builder.parameters(node, place, what) for place, what in ((1, "low end"), (2, "high end")))
    ends = (-np.inf if low is None else float(low.item()), np.inf if high is None else float(high.item()))
    name, inputs = builder.layer_name(node), (builder.value(node, 0),)
    layer = activations.Relu6(name, inputs) if ends == (0, 6) else activations.Clamp(name, inputs, *ends)
    builder.add(layer, node.outputs[0])


def _leaky(builder: Builder, node: Node) -> None:
    slope = node.number("alpha", 0.01)
    builder.add(activations.LeakyRelu(builder.layer_name(node), (builder.value(node, 0),), slope), node.outputs[0])


def _parametric(builder: Builder, node: Node) -> None:
    """Slopes of one number, or (C, 1, 1) below an input of four dimensions."""
    slopes = builder.required(node, 1, "slopes")
    shape = builder.shape(node, 0)
    lead = shape[1] if len(shape) > 1 else 1
    aligned = (1,) * (len(shape) - slopes.ndim) + slopes.shape
    if slopes.size > 1 and (len(shape) < 2 or aligned != (1, lead, *[1] * (len(shape) - 2))):
        raise node.refuse(f"its slopes are {slopes.shape}", "one number, or one for each channel")
    layer = activations.ParametricRelu(builder.layer_name(node, 1), (builder.value(node, 0),), slopes.reshape(-1))
    builder.add(layer, node.outputs[0])


def _hard_sigmoid(builder: Builder, node: Node) -> None:
    slope, offset = node.number("alpha", 0.2), node.number("beta", 0.5)
    layer = activations.HardSigmoid(builder.layer_name(node), (builder.value(node, 0),), slope, offset)
    builder.add(layer, node.outputs[0])


def _gelu(builder: Builder, node: Node) -> None:
    near = node.text("approximate", "none") == "tanh"
    builder.add(activations.Gelu(builder.layer_name(node), (builder.value(node, 0),), near), node.outputs[0])


def _batch_norm(builder: Builder, node: Node) -> None:
    builder.require_single(node)
    if node.integer("training_mode", 0):
        raise node.refuse("it is in training mode", "statistics that do not change: export the model for inference")
    scale, shift, mean, variance = (
        builder.required(node, place, what) for place, what in enumerate(("scale", "shift", "mean", "variance"), 1)
    )
    inputs, epsilon = (builder.value(node, 0),), node.number("epsilon", 1e-5)
    layer = BatchNorm(builder.layer_name(node, 1), inputs, scale, shift, mean, variance, epsilon)
    builder.add(layer, node.outputs[0])


def _layer_norm(builder: Builder, node: Node) -> None:
    builder.require_single(node)
    scale, shift = builder.required(node, 1, "scale"), builder.parameters(node, 2, "shift")
    rank = len(builder.shape(node, 0))
    axis = node.integer("axis", -1) % rank
    if scale.ndim != rank - axis:
        raise refuse_shape(node, builder.shape(node, 0), f"a scale of {rank - axis} dimensions for axis {axis}")
    inputs, epsilon = (builder.value(node, 0),), node.number("epsilon", 1e-5)
    builder.add(LayerNorm(builder.layer_name(node, 1), inputs, scale, shift, epsilon), node.outputs[0])


def _softmax(builder: Builder, node: Node) -> None:
    layer = Softmax(builder.layer_name(node), (builder.value(node, 0),), node.integer("axis", -1))
    builder.add(layer, node.outputs[0])


CONVERTERS: Mapping[str, Converter] = {
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Erf": _plain(activations.Erf),
    "Gelu": _gelu,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _plain(activations.HardSwish),
    "LayerNormalization": _layer_norm,
    "LeakyRelu": _leaky,
    "PRelu": _parametric,
    "Relu": _plain(activations.Relu),
    "Sigmoid": _plain(activations.Sigmoid),
    "Softmax": _softmax,
    "Tanh": _plain(activations.Tanh),
}
