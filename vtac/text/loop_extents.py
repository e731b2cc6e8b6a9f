"""Extents of a structured operation's operands that contradict one another, by the names of the operands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.ir.affine import AffineDimExpr
from xdsl.utils.hints import isa

if TYPE_CHECKING:
    from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation


def contradiction(operation: LinalgStructuredOperation) -> str:
    """The first two dimensions that one loop runs over and that differ; empty for none."""
    seen: dict[int, tuple[int, str]] = {}
    maps = [attribute.data for attribute in operation.get_indexing_maps()]
    for number, (value, indices) in enumerate(zip(operation.operands, maps, strict=False)):
        if not isa(value.type, TensorType[Attribute]) or len(indices.results) != len(value.type.get_shape()):
            continue
        for place, (index, extent) in enumerate(zip(indices.results, value.type.get_shape(), strict=True)):
            if not isinstance(index, AffineDimExpr) or extent < 0:
                continue
            said = f"dimension {place} of {_named(value, number)}"
            other, before = seen.setdefault(index.position, (extent, said))
            if other != extent:
                return f"{said} is {extent}, {before} is {other}: one loop runs over both, and they have to be equal"
    return ""


def _named(value: SSAValue, number: int) -> str:
    return f"{f'%{value.name_hint}' if value.name_hint else f'operand {number}'} ({value.type})"
