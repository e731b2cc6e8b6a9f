"""gpu-insert-barriers: __syncthreads wherever one thread's shared memory meets another's.

before: for step                          after: for step
          copy -> tile                             barrier   (the last step's readers are done)
          use tile                                 copy -> tile
                                                   barrier   (every writer is done)
                                                   use tile
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.gpu import BarrierOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.kernels.barriers import plan_barriers
from vtac.analysis.kernels.kernel_places import refuse_routines
from vtac.dialects.wmma.declared import KERNEL
from vtac.rewriting.walker import rewrite_once


@dataclass
class InsertBarrier(RewritePattern):
    """A barrier before a statement that the plan of its kernel names."""

    planned: Collection[Operation]

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if op in self.planned:
            rewriter.insert(BarrierOp(), InsertPoint.before(op))


@dataclass(frozen=True)
class GpuInsertBarriers(ModulePass):
    """Separate conflicting accesses to shared memory, also from one loop iteration to the next.

    Which barriers are missing depends on the whole kernel: `vtac.analysis.kernels.barriers` plans them, this inserts.

    requires: kernels (convert-loops-to-gpu) whose shared memory is accessed by loads, stores
              and warp operations.
    ensures:  between a write and an access of the same buffer by another statement every
              thread passes a barrier; under a condition only where a block's threads agree on it.
    declines: statements that need a barrier between them under a condition on thread indices
              or on data; kernels with routines.
    """

    name = "gpu-insert-barriers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            refuse_routines(kernel, self.name)
            rewrite_once(kernel, InsertBarrier(frozenset(plan_barriers(kernel))))
