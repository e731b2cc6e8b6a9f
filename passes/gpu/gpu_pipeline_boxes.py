"""gpu-pipeline-boxes: bulk copies that run ahead of the loop that uses them, completed by mbarriers.

before: for k < n                         after: one thread: for s < stages - 1: expect; load(s) -> slot s
          tma.copy(k) -> tile                    for k < n
          use tile                                 wait for the slot's mbarrier, phase k / stages
                                                   barrier
                                                   one thread: expect; load(k + stages - 1) -> its slot
                                                   use slot k mod stages

Of a specialized loop, `producers` stand for themselves in front of the use: they wait until a slot is free again, which
those who use it arrive for; gpu-specialize-warps takes them out of the loop.

Where all uses stand under one condition that a block's threads agree on, such as that of a tap that is no padding, the
loads of other iterations are left out: the one thread expects no bytes for them. In clusters it asks for its part of
what all have in common where any of them uses it, and expects that alone.

In clusters each block asks for its part of a box that all of them need, and a slot is free again when the users of all
blocks have arrived: so the warps of a loop without roles, too, say when they have used a slot, and meet at no barrier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import IntegerAttr, MemRefType, ModuleOp, StringAttr, UnitAttr, i64
from xdsl.dialects.gpu import BarrierOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.bulk_copies.cluster_boxes import cluster_around
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.common_conditions import condition_of_uses
from vtac.analysis.kernels.lanes import thread_extents
from vtac.analysis.nests.nest import buffer_name, enclosing_loops, extents_around
from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.declared import ASYNC, PIPELINE, SPECIALIZE
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.tensor_maps import FIRST_CAPABILITY
from vtac.dialects.tma import (
    ArriveOp,
    ClusterArriveOp,
    ClusterWaitOp,
    CopyOp,
    ElectOp,
    FenceInitOp,
    InitOp,
    WaitOp,
)
from vtac.dialects.tma.declared import PRODUCES
from vtac.dialects.wgmma.declared import IN_FLIGHT
from vtac.dialects.wmma.declared import STAGED
from vtac.errors import CompileError
from vtac.passes.gpu.gpu_pipeline_loops import LoopPipeline
from vtac.rewriting.box_loads import BoxLoads, constant_offset
from vtac.rewriting.edits import discard, insert_ops
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once


class PipelineBoxes(RewritePattern):
    """A loop marked `pipeline`, its copies bulk copies -> mbarriers in front of it, loads ahead of their use."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if ASYNC.get(op) != "tma":
            return
        ASYNC.remove(op)
        stages, roles = PIPELINE.remove(op), SPECIALIZE.get(op)
        if stages is not None:
            _BoxPipeline(op, stages, rewriter).rewrite_boxes(is_specialized=roles is not None)


