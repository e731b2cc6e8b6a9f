"""`from_onnx`: the nodes of a file, one after the other, become layers or constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vtac.errors import ModelError
from vtac.models.layer import Shape
from vtac.models.model import Model
from vtac.models.onnx_reader import functions, images, matrices, moves, quantised
from vtac.models.onnx_reader.building import Builder, Converter
from vtac.models.onnx_reader.messages import Dimension, Node, OnnxGraph, fold_node, load_graph

OPSETS = range(13, 25)
CONVERTERS: Mapping[str, Converter] = {
    **functions.CONVERTERS,
    **images.CONVERTERS,
    **matrices.CONVERTERS,
    **moves.CONVERTERS,
    **quantised.CONVERTERS,
}
"""The layers that each operator becomes."""


def from_onnx(
    source: str | Path | bytes, *, batch: int = 1, shapes: Mapping[str, Sequence[int]] | None = None
) -> Model:
    """A model of opsets 13 to 24, from a file or its bytes: of floats, or quantised (QDQ, QLinear).

    `batch` is the first extent of every input that leaves it open; `shapes` gives whole inputs by
    name. A quantised model computes with the floats that its integers stand for; `quantize` keeps
    the scales of its values. Layers are called as their weights are (`layer2.0.conv1.weight`), else as their nodes.
    Raises ModelError for files that cannot be read, for operators that no layer is for (all at
    once) and for layers that do not fit, ToolMissingError without the package `onnx`.
    """
    graph = load_graph(source)
    if graph.opset not in OPSETS:
        raise ModelError(
            f"model '{graph.name}' is of opset {graph.opset}; {OPSETS[0]} to {OPSETS[-1]} can be read: "
            "convert it with onnx.version_converter"
        )
    _require_known(graph)
    foreign = sorted(set(shapes or {}) - set(graph.inputs))
    if foreign:
        named = ", ".join(f"{name} ({_text(extents)})" for name, extents in graph.inputs.items())
        raise ModelError(f"a shape is given for '{foreign[0]}'; model '{graph.name}' has inputs {named}")
    inputs = {name: _input_shape(name, extents, batch, shapes or {}) for name, extents in graph.inputs.items()}
    builder = Builder(graph.name, graph.opset, inputs, graph.constants)
    for node in graph.nodes:
        _read(builder, node)
    return builder.model(graph.outputs)


def _read(builder: Builder, node: Node) -> None:
    """A node as a constant, where it reads constants only, else as layers."""
    if node.op == "Shape" and node.inputs[0] not in builder.constants:
        shape = builder.shape(node, 0)
        start, end = node.integer("start", 0), node.integer("end", len(shape))
        builder.constants[node.outputs[0]] = np.array(shape[start:end], np.int64)
        return
    given = {name: builder.constants[name] for name in node.inputs if name in builder.constants}
    if all(name in given for name in node.inputs if name):
        if node.op in ("DequantizeLinear", "QuantizeLinear"):
            builder.constants[node.outputs[0]] = quantised.fold_constant(node, given)
            return
        found = fold_node(node, given, builder.opset)
        builder.constants.update(zip(filter(None, node.outputs), found, strict=True))
        return
    CONVERTERS[node.op](builder, node)


def _require_known(graph: OnnxGraph) -> None:
    """Refuse, all at once, operators that no layer is for; those that compute constants may be any."""
    computed = set(graph.inputs)
    unknown: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.op == "Shape" or not computed & set(node.inputs):
            continue
        computed |= set(node.outputs)
        if node.op not in CONVERTERS:
            unknown.setdefault(node.op, []).append(node.name)
    if unknown:
        counted = "; ".join(f"{op} ({len(names)} times, first '{names[0]}')" for op, names in sorted(unknown.items()))
        raise ModelError(f"model '{graph.name}' uses operators that no layer is for: {counted}")


def _input_shape(name: str, extents: Sequence[Dimension], batch: int, shapes: Mapping[str, Sequence[int]]) -> Shape:
    """The shape of an input, where the file or the caller says all of it."""
    if name in shapes:
        given = tuple(shapes[name])
        fits = len(given) == len(extents) and all(
            isinstance(own, str) or own == extent for own, extent in zip(extents, given, strict=False)
        )
        if not fits:
            raise ModelError(f"input '{name}' is {_text(extents)} in the file; the shape {_text(given)} was given")
        return given
    known = [batch if isinstance(extent, str) and not place else extent for place, extent in enumerate(extents)]
    found = tuple(extent for extent in known if isinstance(extent, int))
    if len(found) != len(known) or not known:
        raise ModelError(
            f"input '{name}' is {_text(extents)} in the file; all extents but the first have to be known: "
            f"pass shapes={{'{name}': (...)}}"
        )
    return found


def _text(extents: Sequence[Dimension]) -> str:
    return "x".join(map(str, extents)) or "a scalar"
