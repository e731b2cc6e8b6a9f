"""schedule-align-storage: give buffers the pitch that storage_align asked for."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import MemRefType, ModuleOp, StridedLayoutAttr
from xdsl.dialects.memref import AllocOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.nests.nest import memref_type_of, strides_of
from vtac.dialects.schedule.declared import STORAGE_ALIGN
from vtac.rewriting.walker import rewrite_once


class AlignStorage(RewritePattern):
    """One allocation with a wanted pitch: dimension, factor and offset, in elements."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp, rewriter: PatternRewriter) -> None:
        wanted = STORAGE_ALIGN.remove(op)
        if wanted is None:
            return
        dimension, factor, offset = wanted
        kind = memref_type_of(op.memref)
        shape, strides = kind.get_shape(), list(strides_of(op.memref))
        strides[dimension] += (offset - strides[dimension]) % factor
        for outer in range(dimension - 1, -1, -1):
            strides[outer] = strides[outer + 1] * shape[outer + 1]
        layout = StridedLayoutAttr(strides, 0)
        rewriter.replace_value_with_new_type(op.memref, MemRefType(kind.element_type, shape, layout, kind.memory_space))


@dataclass(frozen=True)
class ScheduleAlignStorage(ModulePass):
    """Turn `storage_align` attributes into strided memref layouts.

    requires: compacted buffers.
    ensures:  the stride of the dimension is congruent to the offset; outer strides follow.
    declines: nothing.
    """

    name = "schedule-align-storage"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, AlignStorage())
