"""gpu-name-values: what a reader of a kernel's text needs to know of it: names from roles, and what each part does.

before: %i0_i1_outer_fused_outer_6            after: %row, %column, %step, %stage, %lane, %warp_row, %sums
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import gpu, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.kernels.index_roles import value_names
from vtac.analysis.kernels.warp_operations import PRODUCTS
from vtac.dialects import mma
from vtac.dialects.wgmma import MmaAsyncOp
from vtac.dialects.wmma import (
    AsyncCommitOp,
    AsyncWaitOp,
    FillFragmentOp,
    FragmentsOp,
    RoutineOp,
    StoreMatrixSyncOp,
)
from vtac.dialects.wmma.declared import COMMENT, KERNEL
from vtac.rewriting.walker import rewrite_once

_SECTIONS: Sequence[tuple[str, tuple[type[Operation], ...]]] = (
    ("Main loop: wait for the step's copies, begin those of a later step, multiply.", (AsyncWaitOp,)),
    ("Prologue: begin the copies of the first steps.", (AsyncCommitOp,)),
    ("Main loop: bring in the operands' tiles, multiply.", (*PRODUCTS, MmaAsyncOp)),
    ("Epilogue: the results.", (StoreMatrixSyncOp, mma.ExtractOp)),
    ("All sums start from one number.", (FillFragmentOp, mma.FillOp)),
    ("Begin the copies of one step.", (RoutineOp,)),
)
"""What a statement does that holds such an operation; the first that fits."""


@dataclass
class NameValues(RewritePattern):
    """Loops, indices of the launch and arrays of fragments have names from their roles."""

    names: Mapping[SSAValue, str]

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self,
        op: scf.ForOp | RoutineOp | FragmentsOp | mma.TilesOp | gpu.BlockIdOp | gpu.ThreadIdOp,
        rewriter: PatternRewriter,
    ) -> None:
        for value in op.body.block.args if isinstance(op, scf.ForOp | RoutineOp) else op.results:
            name = self.names.get(value)
            if name is not None and value.name_hint != name:
                value.name_hint = name
                rewriter.notify_op_modified(op)


class CommentPart(RewritePattern):
    """A statement of a kernel that does something else than the one before says what."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: scf.ForOp | scf.IfOp | RoutineOp, rewriter: PatternRewriter) -> None:
        text = _section(op) if isinstance(op.parent_op(), FuncOp) else None
        if text is None or COMMENT.get(op) == text or text == _section_before(op):
            return
        COMMENT.set(op, text)
        rewriter.notify_op_modified(op)


def _section(statement: Operation) -> str | None:
    inside = {type(op) for op in statement.walk()}
    return next((text for text, kinds in _SECTIONS if inside & set(kinds)), None)


def _section_before(statement: Operation) -> str | None:
    """What the last statement before one does of which it is known."""
    before = statement.prev_op
    while before is not None:
        if isinstance(before, scf.ForOp | scf.IfOp | RoutineOp) and (text := _section(before)) is not None:
            return text
        before = before.prev_op
    return None


@dataclass(frozen=True)
class GpuNameValues(ModulePass):
    """Name values by what they are for, and say what each part of a kernel does.

    `vtac.analysis.kernels.index_roles` plans the names, from the whole kernel.

    requires: kernels (convert-loops-to-gpu) whose loops are scf.for.
    ensures:  loops, indices of the launch and fragments are named after their roles; statements of the kernel that
              begin a part of it have a `wmma.comment`. Nothing that is computed changes.
    declines: nothing.
    """

    name = "gpu-name-values"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            rewrite_once(kernel, NameValues(value_names(kernel)))
            rewrite_once(kernel, CommentPart())
