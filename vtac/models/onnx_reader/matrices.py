"""Products and sums of ONNX, by constants and of computed values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vtac.models.layer import Array
from vtac.models.layers.elementwise import Add, Affine, Multiply
from vtac.models.layers.products import Linear, MatMul
from vtac.models.onnx_reader.building import Builder, Converter
from vtac.models.onnx_reader.messages import Node


def _gemm(builder: Builder, node: Node) -> None:
    """alpha * A B + beta * C, where B and C are constants: a linear layer."""
    if node.integer("transA", 0):
        raise node.refuse("it transposes its first input", "transA = 0")
    weights = builder.required(node, 1, "weights") * np.float32(node.number("alpha", 1))
    bias = builder.parameters(node, 2, "bias")
    turned = weights if node.integer("transB", 0) else np.ascontiguousarray(weights.T)
    if bias is not None:
        spread = bias * np.float32(node.number("beta", 1))
        if spread.size not in (1, turned.shape[0]):
            raise node.refuse(f"its bias is {bias.shape}", f"a number for each of {turned.shape[0]} features")
        bias = np.broadcast_to(spread.ravel(), (turned.shape[0],)).copy()
    builder.add(Linear(builder.layer_name(node, 1), (builder.value(node, 0),), turned, bias), node.outputs[0])


def _matmul(builder: Builder, node: Node) -> None:
    """A linear layer where the second is a constant matrix."""
    if node.inputs[1] not in builder.constants:
        layer = MatMul(builder.layer_name(node), (builder.value(node, 0), builder.value(node, 1)))
        builder.add(layer, node.outputs[0])
        return
    weights = builder.required(node, 1, "weights")
    if weights.ndim != 2:
        raise node.refuse(f"its weights are {weights.shape}", "2 dimensions")
    turned = np.ascontiguousarray(weights.T)
    builder.add(Linear(builder.layer_name(node, 1), (builder.value(node, 0),), turned), node.outputs[0])


def _operand(builder: Builder, node: Node) -> tuple[int, Array] | None:
    """Which of two inputs is computed, and the other one, where that is a constant."""
    fixed = [place for place in (0, 1) if node.inputs[place] in builder.constants]
    return (1 - fixed[0], builder.required(node, fixed[0], "constant")) if fixed else None


def _add(builder: Builder, node: Node) -> None:
    found = _operand(builder, node)
    if found is None:
        _both(builder, node, Add)
    else:
        _affine(builder, node, found[0], np.ones(1, np.float32), found[1])


def _subtract(builder: Builder, node: Node) -> None:
    """A constant taken away, or taken away from; of two computed values the second one is turned first."""
    found = _operand(builder, node)
    if found is None:
        name, minus = builder.layer_name(node), np.full(1, -1, np.float32)
        turned = Affine(builder.free(f"{name}.turned"), (builder.value(node, 1),), minus, np.zeros(1, np.float32))
        builder.add(Add(name, (builder.value(node, 0), builder.add(turned))), node.outputs[0])
        return
    computed, number = found
    sign = np.float32(1 if computed == 0 else -1)
    _affine(builder, node, computed, np.full(1, sign, np.float32), number * -sign)


def _multiply(builder: Builder, node: Node) -> None:
    found = _operand(builder, node)
    if found is None:
        _both(builder, node, Multiply)
    else:
        _affine(builder, node, found[0], found[1], np.zeros(1, np.float32))


def _divide(builder: Builder, node: Node) -> None:
    """Division by a constant, as multiplication by what float32 holds of its reciprocal."""
    found = _operand(builder, node)
    if found is None or found[0] != 0 or not found[1].all():
        raise node.refuse("its divisor is computed or zero", "a constant divisor without zeros")
    _affine(builder, node, 0, (1 / found[1].astype(np.float64)).astype(np.float32), np.zeros(1, np.float32))


def _both(builder: Builder, node: Node, layer: type[Add] | type[Multiply]) -> None:
    inputs = (builder.value(node, 0), builder.value(node, 1))
    builder.add(layer(builder.layer_name(node), inputs), node.outputs[0])


def _affine(builder: Builder, node: Node, computed: int, factor: Array, offset: Array) -> None:
    layer = Affine(builder.layer_name(node), (builder.value(node, computed),), factor, offset)
    builder.add(layer, node.outputs[0])


CONVERTERS: Mapping[str, Converter] = {
    "Add": _add,
    "Div": _divide,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Mul": _multiply,
    "Sub": _subtract,
}
