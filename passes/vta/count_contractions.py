"""count-contractions: what a function as it was written multiplies, noted before any pass changes it.

before: func.func @net(...) {             after: func.func @net(...) attributes {packing.contractions =
          %p = linalg.matmul ...                   [{location = "net.mlir:2:8", macs = 4096 : i64}]} {
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.programs.contraction_counts import contractions_in
from vtac.dialects.packing.declared import CONTRACTIONS, DEVICE, PROGRAM
from vtac.rewriting.walker import rewrite_once


class NoteContractions(RewritePattern):
    """A function that runs on the host, and says not yet what it multiplies, says so."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        if not op.body.blocks or any(mark.is_on(op) for mark in (DEVICE, PROGRAM, CONTRACTIONS)):
            return
        CONTRACTIONS.set(op, [(found.location, found.macs, found.is_float) for found in contractions_in(op)])
        rewriter.notify_op_modified(op)


@dataclass(frozen=True)
class CountContractions(ModulePass):
    """Write at each function which contractions it has, for reports.

    requires: functions as they were written.
    ensures:  `packing.contractions` at each function that is no device function: location and multiplications of
              every sum of products in it, in program order; what stands there already stays.
    declines: nothing.
    """

    name = "count-contractions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, NoteContractions())