class _BoxPipeline(LoopPipeline):
    """One loop on its way into a pipeline of bulk copies."""

    def rewrite_boxes(self, *, is_specialized: bool) -> None:
        """Put the mbarriers, the first loads and the later ones where they belong."""
        self._check_once()
        copies = [op for op in self.body.ops if isinstance(op, CopyOp)]
        uses = [op for op in self.body.ops if not isinstance(op, CopyOp | memref.AllocOp)]
        targets = {copy.target.owner for copy in copies}
        for buffer in [op for op in self.body.ops if isinstance(op, memref.AllocOp) and op in targets]:
            self._stage(buffer)
        for copy in copies:
            self._check_place(copy)
        self._leave_products_under_way(uses)
        iteration = Linear.variable(self.loop.induction_variable)
        slot = self._slot_of(self.loop.induction_variable)
        for use in uses:
            self._shift_accesses(use, slot.results[0])
        insert_ops(slot, InsertPoint.at_start(self.body), self.rewriter)
        self.full = self._mbarriers("full")
        self.cluster = cluster_around(self.loop)
        taken = condition_of_uses(self.loop, uses)
        self.loads = BoxLoads(self.loop, copies, self.stages, self.slots, self.full, self.cluster, taken)
        self.whole = {**extents_around(self.loop), self.loop.induction_variable: self.loop.trip_count}
        if is_specialized:
            self._specialize(iteration)
        else:
            self._share(iteration)
        for copy in copies:
            discard(copy, self.rewriter)

    def _check_once(self) -> None:
        around = [one for one in enclosing_loops(self.loop) if not one.loop_kind.is_bound and one.trip_count > 1]
        if around:
            raise CompileError(
                f"pipeline: loop '{around[-1].loop_name}' runs the pipeline of bulk copies again, and its mbarriers' "
                "phases would go on: bind that loop, or pipeline with cp.async",
                location_of(self.loop),
            )

    def _check_place(self, copy: CopyOp) -> None:
        """Each stage's boxes start where the hardware can put them."""
        one = copy.map
        for what, elements in (("each stage", self.slots[copy.target]), ("the box", constant_offset(copy))):
            if elements * one.element_bytes % one.alignment:
                raise CompileError(
                    f"tma.load: {what} of '{buffer_name(copy.target)}' starts at a multiple of "
                    f"{elements * one.element_bytes} bytes; a multiple of {one.alignment} is required",
                    location_of(copy),
                )

    def _mbarriers(self, name: str) -> SSAValue:
        kind = MemRefType(i64, [self.stages], memory_space=StringAttr("shared"))
        made = memref.AllocOp([], [], kind)
        made.memref.name_hint = name
        made.location = self.loop.location
        STAGED.set(made, True)
        insert_ops(made, InsertPoint.before(self.loop), self.rewriter)
        return made.memref

    def _share(self, iteration: Linear) -> None:
        """Let all warps use the copies, and the first thread of the block ask for them."""
        ahead = self.ahead
        free = self._mbarriers("empty") if self.cluster is not None else None
        users = [(free, self._users())] if free is not None else []
        elected = self._initialise([(self.full, 1), *users])
        stage = ForOp.get(ahead, "stage", LoopKind.UNROLLED)
        extents = {**self.whole, stage.induction_variable: ahead}
        insert_ops(
            self.loads.of(Linear.variable(stage.induction_variable), extents), _end(stage.body.block), self.rewriter
        )
        self._under(elected, [stage], InsertPoint.before(self.loop))
        values = HostValues(self.whole)
        more = values.at_least(values.value(Linear(self.loop.trip_count - 1 - ahead) - iteration), 0)
        both = arith.AndIOp(more, elected)
        meet: list[Operation] = [BarrierOp()] if free is None else []
        steps = [*self._wait(self.full, iteration, 0), *meet, *values.operations, both]
        start = InsertPoint.at_start(self.body)
        waits = self._wait(free, iteration + ahead, 1) if free is not None else []
        asked = [*waits, *self.loads.of(iteration + ahead, self.whole), scf.YieldOp()]
        insert_ops([*steps, scf.IfOp(both.result, [], Region(Block(asked)))], start, self.rewriter)
        if free is not None:
            self._release_at_end(free, iteration)

    def _specialize(self, iteration: Linear) -> None:
        """Let one thread beside the block's warps ask for copies, and each warp say when it has used them."""
        threads = thread_extents(self.loop)
        free = self._mbarriers("empty")
        self._initialise([(self.full, 1), (free, self._users())])
        producer = ElectOp.of(threads.get(LoopKind.THREAD_Z, 1))
        waits = self._wait(free, iteration, 1)
        body = Block([*waits, *self.loads.of(iteration, self.whole), scf.YieldOp()])
        produced = scf.IfOp(producer.elected, [], Region(body))
        PRODUCES.set(produced, True)
        start = [producer, produced, *self._wait(self.full, iteration, 0)]
        insert_ops(start, InsertPoint.at_start(self.body), self.rewriter)
        self._release_at_end(free, iteration)

    def _users(self) -> int:
        """Warps that use a slot's boxes, or parts of them: those of all blocks of a cluster."""
        threads = thread_extents(self.loop)
        lanes = threads.get(LoopKind.THREAD_X, WARP_SIZE)
        if lanes % WARP_SIZE:
            raise CompileError(
                f"cluster: threadIdx.x has {lanes} values, and warps say when they have used a slot: bind loops of "
                f"{WARP_SIZE} iterations to it",
                location_of(self.loop),
            )
        warps = lanes // WARP_SIZE * threads.get(LoopKind.THREAD_Y, 1) * threads.get(LoopKind.THREAD_Z, 1)
        return warps * (self.cluster.blocks if self.cluster is not None else 1)

    def _release_at_end(self, free: SSAValue, iteration: Linear) -> None:
        """Say at the end of a step which slot is free again, and meet other blocks that do when the loop is over."""
        insert_ops(self._release(free, iteration - (IN_FLIGHT.get(self.loop) or 0)), _end(self.body), self.rewriter)
        if self.cluster is not None:
            insert_ops([ClusterArriveOp(), ClusterWaitOp()], InsertPoint.after(self.loop), self.rewriter)

    def _release(self, free: SSAValue, used: Linear) -> list[Operation]:
        """Say that the slot of an iteration is free again, where there was such an iteration."""
        values = HostValues(self.whole)
        slot = values.materialise(values.value(used.modulo(self.stages, self.whole)))
        arrive = ArriveOp(operands=[free, slot], properties=self._blocks())
        if used.bounds(self.whole)[0] >= 0:
            return [*values.operations, arrive]
        condition = values.at_least(values.value(used), 0)
        return [*values.operations, scf.IfOp(condition, [], Region(Block([arrive, scf.YieldOp()])))]

    def _initialise(self, arrays: Sequence[tuple[SSAValue, int]]) -> SSAValue:
        """Initialise arrays of mbarriers with their arrivals, by one thread; says whether a thread is the one."""
        elect = ElectOp.of(0)
        insert_ops(elect, InsertPoint.before(self.loop), self.rewriter)
        stage = ForOp.get(self.stages, "stage", LoopKind.UNROLLED)
        index = stage.induction_variable
        for barriers, arrivals in arrays:
            init = InitOp(operands=[barriers, index], properties={"arrivals": IntegerAttr(arrivals, i64)})
            insert_ops(init, _end(stage.body.block), self.rewriter)
        self._under(elect.elected, [stage, FenceInitOp()], InsertPoint.before(self.loop))
        meet = [BarrierOp()] if self.cluster is None else [ClusterArriveOp(), ClusterWaitOp()]
        insert_ops(meet, InsertPoint.before(self.loop), self.rewriter)
        return elect.elected

    def _blocks(self) -> dict[str, Attribute | None]:
        """The property of operations that reach all blocks of a cluster."""
        return {"blocks": IntegerAttr(self.cluster.blocks, i64)} if self.cluster is not None else {}

    def _under(self, condition: SSAValue, operations: Sequence[Operation], place: InsertPoint) -> None:
        for operation in operations:
            operation.location = self.loop.location
        insert_ops(scf.IfOp(condition, [], Region(Block([*operations, scf.YieldOp()]))), place, self.rewriter)

    def _wait(self, barriers: SSAValue, iteration: Linear, rounds: int) -> list[Operation]:
        """Wait for the phase of an iteration's slot, `rounds` later or earlier."""
        values = HostValues(self.whole)
        slot = iteration.modulo(self.stages, self.whole)
        parity = (iteration.floor_divide(self.stages, self.whole) + rounds).modulo(2, self.whole)
        operands = [barriers, *(values.materialise(values.value(one)) for one in (slot, parity))]
        of_others = self.cluster is not None and barriers is not self.full
        return [
            *values.operations,
            WaitOp(operands=operands, properties={"cluster": UnitAttr() if of_others else None}),
        ]


