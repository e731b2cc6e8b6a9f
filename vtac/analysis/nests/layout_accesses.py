"""packing.pack and packing.unpack as blocks: how their loops, which run over the packed tensor, reach the plain one.

pack:   packed(n, c, i, j) = plain(4 n + i, 16 c + j), 0 where that lies outside
unpack: plain(4 n + i, 16 c + j) = packed(n, c, i, j), where that lies inside
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import FloatAttr, IntegerAttr, IntegerType, Signedness
from xdsl.ir import Attribute
from xdsl.ir.affine import AffineExpr, AffineMap

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.dialects.packing.layout import PackOp, UnpackOp
from vtac.dialects.schedule.attributes import Number
from vtac.errors import CompileError


def plain_indices(op: PackOp | UnpackOp) -> AffineMap:
    """Indices of the plain tensor from those of the packed one."""
    dims, tiles, order = op.layout()
    rank = len(order)
    results: list[AffineExpr] = []
    for dimension in range(rank):
        outer: AffineExpr = AffineExpr.dimension(order.index(dimension))
        if dimension in dims:
            position = dims.index(dimension)
            outer = outer * tiles[position] + AffineExpr.dimension(rank + position)
        results.append(outer)
    return AffineMap(rank + len(dims), 0, tuple(results))


def fills(op: PackOp | UnpackOp) -> bool:
    """Whether the last tile of some dimension is incomplete."""
    dims, tiles, _ = op.layout()
    shape = _plain_shape(op)
    return any(shape[dimension] % tile for dimension, tile in zip(dims, tiles, strict=True))


def inside_guards(op: UnpackOp, loops: Sequence[Linear]) -> list[Linear]:
    """What must not be negative for an element of the packed tensor to exist in the plain one."""
    dims, tiles, order = op.layout()
    guards: list[Linear] = []
    for position, (dimension, tile) in enumerate(zip(dims, tiles, strict=True)):
        extent = _plain_shape(op)[dimension]
        if extent % tile:
            index = loops[order.index(dimension)] * tile + loops[len(order) + position]
            guards.append(Linear(extent - 1) - index)
    return guards


def zero_of(op: PackOp) -> Number:
    """What fills incomplete tiles. Raises `CompileError` for a type that has no zero."""
    element: Attribute = op.result_type.element_type
    if isinstance(element, IntegerType):
        return IntegerAttr(0, cast("IntegerType[int, Signedness]", element))
    if str(element) in ("f16", "bf16", "f32", "f64"):
        return FloatAttr(0.0, element)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]
    raise CompileError(f"packing.pack: incomplete tiles of {element} cannot be filled with zeros", location_of(op))


def _plain_shape(op: PackOp | UnpackOp) -> Sequence[int]:
    return (op.source_type if isinstance(op, PackOp) else op.result_type).get_shape()
