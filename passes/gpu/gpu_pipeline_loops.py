"""gpu-pipeline-loops: asynchronous copies that run ahead of the loop that uses them.

before: for k < n                         after: for s < stages - 1, unrolled: copy(s) -> slot s; commit
          copy(k) -> tile                        for k < n
          use tile                                 wait until at most stages - 2 groups are open
                                                   barrier
                                                   copy(k + stages - 1) -> its slot; commit
                                                   use slot k mod stages

Copies of less than 4 bytes are loads and stores: no asynchronous copy is so narrow. They run ahead as the others do,
and gpu-carry-copies has what they load wait in registers until the step's products are under way.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import memref, scf, vector
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, IntegerAttr, MemRefType, ModuleOp, i64
from xdsl.dialects.gpu import BarrierOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.scalars import scalars_behind
from vtac.analysis.kernels.warp_operations import LOADS
from vtac.analysis.nests.nest import buffer_name, enclosing_loops, extents_around, memref_type_of, scope_of, strides_of
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.declared import PIPELINE
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.wgmma import DescriptorOp
from vtac.dialects.wgmma.declared import IN_FLIGHT
from vtac.dialects.wmma import AsyncCommitOp, AsyncCopyOp, AsyncWaitOp
from vtac.dialects.wmma.declared import AHEAD, STAGED
from vtac.errors import CompileError
from vtac.rewriting.asynchronous_copies import copy_asynchronously, is_wide
from vtac.rewriting.edits import discard, insert_ops, move_body, move_op, replace_uses
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once

_LEAST_STAGES = 2
"""One that is multiplied and one that is copied; with more, products may be under way in a third."""


class PipelineLoop(RewritePattern):
    """A loop marked `pipeline` -> first copies in front of it, and in it those of `stages - 1` iterations later."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        stages = PIPELINE.remove(op)
        if stages is not None:
            LoopPipeline(op, stages, rewriter).rewrite()


