"""Buffers as one row of elements, for accesses at flat offsets."""

from __future__ import annotations

from math import prod

from xdsl.dialects import memref
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Block, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.analysis.nests.nest import memref_type_of, shape_of, strides_of


def flattened(buffer: SSAValue, rewriter: PatternRewriter) -> SSAValue:
    """The rank-1 view of a buffer, made where the buffer is when it is first asked for."""
    if len(shape_of(buffer)) == 1:
        return buffer
    kind = memref_type_of(buffer)
    total = prod(kind.get_shape()[:1]) * prod(strides_of(buffer)[:1])  # one item of rank 0
    flat = MemRefType(kind.element_type, [total], memory_space=kind.memory_space)
    for use in buffer.uses:
        view = use.operation
        if isinstance(view, memref.ReinterpretCastOp) and view.result.type == flat:
            return view.result
    view = memref.ReinterpretCastOp(buffer, [], [], [], [0], [total], [1], flat)
    view.result.name_hint = buffer.name_hint
    owner = buffer.owner
    place = InsertPoint.at_start(owner) if isinstance(owner, Block) else InsertPoint.after(owner)
    rewriter.insert(view, place)
    return view.result
