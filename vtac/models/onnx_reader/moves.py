"""Reshapes, transposes, slices, concatenations and means of ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from vtac.models.layer import Shape
from vtac.models.layers.pooling import GlobalAveragePool
from vtac.models.layers.views import Concat, Flatten, Reshape, Slice, Transpose
from vtac.models.onnx_reader.building import Builder, Converter, refuse_shape
from vtac.models.onnx_reader.messages import Node


def _alias(builder: Builder, node: Node) -> None:
    """A node that changes nothing when a model is used."""
    builder.alias(node)


def _cast(builder: Builder, node: Node) -> None:
    if node.integer("to", 0) != 1:
        raise node.refuse(f"it converts to type {node.integer('to', 0)}", "float32 (1)")
    builder.alias(node)


def _reshape(builder: Builder, node: Node) -> None:
    shape, target = builder.shape(node, 0), builder.integers(node, 1, "shape") or ()
    kept = not node.integer("allowzero", 0)
    if any(not extent and place >= len(shape) for place, extent in enumerate(target)):
        raise node.refuse(f"its shape is {target} for an input of {len(shape)} dimensions", "a 0 for one that exists")
    extents = tuple(shape[place] if kept and not extent else extent for place, extent in enumerate(target))
    _as(builder, node, extents)


def _squeeze(builder: Builder, node: Node) -> None:
    shape, axes = builder.shape(node, 0), builder.integers(node, 1, "axes")
    if axes is None:
        axes = tuple(place for place, extent in enumerate(shape) if extent == 1)
    gone = {axis % len(shape) for axis in axes}
    if any(shape[axis] != 1 for axis in gone):
        raise refuse_shape(node, shape, f"extents of 1 in dimensions {sorted(gone)}")
    _as(builder, node, tuple(extent for place, extent in enumerate(shape) if place not in gone))


def _unsqueeze(builder: Builder, node: Node) -> None:
    axes = builder.integers(node, 1, "axes") or ()
    rest = list(builder.shape(node, 0))
    for axis in sorted(axis % (len(rest) + len(axes)) for axis in axes):
        rest.insert(axis, 1)
    _as(builder, node, tuple(rest))


def _as(builder: Builder, node: Node, shape: Shape) -> None:
    builder.add(Reshape(builder.layer_name(node), (builder.value(node, 0),), shape), node.outputs[0])


def _flatten(builder: Builder, node: Node) -> None:
    layer = Flatten(builder.layer_name(node), (builder.value(node, 0),), node.integer("axis", 1))
    builder.add(layer, node.outputs[0])


def _transpose(builder: Builder, node: Node) -> None:
    turned = tuple(reversed(range(len(builder.shape(node, 0)))))
    layer = Transpose(builder.layer_name(node), (builder.value(node, 0),), node.integers("perm", turned))
    builder.add(layer, node.outputs[0])


def _concat(builder: Builder, node: Node) -> None:
    inputs = tuple(builder.value(node, place) for place in range(len(node.inputs)))
    builder.add(Concat(builder.layer_name(node), inputs, node.integer("axis", 0)), node.outputs[0])


def _slice(builder: Builder, node: Node) -> None:
    """One layer for each axis."""
    shape = builder.shape(node, 0)
    starts, stops = builder.integers(node, 1, "starts") or (), builder.integers(node, 2, "ends") or ()
    axes = builder.integers(node, 3, "axes") or tuple(range(len(starts)))
    steps = builder.integers(node, 4, "steps") or (1,) * len(starts)
    value = builder.value(node, 0)
    for place, (axis, start, stop, step) in enumerate(zip(axes, starts, stops, steps, strict=True)):
        if step < 1:
            raise node.refuse(f"its step is {step}", "1 or more")
        taken = range(shape[axis])[start:stop:step]
        output = node.outputs[0] if place == len(axes) - 1 else ""
        name = builder.layer_name(node)
        value = builder.add(Slice(name, (value,), axis % len(shape), taken.start, taken.stop, step), output)


def _split(builder: Builder, node: Node) -> None:
    """A slice for each output."""
    shape = builder.shape(node, 0)
    axis = node.integer("axis", 0) % len(shape)
    sizes = builder.integers(node, 1, "sizes")
    if sizes is None:
        each = -(-shape[axis] // len(node.outputs))
        sizes = tuple(min(each, shape[axis] - each * place) for place in range(len(node.outputs)))
    start = 0
    for size, output in zip(sizes, node.outputs, strict=True):
        layer = Slice(builder.layer_name(node), (builder.value(node, 0),), axis, start, start + size)
        builder.add(layer, output)
        start += size


def _mean(builder: Builder, node: Node) -> None:
    """The mean over some dimensions, which come to lie last, as rows and columns of images."""
    shape = builder.shape(node, 0)
    axes = builder.integers(node, 1, "axes") if builder.opset >= 18 else node.integers("axes", ())
    gone = sorted(axis % len(shape) for axis in axes or range(len(shape)))
    if 0 in gone or len(shape) < 2:
        raise refuse_shape(node, shape, f"a mean over other dimensions than the batch; found axes {axes}")
    name, value = builder.layer_name(node), builder.value(node, 0)
    kept = [dim for dim in range(len(shape)) if dim not in gone]
    if gone != list(range(len(kept), len(shape))):
        value = builder.add(Transpose(builder.free(f"{name}.turned"), (value,), (*kept, *gone)))
    image = (shape[0], prod(shape[dim] for dim in kept[1:]), prod(shape[dim] for dim in gone[:-1]), shape[gone[-1]])
    keeps = bool(node.integer("keepdims", 1))
    result = tuple(1 if dim in gone else shape[dim] for dim in range(len(shape)) if keeps or dim not in gone)
    if builder.shapes[value] != image:
        value = builder.add(Reshape(builder.free(f"{name}.image"), (value,), image))
    is_done = result == (*image[:2], 1, 1)
    value = builder.add(GlobalAveragePool(name, (value,)), node.outputs[0] if is_done else "")
    if not is_done:
        builder.add(Reshape(builder.free(f"{name}.flat"), (value,), result), node.outputs[0])


CONVERTERS: Mapping[str, Converter] = {
    "Cast": _cast,
    "Concat": _concat,
    "Dropout": _alias,
    "Flatten": _flatten,
    "Identity": _alias,
    "ReduceMean": _mean,
    "Reshape": _reshape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