class LoopPipeline:
    """One loop on its way into a pipeline; `slots` are its buffers and the elements of one stage of each."""

    def __init__(self, loop: ForOp, stages: int, rewriter: PatternRewriter) -> None:
        self.loop = loop
        self.stages = stages
        self.rewriter = rewriter
        self.body = loop.body.block
        self.slots: dict[SSAValue, int] = {}
        self.commits = True
        self.ahead = stages - 1

    def rewrite(self) -> None:
        for buffer in [op for op in self.body.ops if isinstance(op, memref.AllocOp) and _is_filled(op.memref)]:
            self._stage(buffer)
        copies, uses = self._split()
        self._leave_products_under_way(uses)
        stores = [op for copy in copies for op in copy.walk() if isinstance(op, vector.StoreOp) and is_wide(op)]
        for store in stores:
            copy_asynchronously(store, self.rewriter)
        self.commits = bool(stores)
        slot = self._slot_of(self.loop.induction_variable)
        for use in uses:
            self._shift_accesses(use, slot.results[0])
        insert_ops(slot, InsertPoint.at_start(self.body), self.rewriter)
        self._fill_slots(copies)
        self._run_ahead(copies)
        for copy in copies:
            discard(copy, self.rewriter)

    def _leave_products_under_way(self, uses: Sequence[Operation]) -> None:
        """With stages to spare, products of a warpgroup still read a step's slots while the next step begins."""
        if self.stages > _LEAST_STAGES and any(isinstance(op, DescriptorOp) for use in uses for op in use.walk()):
            IN_FLIGHT.set(self.loop, 1)
            self.ahead -= 1

    def _stage(self, allocation: memref.AllocOp) -> None:
        """Move a shared buffer of the loop in front of it, flat, with one slot per stage."""
        buffer = allocation.memref
        kind = memref_type_of(buffer)
        size = kind.get_shape()[0] * strides_of(buffer)[0]
        flat = MemRefType(kind.element_type, [size * self.stages], memory_space=kind.memory_space)
        views = [use.operation for use in buffer.uses if isinstance(use.operation, memref.ReinterpretCastOp)]
        move_op(allocation, InsertPoint.before(self.loop), self.rewriter)
        staged = self.rewriter.replace_value_with_new_type(buffer, flat)
        for view in views:
            replace_uses(view.results[0], staged, self.rewriter)
            self.rewriter.erase(view)
        STAGED.set(allocation, True)
        self.slots[staged] = size

    def _split(self) -> tuple[list[Operation], list[Operation]]:
        """The statements that copy into the staged buffers, and those that use them."""
        if not self.slots:
            raise CompileError(
                f"pipeline: no buffer in shared memory is filled once per iteration of loop '{self.loop.loop_name}': "
                "compute_at the copies in that loop, or pipeline the loop that they are in",
                location_of(self.loop),
            )
        copies: list[Operation] = []
        uses: list[Operation] = []
        for child in self.body.ops:
            written, read = self._touches(child)
            if written and (read or uses):
                raise CompileError(
                    "pipeline: a statement copies to shared memory after another used it; copies must come first",
                    location_of(child),
                )
            if written:
                copies.append(child)
            elif read:
                uses.append(child)
        return copies, uses

    def _touches(self, root: Operation) -> tuple[bool, bool]:
        """Whether a statement writes staged buffers, and whether it reads them."""
        written = read = False
        for op in root.walk():
            stored = _stored(op)
            written = written or stored in self.slots
            read = read or any(operand in self.slots for operand in op.operands if operand is not stored)
        if written:
            _check_reads(root)
        return written, read

    def _slot_of(self, iteration: SSAValue) -> ApplyOp:
        """iteration mod stages."""
        modulo = AffineMap(1, 0, (AffineExpr.dimension(0) % self.stages,))
        apply = ApplyOp([iteration], AffineMapAttr(modulo))
        apply.results[0].name_hint = "slot"
        return apply

    def _shift_accesses(self, root: Operation, slot: SSAValue) -> None:
        """Let every access of a staged buffer under `root` address one slot."""
        for op in list(root.walk()):
            if isinstance(op, LOADS) and op.memory in self.slots:
                self._shift(op, 3, self.slots[op.memory], slot)
            elif isinstance(op, DescriptorOp) and op.memory in self.slots:
                self._shift(op, 1, self.slots[op.memory], slot)
            elif isinstance(op, AsyncCopyOp) and op.target in self.slots:
                self._shift(op, 1, self.slots[op.target], slot)
            elif isinstance(op, memref.LoadOp) and op.memref in self.slots:
                self._shift(op, 1, self.slots[op.memref], slot)
            elif isinstance(op, memref.StoreOp) and op.memref in self.slots:
                self._shift(op, 2, self.slots[op.memref], slot)
            elif isinstance(op, vector.LoadOp) and op.base in self.slots:
                self._shift(op, 1, self.slots[op.base], slot)
            elif isinstance(op, vector.StoreOp) and op.base in self.slots:
                self._shift(op, 2, self.slots[op.base], slot)

    def _shift(self, op: Operation, position: int, size: int, slot: SSAValue) -> None:
        moved = AffineMap(2, 0, (AffineExpr.dimension(0) + AffineExpr.dimension(1) * size,))
        apply = ApplyOp([op.operands[position], slot], AffineMapAttr(moved))
        insert_ops(apply, InsertPoint.before(op), self.rewriter)
        op.operands[position] = apply.results[0]
        self.rewriter.notify_op_modified(op)

    def _copied(
        self, copies: Sequence[Operation], iteration: Linear, extents: dict[Hashable, int], end: Sequence[Operation]
    ) -> Block:
        """Clones of the copies for another iteration, into that iteration's slot, and ops after them."""
        values = HostValues(extents)
        value = values.materialise(values.value(iteration))
        slot = self._slot_of(value)
        mapping: dict[SSAValue, SSAValue] = {self.loop.induction_variable: value}
        clones = [op.clone(mapping) for op in [*scalars_behind(copies, self.body), *copies]]
        copied = Block([*values.operations, slot, *clones, *end])
        for clone in clones:
            self._shift_accesses(clone, slot.results[0])
        return copied

    def _fill_slots(self, copies: Sequence[Operation]) -> None:
        """Copy for the first iterations, in front of the loop."""
        place = InsertPoint.before(self.loop)
        if any(not around.loop_kind.is_bound and around.trip_count > 1 for around in enclosing_loops(self.loop)):
            # The last run of the loop may still be read where this one begins to copy.
            insert_ops(BarrierOp(), place, self.rewriter)
        extents = extents_around(self.loop)
        stage = ForOp.get(self.ahead, "stage", LoopKind.UNROLLED)
        extents[stage.induction_variable] = self.ahead
        copied = self._copied(copies, Linear.variable(stage.induction_variable), extents, self._commit())
        stage.location = self.loop.location
        insert_ops(stage, place, self.rewriter)
        move_body(copied, InsertPoint.at_end(stage.body.block), self.rewriter)

    def _run_ahead(self, copies: Sequence[Operation]) -> None:
        """Wait for the iteration's own copies, and begin with those of the last stage ahead."""
        ahead = self.ahead
        iteration = Linear.variable(self.loop.induction_variable)
        extents = {**extents_around(self.loop), self.loop.induction_variable: self.loop.trip_count}
        bound = HostValues(extents)
        more = bound.at_least(bound.value(Linear(self.loop.trip_count - 1 - ahead) - iteration), 0)
        copied = self._copied(copies, iteration + ahead, extents, [scf.YieldOp()])
        next_copies = scf.IfOp(more, [], Region(copied))
        AHEAD.set(next_copies, True)
        wait = [AsyncWaitOp(operands=[[]], properties={"pending": IntegerAttr(ahead - 1, i64)})] if self.commits else []
        steps = [*wait, BarrierOp(), *bound.operations, next_copies, *self._commit()]
        insert_ops(steps, InsertPoint.at_start(self.body), self.rewriter)

    def _commit(self) -> list[Operation]:
        """The end of a group of asynchronous copies, where there are any."""
        return [AsyncCommitOp()] if self.commits else []


