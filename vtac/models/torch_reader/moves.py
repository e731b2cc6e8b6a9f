"""Reshapes, transposes, slices and concatenations of PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from vtac.models.layers.views import Concat, Flatten, Reshape, Slice, Transpose
from vtac.models.torch_reader.building import Builder, Converter, integer, integers
from vtac.models.torch_reader.exported import Node


def _alias(builder: Builder, node: Node) -> None:
    """A node that changes nothing when a model is used."""
    builder.values[node.name] = builder.value(node)


def _reshape(builder: Builder, node: Node) -> None:
    """Whatever its arguments are, torch says which shape comes out."""
    before, after = builder.shape(node), node.shape
    if before == after:
        _alias(builder, node)
        return
    name, source = builder.name(node), (builder.value(node),)
    is_row = len(after) == 2 and len(before) > 2 and after[0] == before[0]
    builder.add(Flatten(name, source) if is_row else Reshape(name, source, after), node)


def _permute(builder: Builder, node: Node) -> None:
    rank = len(builder.shape(node))
    order = tuple(axis % rank for axis in integers(node, "dims"))
    builder.add(Transpose(builder.name(node), (builder.value(node),), order), node)


def _transpose(builder: Builder, node: Node) -> None:
    rank = len(builder.shape(node))
    first, second = integer(node, "dim0", 0) % rank, integer(node, "dim1", 1) % rank
    order = list(range(rank))
    order[first], order[second] = second, first
    builder.add(Transpose(builder.name(node), (builder.value(node),), tuple(order)), node)


def _concat(builder: Builder, node: Node) -> None:
    given = cast(tuple[object, ...], node.arguments["tensors"])
    inputs = tuple(builder.layer_of(node, one) for one in given)
    builder.add(Concat(builder.name(node), inputs, integer(node, "dim", 0)), node)


def _slice(builder: Builder, node: Node) -> None:
    shape = builder.shape(node)
    axis, step = integer(node, "dim", 0) % len(shape), integer(node, "step", 1)
    stop = node.arguments.get("end")
    taken = range(shape[axis])[integer(node, "start", 0) : None if stop is None else integer(node, "end", 0) : step]
    if len(taken) == shape[axis]:
        _alias(builder, node)
        return
    layer = Slice(builder.name(node), (builder.value(node),), axis, taken.start, taken.stop, step)
    builder.add(layer, node)


def _select(builder: Builder, node: Node) -> None:
    shape = builder.shape(node)
    axis = integer(node, "dim", 0) % len(shape)
    place = integer(node, "index", 0) % shape[axis]
    name = builder.name(node)
    value = builder.add(Slice(f"{name}.slice", (builder.value(node),), axis, place, place + 1))
    builder.add(Reshape(name, (value,), node.shape), node)


def _split(builder: Builder, node: Node) -> None:
    """A slice for each result."""
    shape = builder.shape(node)
    axis = integer(node, "dim", 0) % len(shape)
    sizes = integers(node, "split_sizes", integers(node, "split_size"))
    if len(sizes) == 1:
        sizes = tuple(min(sizes[0], shape[axis] - first) for first in range(0, shape[axis], sizes[0]))
    made: list[str] = []
    start = 0
    for size in sizes:
        layer = Slice(builder.name(node), (builder.value(node),), axis, start, start + size)
        made.append(builder.add(layer))
        start += size
    builder.several[node.name] = tuple(made)


def _chunk(builder: Builder, node: Node) -> None:
    shape = builder.shape(node)
    axis = integer(node, "dim", 0) % len(shape)
    each = -(-shape[axis] // integer(node, "chunks", 1))
    _split(builder, Node(node.op, node.name, {**node.arguments, "split_size": each}, node.path, node.shape))


CONVERTERS: Mapping[str, Converter] = {
    "_unsafe_view": _reshape,
    "alias": _alias,
    "cat": _concat,
    "chunk": _chunk,
    "clone": _alias,
    "contiguous": _alias,
    "detach": _alias,
    "dropout": _alias,
    "feature_dropout": _alias,
    "flatten": _reshape,
    "permute": _permute,
    "reshape": _reshape,
    "select": _select,
    "slice": _slice,
    "split": _split,
    "split_with_sizes": _split,
    "squeeze": _reshape,
    "t": _transpose,
    "transpose": _transpose,
    "unflatten": _reshape,
    "unsqueeze": _reshape,
    "view": _reshape,
}
