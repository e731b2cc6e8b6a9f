"""schedule-inject-virtual-threads: interleave the iterations of virtual-thread loops.

before: for cthread t < 2                 after: for t < 2: A(t)
          A(t)                                   for k
          for k: B(t, k); C(t, k)                  for t < 2: B(t, k)
                                                   for t < 2: C(t, k)

Buffers allocated inside the loop get one copy per thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.walks import operations_under
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.vta.declared import THREAD_LOOP, THREADS
from vtac.dialects.vta.kernels import KernelOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.dialects.vta.synchronisation import DepPopOp, DepPushOp, StageOp
from vtac.rewriting.buffer_copies import make_copies
from vtac.rewriting.copies import copy_of
from vtac.rewriting.edits import dissolve, wrap
from vtac.rewriting.loop_copies import refuse_many_copies
from vtac.rewriting.walker import rewrite_once


class InjectThreads(RewritePattern):
    """A virtual-thread loop leaves a loop of its own around each unit that it holds."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if op.loop_kind is not LoopKind.CTHREAD:
            return
        refuse_many_copies(op, op.trip_count)
        for allocation in [inner for inner in operations_under(op) if isinstance(inner, AllocOp)]:
            _give_copies(allocation, op, rewriter)
        distribution = _Distribution(op, rewriter)
        distribution.distribute(op.body.block)
        for value in reversed(distribution.sunk):
            rewriter.erase(value)
        dissolve(op, rewriter=rewriter)


@dataclass
class _Distribution:
    """Moves the units of a thread loop into loops of their own."""

    loop: ForOp
    rewriter: PatternRewriter
    dependent: dict[SSAValue, Operation] = field(default_factory=dict[SSAValue, Operation])
    """Host values that depend on the thread, and what computes them."""
    sunk: list[Operation] = field(default_factory=list[Operation])
    """What computes them, in program order; each unit gets copies of what it needs."""

    def distribute(self, body: Block) -> None:
        for child in list(body.ops):
            if isinstance(child, StageOp | BlockOp | Load2DOp | Store2DOp | KernelOp):
                self._repeat(child)
            elif isinstance(child, DepPushOp | DepPopOp):
                # A token for each thread: every thread's stage pops one, and pushes one.
                clones = [copy_of(child) for _ in range(self.loop.trip_count - 1)]
                self.rewriter.insert(clones, InsertPoint.after(child))
            elif child.regions:
                for region in child.regions:
                    if region.blocks:
                        self.distribute(region.block)
            elif any(
                operand is self.loop.induction_variable or operand in self.dependent for operand in child.operands
            ):
                self.dependent.update(dict.fromkeys(child.results, child))
                self.sunk.append(child)

    def _repeat(self, unit: Operation) -> None:
        repeated = ForOp.get(self.loop.trip_count, self.loop.loop_name)
        repeated.location = unit.location
        mapping: dict[SSAValue, SSAValue] = {self.loop.induction_variable: repeated.induction_variable}
        needed = [copy_of(op, mapping) for op in self._needed(unit)]
        wrap([unit], repeated, self.rewriter)
        self.rewriter.insert(needed, InsertPoint.before(unit))
        for op in operations_under(unit):
            for position, operand in enumerate(op.operands):
                if operand in mapping:
                    op.operands[position] = mapping[operand]
                    self.rewriter.notify_op_modified(op)

    def _needed(self, unit: Operation) -> list[Operation]:
        """Host values from outside a unit that depend on the thread, in order."""
        wanted: set[Operation] = set()
        pending = [operand for op in operations_under(unit) for operand in op.operands]
        while pending:
            producer = self.dependent.get(pending.pop())
            if producer is not None and producer not in wanted:
                wanted.add(producer)
                pending.extend(producer.operands)
        return [op for op in self.sunk if op in wanted]


def _give_copies(allocation: AllocOp, loop: ForOp, rewriter: PatternRewriter) -> None:
    """One copy of a buffer per thread of a loop, on top of those that inner loops asked for."""
    make_copies(allocation, loop.induction_variable, loop.trip_count, rewriter)
    names = THREAD_LOOP.get(allocation)
    THREADS.set(allocation, (THREADS.get(allocation) or 1) * loop.trip_count)
    THREAD_LOOP.set(allocation, f"{names}, {loop.loop_name}" if names is not None else loop.loop_name)


@dataclass(frozen=True)
class ScheduleInjectVirtualThreads(ModulePass):
    """Distribute each virtual-thread loop, inner ones first, over the stages (or blocks) it holds.

    requires: compacted buffers, so that what a thread owns is allocated inside its loop.
    ensures:  no virtual-thread loop is left; each stage, block or token in one is repeated
              per thread right there; owned buffers have a leading dimension of threads.
    declines: a guard that depends on the thread; more operations than the limit on what one rewrite
              writes out.
    """

    name = "schedule-inject-virtual-threads"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, InjectThreads(), inside_first=True, backwards=True)