def _is_filled(buffer: SSAValue) -> bool:
    """Whether threads write a shared buffer themselves; what warps store there has barriers of its own."""
    if scope_of(buffer) != "shared":
        return False
    users = [use.operation for use in buffer.uses]
    users += [use.operation for op in users if isinstance(op, memref.ReinterpretCastOp) for use in op.result.uses]
    return any(isinstance(op, memref.StoreOp | vector.StoreOp) for op in users)


def _stored(op: Operation) -> SSAValue | None:
    """The buffer that a store writes; None for any other operation."""
    if isinstance(op, vector.StoreOp):
        return op.base
    return op.memref if isinstance(op, memref.StoreOp) else None


def _check_reads(copy: Operation) -> None:
    """What runs ahead reads what no earlier step leaves: memory of the grid. Raises `CompileError` otherwise."""
    for op in copy.walk():
        read = op.memref if isinstance(op, memref.LoadOp) else op.base if isinstance(op, vector.LoadOp) else None
        if read is not None and scope_of(read) != "global":
            raise CompileError(
                f"pipeline: a copy reads '{buffer_name(read)}' in {scope_of(read)} memory, which an earlier step may "
                "write; only copies from global memory run ahead",
                location_of(op),
            )


@dataclass(frozen=True)
class GpuPipelineLoops(ModulePass):
    """Rewrite loops marked `pipeline`.

    requires: blocks lowered to memory operations; copies of the loop from global to shared memory stand before
              their use.
    ensures:  shared buffers of the loop have one slot per stage; copies of 4, 8 or 16 bytes are asynchronous, narrower
              ones are loads and stores; those of a later step stand under a condition marked `wmma.ahead`.
    declines: statements that both copy and use, copies from other than global memory, vectors that compute, and
              loops whose copies are elsewhere.
    """

    name = "gpu-pipeline-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, PipelineLoop())
