"""gpu-outline-copies: copies that a pipeline begins in front of its loop and in it are one routine, called twice.

before: for stage < 2: copy(x[stage * 8] -> slot stage)      after: copies(slot, step) = copy(x[step * 8] -> slot)
        for step < n                                                for stage < 2: copies(stage, stage)
          copy(x[step * 8 + 16] -> slot (step + 2) % 3)             for step < n: copies((step + 2) % 3, step + 2)
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.transforms.dead_code_elimination import dce

from vtac.analysis.kernels.kernel_places import OpenValues
from vtac.analysis.kernels.kernel_values import KernelValues
from vtac.analysis.kernels.repeated_copies import repeated_copies
from vtac.dialects.wmma.declared import KERNEL
from vtac.rewriting.copy_routine import CopyRoutine
from vtac.rewriting.walker import rewrite_once


@dataclass
class OutlineCopies(RewritePattern):
    """A pipelined loop whose copies are in front of it too -> a routine, and two calls."""

    values: KernelValues

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: scf.ForOp, rewriter: PatternRewriter) -> None:
        found = repeated_copies(op, self.values)
        if found is None:
            return
        CopyRoutine(found, self.values, rewriter).outline()


@dataclass(frozen=True)
class GpuOutlineCopies(ModulePass):
    """Write copies that a kernel begins at two places once.

    `vtac.analysis.kernels.repeated_copies` compares the two places, index by index.

    requires: kernels (convert-loops-to-gpu) with pipelined loops (gpu-pipeline-loops), bounds checked
              (gpu-check-bounds), conditions merged (gpu-merge-conditions).
    ensures:  where the copies of a pipelined loop and those in front of it differ by indices of the iteration alone,
              both are calls of one `wmma.routine`; conditions around the copies stay around the calls.
    declines: nothing; copies that differ in anything else stay.
    """

    name = "gpu-outline-copies"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            if rewrite_once(kernel, OutlineCopies(OpenValues(kernel))):
                dce(op)
