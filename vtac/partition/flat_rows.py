"""Elementwise expressions of other ranks than 2 and 4, as rows of their last dimension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import cast

from vtac.dialects.packing import ReshapeOp
from vtac.partition.alu_trees import DeclineError
from vtac.partition.expressions import Element, Expression, elements, substituted
from vtac.partition.graph import accumulators
from vtac.partition.operands import Tensors
from vtac.partition.stored import Stored, tensor_type


def store_as_rows(expression: Expression, shape: Sequence[int], name: str, tensors: Tensors) -> Stored:
    """The tensor of an expression without products. Raises `DeclineError` for operands that do not lie alike."""
    if accumulators(expression):
        raise DeclineError(f"its result has rank {len(shape)}; products give 2 and convolutions 4 dimensions")
    if all(len(element.dims) < len(shape) for element in elements(expression)):
        raise DeclineError("none of its operands has all dimensions of its result")
    config = tensors.config
    lanes = shape[-1] if shape else 1
    rows = prod(shape[:-1])
    if len(shape) == 1 and lanes % (config.batch * config.block_out) == 0:
        rows, lanes = config.batch, lanes // config.batch
    flat = {element: _flattened(element, len(shape), (rows, lanes), tensors) for element in elements(expression)}
    whole = substituted(expression, lambda part: flat.get(part) if isinstance(part, Element) else None)
    plain = tensors.plain_value(tensors.store(whole, (rows, lanes), name))
    kind = tensor_type(expression.kind, shape)
    result = Stored(kind, name)
    result.plain = tensors.host.add(ReshapeOp(operands=[plain], result_types=[kind]), name)
    return result


def _flattened(element: Element, rank: int, rows: tuple[int, int], tensors: Tensors) -> Element:
    """An operand of a shape of some rank as an operand of the rows."""
    stored = cast(Stored, element.source)
    if element.steps or element.dims not in (tuple(range(rank)), (rank - 1,), ()):
        raise DeclineError(f"operands of rank {rank} are read in different orders")
    if len(element.dims) < rank:
        return replace(element, dims=(1,) if element.dims else ())
    kind = tensor_type(stored.kind.get_element_type(), rows)
    key = ("flat", rows)
    if key not in stored.spread:
        op = ReshapeOp(operands=[tensors.plain_value(stored)], result_types=[kind])
        stored.spread[key] = tensors.host.add(op, stored.name)
    return replace(element, source=Stored(kind, stored.name, None, stored.spread[key]), dims=(0, 1))
