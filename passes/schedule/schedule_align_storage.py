"""schedule-align-storage: give buffers the pitch that storage_align asked for."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import MemRefType, ModuleOp, StridedLayoutAttr
from xdsl.dialects.memref import AllocOp
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from vtac.analysis.nest import memref_type_of, strides_of
from vtac.dialects.schedule.declared import STORAGE_ALIGN


@dataclass(frozen=True)
class ScheduleAlignStorage(ModulePass):
    """Turn `storage_align` attributes into strided memref layouts.

    requires: compacted buffers.
    ensures:  the stride of the dimension is congruent to the offset; outer strides follow.
    declines: nothing.
    """

    name = "schedule-align-storage"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for allocation in [inner for inner in op.walk() if isinstance(inner, AllocOp)]:
            wanted = STORAGE_ALIGN.remove(allocation)
            if wanted is not None:
                _align(allocation, *wanted)


def _align(allocation: AllocOp, dimension: int, factor: int, offset: int) -> None:
    buffer = allocation.memref
    kind = memref_type_of(buffer)
    strides = list(strides_of(buffer))
    extra = (offset - strides[dimension]) % factor
    strides[dimension] += extra
    for outer in range(dimension - 1, -1, -1):
        strides[outer] = strides[outer + 1] * kind.get_shape()[outer + 1]
    layout = StridedLayoutAttr(strides, 0)
    Rewriter.replace_value_with_new_type(
        buffer, MemRefType(kind.element_type, kind.get_shape(), layout, kind.memory_space)
    )
