"""gpu-name-values: what a reader of a kernel's text needs to know of it: names from roles, and what each part does.

before: %i0_i1_outer_fused_outer_6            after: %row, %column, %step, %stage, %lane, %warp_row, %sums
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from vtac.analysis.index_roles import value_names
from vtac.dialects.wmma import AsyncCommitOp, AsyncWaitOp, FillFragmentOp, MmaSyncOp, StoreMatrixSyncOp
from vtac.dialects.wmma.declared import COMMENT, KERNEL

_SECTIONS: Sequence[tuple[str, tuple[type[Operation], ...]]] = (
    ("Main loop: wait for the step's copies, begin those of a later step, multiply.", (AsyncWaitOp,)),
    ("Prologue: begin the copies of the first steps.", (AsyncCommitOp,)),
    ("Main loop: bring in the operands' tiles, multiply.", (MmaSyncOp,)),
    ("Epilogue: the results.", (StoreMatrixSyncOp,)),
    ("All sums start from one number.", (FillFragmentOp,)),
)
"""What a statement does that holds such an operation; the first that fits."""


def _section(statement: Operation) -> str | None:
    inside = {type(op) for op in statement.walk()}
    return next((text for text, kinds in _SECTIONS if inside & set(kinds)), None)


def _comment(kernel: FuncOp) -> None:
    """Say of each statement of a kernel what it does, where it does something else than the one before."""
    last: str | None = None
    for statement in kernel.body.block.ops:
        if isinstance(statement, arith.ConstantOp) or not isinstance(statement, scf.ForOp | scf.IfOp):
            continue
        text = _section(statement)
        if text is not None and text != last:
            COMMENT.set(statement, text)
        last = text or last


@dataclass(frozen=True)
class GpuNameValues(ModulePass):
    """Name values by what they are for, and say what each part of a kernel does.

    A plan for the whole kernel: `vtac.analysis.index_roles` makes it, this writes names and comments.

    requires: kernels (convert-loops-to-gpu) whose loops are scf.for.
    ensures:  loops, indices of the launch and fragments are named after their roles; statements of the kernel that
              begin a part of it have a `wmma.comment`. Nothing that is computed changes.
    declines: nothing.
    """

    name = "gpu-name-values"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            for value, name in value_names(kernel).items():
                value.name_hint = name
            _comment(kernel)
