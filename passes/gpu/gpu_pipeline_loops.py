"""gpu-pipeline-loops: asynchronous copies that run ahead of the loop that uses them.

before: for k < n                         after: for s < stages - 1: copy(s) -> slot s; commit
          copy(k) -> tile                        for k < n
          use tile                                 wait until at most stages - 2 groups are open
                                                   barrier
                                                   copy(k + stages - 1) -> its slot; commit
                                                   use slot k mod stages
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import memref, scf, vector
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, IntegerAttr, MemRefType, ModuleOp, VectorType, i64
from xdsl.dialects.gpu import BarrierOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from vtac.analysis.linear import Linear
from vtac.analysis.locations import location_of
from vtac.analysis.nest import discard, enclosing_loops, extents_around, memref_type_of, scope_of, strides_of
from vtac.analysis.scalars import scalars_behind
from vtac.dialects.schedule.declared import PIPELINE
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.wmma import AsyncCommitOp, AsyncCopyOp, AsyncWaitOp, LoadMatrixSyncOp
from vtac.dialects.wmma.declared import STAGED
from vtac.errors import CompileError
from vtac.rewriting.index_values import HostValues


@dataclass(frozen=True)
class GpuPipelineLoops(ModulePass):
    """Rewrite loops marked `pipeline`.

    requires: blocks lowered to memory operations; the copies of the loop are vector copies
              of 4, 8 or 16 bytes from global to shared memory, before their use.
    ensures:  shared buffers of the loop have one slot per stage; copies are asynchronous.
    declines: copies of single elements, statements that both copy and use, and loops whose
              copies are elsewhere.
    """

    name = "gpu-pipeline-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in [inner for inner in op.walk() if isinstance(inner, ForOp)]:
            stages = PIPELINE.remove(loop)
            if stages is not None:
                _Pipeline(loop, stages).rewrite()


class _Pipeline:
    def __init__(self, loop: ForOp, stages: int) -> None:
        self.loop = loop
        self.stages = stages
        self.body = loop.body.block
        self.buffers = [
            op
            for op in self.body.ops
            if isinstance(op, memref.AllocOp) and scope_of(op.memref) == "shared" and _is_copied_to(op.memref)
        ]
        self.slots: dict[SSAValue, int] = {}

    def rewrite(self) -> None:
        self._stage_buffers()
        copies, uses = self._split()
        for copy in copies:
            _make_asynchronous(copy)
        slot = self._slot_of(self.loop.induction_variable)
        for use in uses:
            self._shift_accesses(use, slot[1])
        self.body.insert_op_before(slot[0], self._first())
        self._prologue(copies)
        self._steady_state(copies)

    def _first(self) -> Operation:
        first = self.body.first_op
        if first is None:
            raise CompileError("an empty loop cannot be pipelined", location_of(self.loop))
        return first

    def _stage_buffers(self) -> None:
        """Move the loop's shared buffers in front of it, with one slot per stage."""
        parent = self.loop.parent
        if parent is None:
            raise ValueError("the loop stands nowhere")
        for allocation in self.buffers:
            buffer = allocation.memref
            size = memref_type_of(buffer).get_shape()[0] * strides_of(buffer)[0]
            kind = memref_type_of(buffer)
            views = [use.operation for use in buffer.uses if isinstance(use.operation, memref.ReinterpretCastOp)]
            flat = MemRefType(kind.element_type, [size * self.stages], memory_space=kind.memory_space)
            allocation.detach()
            parent.insert_op_before(allocation, self.loop)
            staged = Rewriter.replace_value_with_new_type(buffer, flat)
            for view in views:
                view.results[0].replace_all_uses_with(staged)
                discard(view)
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
        written = read = False
        for op in root.walk():
            if isinstance(op, memref.StoreOp) and op.memref in self.slots:
                raise CompileError(
                    "pipeline: a copy to shared memory moves single elements; asynchronous copies move 4, 8 or 16 "
                    "bytes: vectorize it",
                    location_of(op),
                )
            written = written or (isinstance(op, vector.StoreOp) and op.base in self.slots)
            read = read or any(operand in self.slots for operand in op.operands if not isinstance(op, vector.StoreOp))
        return written, read

    def _slot_of(self, iteration: SSAValue) -> tuple[Operation, SSAValue]:
        """iteration mod stages."""
        modulo = AffineMap(1, 0, (AffineExpr.dimension(0) % self.stages,))
        apply = ApplyOp([iteration], AffineMapAttr(modulo))
        apply.results[0].name_hint = "slot"
        return apply, apply.results[0]

    def _shift_accesses(self, root: Operation, slot: SSAValue) -> None:
        """Let every access of a staged buffer under `root` address one slot."""
        for op in list(root.walk()):
            if isinstance(op, LoadMatrixSyncOp) and op.memory in self.slots:
                self._shift(op, 3, self.slots[op.memory], slot)
            elif isinstance(op, AsyncCopyOp) and op.target in self.slots:
                self._shift(op, 1, self.slots[op.target], slot)
            elif isinstance(op, memref.LoadOp) and op.memref in self.slots:
                self._shift(op, 1, self.slots[op.memref], slot)
            elif isinstance(op, vector.LoadOp) and op.base in self.slots:
                self._shift(op, 1, self.slots[op.base], slot)

    def _shift(self, op: Operation, position: int, size: int, slot: SSAValue) -> None:
        moved = AffineMap(2, 0, (AffineExpr.dimension(0) + AffineExpr.dimension(1) * size,))
        apply = ApplyOp([op.operands[position], slot], AffineMapAttr(moved))
        if op.parent is not None:
            op.parent.insert_op_before(apply, op)
        op.operands[position] = apply.results[0]

    def _copied(self, copies: Sequence[Operation], iteration: Linear, extents: dict[Hashable, int]) -> list[Operation]:
        """Clones of the copies for another iteration, into that iteration's slot."""
        values = HostValues(extents)
        value = values.materialise(values.value(iteration))
        slot_op, slot = self._slot_of(value)
        mapping: dict[SSAValue, SSAValue] = {self.loop.induction_variable: value}
        clones = [op.clone(mapping) for op in [*scalars_behind(copies, self.body), *copies]]
        for clone in clones:
            self._shift_accesses(clone, slot)
        return [*values.operations, slot_op, *clones]

    def _prologue(self, copies: Sequence[Operation]) -> None:
        parent = self.loop.parent
        if parent is None:
            raise ValueError("the loop stands nowhere")
        if any(not around.loop_kind.is_bound and around.trip_count > 1 for around in enclosing_loops(self.loop)):
            # The last run of the loop may still be read where this one begins to copy.
            parent.insert_op_before(BarrierOp(), self.loop)
        for stage in range(self.stages - 1):
            for op in [*self._copied(copies, Linear(stage), extents_around(self.loop)), AsyncCommitOp()]:
                parent.insert_op_before(op, self.loop)

    def _steady_state(self, copies: Sequence[Operation]) -> None:
        ahead = self.stages - 1
        iteration = Linear.variable(self.loop.induction_variable)
        extents = {**extents_around(self.loop), self.loop.induction_variable: self.loop.trip_count}
        bound = HostValues(extents)
        more = bound.at_least(bound.value(Linear(self.loop.trip_count - 1 - ahead) - iteration), 0)
        next_copies = scf.IfOp(more, [], [*self._copied(copies, iteration + ahead, extents), scf.YieldOp()])
        wait = AsyncWaitOp(properties={"pending": IntegerAttr(self.stages - 2, i64)})
        first = self._first()
        for op in [wait, BarrierOp(), *bound.operations, next_copies, AsyncCommitOp()]:
            self.body.insert_op_before(op, first)
        for copy in copies:
            discard(copy)