def _end(block: Block) -> InsertPoint:
    """Before what ends a block, or after all that it holds."""
    last = block.last_op
    return InsertPoint.before(last) if isinstance(last, scf.YieldOp) else InsertPoint.at_end(block)


@dataclass(frozen=True)
class GpuPipelineBoxes(ModulePass):
    """Rewrite loops marked `pipeline` whose copies are bulk copies.

    requires: bulk copies in such loops (convert-copies-to-boxes), before their use; an architecture that has them.
    ensures:  buffers of the loop have one slot per stage; loads are asked for by one thread, and used after a wait for
              their mbarrier's phase; a slot is filled again after all warps have used it. Blocks of a cluster ask for
              parts of boxes that they have in common, by multicast. Iterations that use nothing, by a condition of the
              whole block, load nothing, in clusters but for what another block uses. Of loops marked `specialize`
              loads stand under a condition marked `tma.produces`.
    declines: older architectures or none, loops that run several times, bulk copies without a pipeline; clusters whose
              blocks have no box in common, or one that cannot be cut.
    """

    name = "gpu-pipeline-boxes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        first = next((copy for copy in op.walk() if isinstance(copy, CopyOp)), None)
        if first is None:
            return
        record = architecture_of(op)
        if record is None or record.compute_capability < FIRST_CAPABILITY:
            found = "no architecture is given" if record is None else f"{record.name} has none"
            raise CompileError(f"tma.load: {found}; sm_90 and later copy boxes in bulk", location_of(first))
        rewrite_once(op, PipelineBoxes())
        left = next((copy for copy in op.walk() if isinstance(copy, CopyOp)), None)
        if left is not None:
            raise CompileError(
                'tma.load: a bulk copy outside of a pipelined loop: pipeline the loop around it with async "tma"',
                location_of(left),
            )
