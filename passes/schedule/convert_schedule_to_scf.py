"""convert-schedule-to-scf: host loops as scf.for, stages dissolved."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.locations import location_of
from vtac.analysis.vta.unmapped import bound_elsewhere
from vtac.dialects.making import make_op
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.vta.synchronisation import StageOp
from vtac.errors import CompileError
from vtac.rewriting.edits import dissolve, stand_for
from vtac.rewriting.shared_constants import SharedConstants
from vtac.rewriting.walker import rewrite_once


class DissolveStage(RewritePattern):
    """What a stage groups, where the stage stands."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: StageOp, rewriter: PatternRewriter) -> None:
        dissolve(op, rewriter=rewriter)


@dataclass
class ShareConstant(RewritePattern):
    """One index constant per number in a function."""

    constants: SharedConstants

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.ConstantOp, rewriter: PatternRewriter) -> None:
        if isinstance(op.value, IntegerAttr) and isinstance(op.value.type, IndexType) and not self.constants.holds(op):
            rewriter.replace(op, [], [self.constants.get(op.value.value.data, rewriter)])


@dataclass
class ConvertLoop(RewritePattern):
    """One host loop: its body when it runs once, else scf.for."""

    constants: SharedConstants

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if op.loop_kind.is_bound:
            still = f"loop '{op.loop_name}' still stands for virtual threads: it is no host loop"
            raise CompileError(bound_elsewhere(op) if op.loop_kind.is_gpu_index else still, location_of(op))
        if op.trip_count == 1:
            dissolve(op, [self.constants.get(0, rewriter)], rewriter)
            return
        start, stop, step = (self.constants.get(bound, rewriter) for bound in (0, op.trip_count, 1))
        op.rename(op.loop_name)
        body = rewriter.move_region_contents_to_new_regions(op.body)
        rewriter.insert(make_op(scf.YieldOp), InsertPoint.at_end(body.block))
        converted = make_op(scf.ForOp, operands=[start, stop, step], regions=[body])
        stand_for(converted, op)
        rewriter.replace(op, converted)


@dataclass(frozen=True)
class ConvertScheduleToScf(ModulePass):
    """Turn host loops into scf.for; drop loops of one iteration and stage groups.

    requires: only vta ops and host values inside loops; virtual threads injected.
    ensures:  func, scf, arith, affine and vta ops only; loop bounds are constants at the
              start of the function, each number once.
    declines: loops bound to GPU indices, or virtual threads that are still loops.
    """

    name = "convert-schedule-to-scf"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                constants = SharedConstants(function.body.block)
                patterns = (DissolveStage(), ShareConstant(constants), ConvertLoop(constants))
                rewrite_once(function, *patterns, inside_first=True)
