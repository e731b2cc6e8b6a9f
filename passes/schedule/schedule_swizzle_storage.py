"""schedule-swizzle-storage: buffers that are to be swizzled know the pitch of their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import FixedBitwidthType, ModuleOp
from xdsl.dialects.memref import AllocOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import buffer_name, element_type_of, shape_of, strides_of
from vtac.dialects.mma.declared import LAYOUT, PANELS, SWIZZLE
from vtac.dialects.mma.shared_layouts import SharedLayout
from vtac.errors import CompileError
from vtac.rewriting.walker import rewrite_once


class SwizzleStorage(RewritePattern):
    """An allocation with a wanted swizzle -> one with a layout, which its pitch is a part of."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp, rewriter: PatternRewriter) -> None:
        swizzle = SWIZZLE.remove(op)
        if swizzle is None:
            return
        width = cast("FixedBitwidthType", element_type_of(op.memref)).size
        shape, strides = shape_of(op.memref), strides_of(op.memref)
        pitch, size = strides[-2] * width, shape[0] * strides[0] * width
        panelled = PANELS.remove(op) is not None and pitch > swizzle
        layout = SharedLayout(pitch, swizzle, size // pitch if panelled else 0)
        problem = layout.problem()
        if not problem and size % layout.period:
            problem = (
                f"{size:,} bytes; the orders of its chunks begin anew every {layout.period}, so that must divide it"
            )
        if problem:
            raise CompileError(
                f"swizzle of '{buffer_name(op.memref)}', {'x'.join(map(str, shape))} {element_type_of(op.memref)}: "
                f"{problem}",
                location_of(op),
            )
        LAYOUT.set(op, layout)
        rewriter.notify_op_modified(op)


@dataclass(frozen=True)
class ScheduleSwizzleStorage(ModulePass):
    """Turn `swizzle` attributes into layouts.

    requires: compacted buffers with their strides.
    ensures:  swizzled buffers have an `mma.layout` with the pitch of their rows, and whole periods of it.
    declines: rows that are no multiple of the bytes that change places, and buffers of parts of a period.
    """

    name = "schedule-swizzle-storage"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, SwizzleStorage())
