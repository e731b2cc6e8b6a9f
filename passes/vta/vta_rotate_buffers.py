"""vta-rotate-buffers: copies of on-chip buffers that loop iterations use in turn.

before: for o < 3: for k < 4              after: for o < 3: for k < 4
          load a                                   %t = (k + 4 * o) mod 2
          gemm a                                   load a + %t * size
                                                   gemm captures(%t) a + %t * size
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, IntegerAttr, MemRefType, ModuleOp, i64
from xdsl.dialects.memref import AllocOp
from xdsl.ir.affine import AffineConstantExpr, AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from vtac.analysis.locations import location_of
from vtac.analysis.nest import buffer_name, enclosing_loops, shape_of
from vtac.dialects.vta.attributes import COPIES
from vtac.dialects.vta.kernels import KernelOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.errors import CompileError
from vtac.passes.vta.schedule_inject_virtual_threads import THREADS, address_copy


@dataclass(frozen=True)
class VtaRotateBuffers(ModulePass):
    """Give each buffer marked `vta.copies` its copies, numbered by the iteration modulo their count.

    Iterations are counted over all loops around the allocation, so that turns go on where an
    outer loop moves; more copies than iterations are not made.

    requires: every user of the buffer is a vta op; virtual threads injected.
    ensures:  marked buffers have a leading dimension of copies and bear `vta.threads`, so
              that no other buffer shares their space.
    declines: users that are no vta ops.
    """

    name = "vta-rotate-buffers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for allocation in [inner for inner in op.walk() if isinstance(inner, AllocOp) and COPIES in inner.attributes]:
            _rotate(allocation)


def _rotate(allocation: AllocOp) -> None:
    buffer = allocation.memref
    users = list(dict.fromkeys(use.operation for use in buffer.uses))
    for user in users:
        if not isinstance(user, KernelOp | Load2DOp | Store2DOp):
            raise CompileError(
                f"vta-rotate-buffers: '{buffer_name(buffer)}' is used by {user.name}; only vta operations can use a "
                "buffer with copies: run the conversions to vta first",
                location_of(user),
            )
    loops = [loop for loop in enclosing_loops(allocation) if loop.trip_count > 1]
    wanted = allocation.attributes.pop(COPIES)
    copies = min(wanted.value.data if isinstance(wanted, IntegerAttr) else 1, prod(loop.trip_count for loop in loops))
    known = allocation.attributes.get(THREADS)
    threads = known.value.data if isinstance(known, IntegerAttr) else 1
    allocation.attributes[THREADS] = IntegerAttr(threads * copies, i64)
    if copies < 2 or allocation.parent is None:
        return
    turn: AffineExpr = AffineConstantExpr(0)
    inner = 1
    for position, loop in reversed(list(enumerate(loops))):
        turn = turn + AffineExpr.dimension(position) * (inner % copies)
        inner *= loop.trip_count
    count = AffineMapAttr(AffineMap(len(loops), 0, (turn % copies,)))
    apply = ApplyOp([loop.induction_variable for loop in loops], count)
    allocation.parent.insert_op_before(apply, allocation)
    shape = shape_of(buffer)
    for user in users:
        address_copy(user, buffer, apply.result, copies, prod(shape[:-2]))
    kind = buffer.type
    Rewriter.replace_value_with_new_type(
        buffer, MemRefType(kind.element_type, (copies, *shape), memory_space=kind.memory_space)
    )
