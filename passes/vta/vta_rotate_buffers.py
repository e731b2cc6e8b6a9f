"""vta-rotate-buffers: copies of on-chip buffers that loop iterations use in turn.

before: for o < 3: for k < 4              after: for o < 3: for k < 4
          load a                                   %t = (k + 4 * o) mod 2
          gemm a                                   load a + %t * size
                                                   gemm captures(%t) a + %t * size
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir.affine import AffineConstantExpr, AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import buffer_name, enclosing_loops
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.vta.declared import COPIES, TURNS
from vtac.dialects.vta.kernels import KernelOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.errors import CompileError
from vtac.rewriting.buffer_copies import make_copies, users_of
from vtac.rewriting.index_values import apply_map
from vtac.rewriting.walker import rewrite_once


class RotateBuffer(RewritePattern):
    """An allocation marked `vta.copies` becomes one of so many copies, and its users address one by turn."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp, rewriter: PatternRewriter) -> None:
        wanted = COPIES.get(op)
        if wanted is None:
            return
        _check_users(op)
        loops = [loop for loop in enclosing_loops(op) if loop.trip_count > 1]
        iterations = prod(loop.trip_count for loop in loops)
        copies = min(wanted, iterations)
        COPIES.remove(op)
        TURNS.set(op, copies)
        rewriter.notify_op_modified(op)
        if copies < 2:
            return
        turn = apply_map([loop.induction_variable for loop in loops], turn_map(loops, copies))
        rewriter.insert(turn)
        make_copies(op, turn.result, copies, rewriter)


def turn_map(loops: Sequence[ForOp], copies: int) -> AffineMap:
    """Which copy an iteration uses: its number in program order over all loops, modulo the copies.

    With loops o < 3 and k < 5 and two copies the number is 5 * o + k, and 5 counts as 1: (o + k) mod 2.
    """
    turn: AffineExpr = AffineConstantExpr(0)
    inner = 1
    for position, loop in reversed(list(enumerate(loops))):
        turn = turn + AffineExpr.dimension(position) * (inner % copies)
        inner *= loop.trip_count
    return AffineMap(len(loops), 0, (turn % copies,))


def _check_users(allocation: AllocOp) -> None:
    for user in users_of(allocation.memref):
        if not isinstance(user, KernelOp | Load2DOp | Store2DOp):
            raise CompileError(
                f"vta-rotate-buffers: '{buffer_name(allocation.memref)}' is used by {user.name}; only vta operations "
                "can use a buffer with copies: run the conversions to vta first",
                location_of(user),
            )


@dataclass(frozen=True)
class VtaRotateBuffers(ModulePass):
    """Give each buffer marked `vta.copies` its copies, numbered by the iteration modulo their count.

    Iterations are counted over all loops around the allocation, so that turns go on where an
    outer loop moves; more copies than iterations are not made.

    requires: every user of the buffer is a vta op; virtual threads injected.
    ensures:  marked buffers have a leading dimension of copies and bear `vta.turns`, so
              that no other buffer shares their space.
    declines: users that are no vta ops.
    """

    name = "vta-rotate-buffers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, RotateBuffer())