def _is_copied_to(buffer: SSAValue) -> bool:
    """Whether threads write a buffer themselves; what warps store there has barriers of its own."""
    users = [use.operation for use in buffer.uses]
    users += [use.operation for op in users if isinstance(op, memref.ReinterpretCastOp) for use in op.result.uses]
    return any(isinstance(op, memref.StoreOp | vector.StoreOp) for op in users)


def _make_asynchronous(root: Operation) -> None:
    """Turn the vector copies under a statement into asynchronous ones."""
    for store in [op for op in root.walk() if isinstance(op, vector.StoreOp)]:
        source = store.vector.owner
        present: SSAValue | None = None
        if isinstance(source, scf.IfOp):
            present = source.cond
            load = source.true_region.block.first_op
        else:
            load = source
        if not isinstance(load, vector.LoadOp):
            raise CompileError("pipeline: a copy computes; only plain copies run ahead", location_of(store))
        kind = store.vector.type
        lanes = kind.get_shape()[0] if isinstance(kind, VectorType) else 1
        copy = AsyncCopyOp(
            operands=[store.base, store.indices[0], load.base, load.indices[0], [] if present is None else [present]],
            properties={"elements": IntegerAttr(lanes, i64)},
        )
        copy.location = store.location
        copy.verify()
        place = store.parent
        if place is None:
            raise ValueError("the copy stands nowhere")
        place.insert_op_before(copy, store)
        discard(store)
        discard(source if isinstance(source, Operation) else load)
