"""vta-group-stages: wrap what one unit does in a row in a vta.stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.walks import operations_of
from vtac.analysis.vta.unmapped import why_unmapped
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.vta.kernels import KernelOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.dialects.vta.synchronisation import Stage, StageOp, SyncOp
from vtac.errors import CompileError
from vtac.rewriting.edits import dissolve, erase, move_body, move_op, wrap
from vtac.rewriting.index_values import index_constant
from vtac.rewriting.walker import PatternOfKinds, rewrite_once

_ONE_AFTER_ANOTHER = (LoopKind.SERIAL, LoopKind.CTHREAD)
"""Kinds of loops that a single iteration makes equal to no loop at all."""


class DissolveUnitLoop(RewritePattern):
    """A loop of one iteration becomes what it holds, at iteration 0."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if op.trip_count > 1 or op.loop_kind not in _ONE_AFTER_ANOTHER:
            return
        values: list[SSAValue] = []
        if op.induction_variable.uses:
            zero = index_constant(0)
            rewriter.insert(zero)
            values = [zero.result]
        dissolve(op, values, rewriter)


@dataclass
class WrapUnit(PatternOfKinds):
    """The outermost op in which one unit works alone becomes a stage."""

    units: Mapping[Operation, Stage]

    def __post_init__(self) -> None:
        self.kinds = tuple({type(op) for op in self.units})

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        stage = self.units.get(op)
        if stage is not None and not isinstance(op, StageOp) and op.parent_op() not in self.units:
            wrap([op], StageOp.get(stage), rewriter)


class TakeFollowers(RewritePattern):
    """A stage takes the stages of its unit that follow it; host values among and behind them go before it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: StageOp, rewriter: PatternRewriter) -> None:
        while (follower := op.next_op) is not None:
            if isinstance(follower, StageOp) and follower.stage == op.stage:
                move_body(follower.body.block, InsertPoint.at_end(op.body.block), rewriter)
                erase(follower, rewriter)
            elif follower.results and not any(isinstance(inner, StageOp) for inner in follower.walk()):
                move_op(follower, InsertPoint.before(op), rewriter)
            else:
                return


def own_stage(op: Operation) -> Stage | None:
    """The unit that executes an op itself; None for ops of the host."""
    if isinstance(op, Load2DOp):
        return "compute" if op.memory.data in ("acc", "acc8") else "load"
    if isinstance(op, Store2DOp):
        return "store"
    return "compute" if isinstance(op, KernelOp) else None


def units_alone(module: ModuleOp) -> dict[Operation, Stage]:
    """The ops in which exactly one unit works, and that unit.

    An op that holds virtual threads is none of them: a stage runs as a whole, and threads
    are distributed over stages. Raises `CompileError` for a block that no unit executes, and for
    calls of kernels without tokens.
    """
    found: dict[Operation, Stage] = {}
    called = {op.callee.string_value() for op in operations_of(CallOp, module)}
    for function in [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]:
        # One that ends with vta.sync has its tokens, and so its stages, already; kernels have those of their caller.
        if function.sym_name.data in called or any(isinstance(op, SyncOp) for op in function.body.block.ops):
            continue
        call = next(iter(operations_of(CallOp, function)), None)
        if call is not None:
            raise CompileError(
                f"'{function.sym_name.data}' calls '{call.callee.string_value()}' and has no tokens: a function that "
                "calls kernels has its own, or ends with vta.sync dataflow",
                location_of(call),
            )
        for op in function.body.block.ops:
            _find_units(op, found)
    return found


def _find_units(op: Operation, found: dict[Operation, Stage]) -> tuple[set[Stage], bool]:
    """The units at work in an op, and whether virtual threads are."""
    if isinstance(op, BlockOp):
        raise CompileError(why_unmapped(op), location_of(op))
    own = own_stage(op)
    units: set[Stage] = set() if own is None else {own}
    has_threads = isinstance(op, ForOp) and op.loop_kind is LoopKind.CTHREAD
    for region in op.regions:
        for block in region.blocks:
            for child in block.ops:
                inner, inner_threads = _find_units(child, found)
                units |= inner
                has_threads = has_threads or inner_threads
    if len(units) == 1 and not has_threads:
        (found[op],) = units
    return units, has_threads


@dataclass(frozen=True)
class VtaGroupStages(ModulePass):
    """Find the largest pieces of a program that one unit executes alone.

    requires: every block lowered to vta ops.
    ensures:  each load, store and kernel stands in a vta.stage; a stage takes whole loops
              and neighbours of the same unit; loops of virtual threads stay outside. Loops
              of one iteration are gone: nothing goes round them, so they need no tokens.
              A kernel that another function calls stays as it is.
    declines: a block that no directive mapped to a unit; a function that calls kernels and has no vta.sync.
    """

    name = "vta-group-stages"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, DissolveUnitLoop())
        rewrite_once(op, WrapUnit(units_alone(op)))
        rewrite_once(op, TakeFollowers())
