"""gpu-insert-wgmma-waits: fences before products of warpgroups, and waits before what they read or add to is touched.

before: wait for copies; barrier           after: wait for copies; fence_proxy_async; barrier
        for k: mma_async sums, a, b                fence; for k: mma_async sums, a, b; commit_group
        use sums                                   wait_group 0 for sums; use sums
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.dialects.gpu import BarrierOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint

from vtac.analysis.kernels.kernel_places import refuse_routines
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.tma import LoadOp, WaitOp
from vtac.dialects.wgmma import CommitGroupOp, DescriptorOp, FenceOp, FenceProxyAsyncOp, MmaAsyncOp, WaitGroupOp
from vtac.dialects.wgmma.declared import IN_FLIGHT
from vtac.dialects.wmma.declared import KERNEL
from vtac.rewriting.edits import before_end, discard, insert_ops, move_body

_WRITTEN = "what threads wrote to shared memory is there for the products"
_SETTLED = "sums that other instructions touched are settled"
_DONE = "the sums are there"
_FREE = "the products of the step before are done, and its slot may be filled"


@dataclass(frozen=True)
class Run:
    """Products that are begun together: the statement that holds them, their accumulators, groups left under way."""

    statement: Operation
    accumulators: tuple[SSAValue, ...]
    loop: ForOp | None
    in_flight: int


def product_runs(kernel: FuncOp) -> list[Run]:
    """The runs of a kernel in program order, each as large as no barrier lies in it."""
    found: dict[Operation, list[SSAValue]] = {}
    for op in kernel.walk():
        if isinstance(op, MmaAsyncOp):
            found.setdefault(_statement(op), []).append(op.accumulator)
    runs: list[Run] = []
    for statement, accumulators in found.items():
        parent = statement.parent_op()
        loop = parent if isinstance(parent, ForOp) else None
        in_flight = (IN_FLIGHT.get(loop) or 0) if loop is not None else 0
        runs.append(Run(statement, tuple(dict.fromkeys(accumulators)), loop, in_flight))
    return runs


def _statement(op: Operation) -> Operation:
    """The largest statement around a product that only multiplies: loops and conditions without barriers or waits."""
    while isinstance(parent := op.parent_op(), ForOp | scf.IfOp):
        if IN_FLIGHT.is_on(parent) or any(isinstance(inner, BarrierOp | WaitOp) for inner in parent.walk()):
            break
        op = parent
    return op


def barriers_before_products(kernel: FuncOp) -> Iterator[BarrierOp]:
    """The barriers after which, before another one, products read shared memory that threads have written."""
    for op in kernel.walk():
        if not isinstance(op, BarrierOp):
            continue
        after = op.next_op
        while after is not None and not isinstance(after, BarrierOp):
            if any(isinstance(inner, DescriptorOp) and not _comes_in_boxes(inner) for inner in after.walk()):
                yield op
                break
            after = after.next_op


def _comes_in_boxes(op: DescriptorOp) -> bool:
    """Whether bulk copies write what a product reads: they and products see memory alike."""
    return any(isinstance(use.operation, LoadOp) for use in op.memory.uses)


def _order(run: Run) -> None:
    if isinstance(run.statement, scf.IfOp) and not run.statement.false_region.blocks:
        _order_choice(run, run.statement)
        return
    insert_ops(FenceOp(properties={"reason": StringAttr(_SETTLED)}), InsertPoint.before(run.statement))
    if run.loop is None or not run.in_flight:
        ends: list[Operation] = [CommitGroupOp(), WaitGroupOp.get(0, _DONE, run.accumulators)]
        insert_ops(ends, InsertPoint.after(run.statement))
        return
    insert_ops([CommitGroupOp(), WaitGroupOp.get(run.in_flight, _FREE)], InsertPoint.after(run.statement))
    insert_ops(WaitGroupOp.get(0, _DONE, run.accumulators), InsertPoint.after(run.loop))


def _order_choice(run: Run, choice: scf.IfOp) -> None:
    """Order products under a condition: where it does not hold, an empty group counts in their place."""
    begin, end = InsertPoint.at_start(choice.true_region.block), before_end(choice.true_region.block)
    insert_ops(FenceOp(properties={"reason": StringAttr(_SETTLED)}), begin)
    if run.loop is None or not run.in_flight:
        insert_ops([CommitGroupOp(), WaitGroupOp.get(0, _DONE, run.accumulators)], end)
        return
    insert_ops(CommitGroupOp(), end)
    made = scf.IfOp(choice.cond, [], Region(Block()), Region(Block([CommitGroupOp(), scf.YieldOp()])))
    made.location = choice.location
    insert_ops([made, WaitGroupOp.get(run.in_flight, _FREE)], InsertPoint.before(choice))
    move_body(choice.true_region.block, InsertPoint.at_end(made.true_region.block))
    discard(choice)
    insert_ops(WaitGroupOp.get(0, _DONE, run.accumulators), InsertPoint.after(run.loop))


@dataclass(frozen=True)
class GpuInsertWgmmaWaits(ModulePass):
    """Order products of warpgroups with what other instructions do to shared memory and registers.

    Where fences and waits belong follows from the whole kernel: barriers and pipelines are there already.

    requires: kernels (convert-loops-to-gpu) with their barriers (gpu-insert-barriers), loops that are schedule.for.
    ensures:  before a barrier after which products read there is a wgmma.fence_proxy_async; before each run of products
              a wgmma.fence, after it a wgmma.commit_group and a wgmma.wait_group, which leaves as many groups under
              way as the pipeline around has slots for (`wgmma.in_flight`); sums are waited for before they are used.
              Of products under a condition fence and commit stand there, and where it does not hold an empty group is
              committed, so that groups count steps.
              Each says why.
    declines: kernels with routines.
    """

    name = "gpu-insert-wgmma-waits"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            runs = product_runs(kernel)
            if not runs or any(isinstance(inner, WaitGroupOp) for inner in kernel.walk()):
                continue
            refuse_routines(kernel, self.name)
            for barrier in list(barriers_before_products(kernel)):
                fence = FenceProxyAsyncOp(properties={"reason": StringAttr(_WRITTEN)})
                insert_ops(fence, InsertPoint.before(barrier))
            for run in runs:
                _order(run)
