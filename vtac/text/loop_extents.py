"""Extents of a structured operation's operands that contradict one another, by the names of the operands."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.ir.affine import AffineDimExpr

if TYPE_CHECKING:
    from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation


def contradiction(operation: LinalgStructuredOperation) -> str:
    """The first two dimensions that one loop runs over and that differ; empty for none."""
    seen: dict[int, tuple[int, tuple[int, SSAValue, int]]] = {}
    maps = [attribute.data for attribute in operation.get_indexing_maps()]
    for number, (value, indices) in enumerate(zip(operation.operands, maps, strict=False)):
        if not isinstance(value.type, TensorType):
            continue
        shape = cast("TensorType[Attribute]", value.type).get_shape()
        if len(indices.results) != len(shape):
            continue
        for place, (index, extent) in enumerate(zip(indices.results, shape, strict=True)):
            if not isinstance(index, AffineDimExpr) or extent < 0:
                continue
            other, before = seen.setdefault(index.position, (extent, (place, value, number)))
            if other != extent:
                return (
                    f"{_side(place, value, number)} is {extent}, {_side(*before)} is {other}: one loop runs over both, "
                    "and they have to be equal"
                )
    return ""


def _side(place: int, value: SSAValue, number: int) -> str:
    return f"dimension {place} of {_named(value, number)}"


def _named(value: SSAValue, number: int) -> str:
    return f"{f'%{value.name_hint}' if value.name_hint else f'operand {number}'} ({value.type})"
