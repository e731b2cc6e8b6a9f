"""gpu-specialize-warps: warps of their own ask for the bulk copies of a loop, while others use them.

before: barrier                           after: barrier
        for k < n                                if thread_z < consumers
          if produces: wait free; load(k)          for k < n: wait full; use slot; arrive free
          wait full; use slot; arrive free         results
        results                                  else
                                                   for k < n: if elected: wait free; load(k)
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, gpu, scf
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp, StringAttr, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.scalars import scalars_behind
from vtac.dialects.gpu_hardware import WARP_SIZE, GpuArchitecture
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.declared import SPECIALIZE
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.tma import ClusterArriveOp, ClusterWaitOp, SetmaxnregOp
from vtac.dialects.tma.declared import PRODUCES, ROLES
from vtac.dialects.wmma.declared import BLOCK, KERNEL
from vtac.errors import CompileError
from vtac.rewriting.edits import discard, dissolve, insert_ops, move_ops

_GROUP = 4
"""Warps that change their registers together."""
_REGISTERS = 65536
_PRODUCER_REGISTERS = 40
_MOST_REGISTERS = 240
_STEP = 8


def _specialize(kernel: FuncOp, loop: ForOp, record: GpuArchitecture | None) -> None:
    """Split what follows the barrier in front of a loop into what consumers and what producers do."""
    producers, consumers = SPECIALIZE.remove(loop) or (0, 0)
    x, y, z = BLOCK.get(kernel) or (1, 1, 1)
    if x != WARP_SIZE:
        raise CompileError(
            f"specialize: threadIdx.x has {x} values, and roles are those of warps: bind loops of {WARP_SIZE} "
            "iterations to it",
            location_of(loop),
        )
    body = kernel.body.block
    _dissolve_unit_loops(loop)
    following = [op for op in _after_barrier(body, loop) if not isinstance(op, ClusterArriveOp | ClusterWaitOp)]
    produced = next(op for op in loop.body.block.ops if PRODUCES.is_on(op))
    index = _thread_z(body)
    limit = arith.ConstantOp(IntegerAttr(z, IndexType()))
    condition = arith.CmpiOp(index, limit.result, "slt")
    asking = _asking_loop(loop, produced)
    discard(produced)
    choice = scf.IfOp(condition.result, [], Region(Block()), Region(Block()))
    ROLES.set(choice, True)
    meetings = [op for op in _after_barrier(body, loop) if isinstance(op, ClusterArriveOp | ClusterWaitOp)]
    insert_ops([limit, condition, choice], InsertPoint.before(following[0]))
    move_ops(meetings, InsertPoint.after(choice))
    move_ops(following, InsertPoint.at_end(choice.true_region.block))
    insert_ops([asking, scf.YieldOp()], InsertPoint.at_end(choice.false_region.block))
    insert_ops(scf.YieldOp(), InsertPoint.at_end(choice.true_region.block))
    BLOCK.set(kernel, (x, y, z + producers // y))
    registers = _registers(producers, consumers, y, record)
    if registers is not None:
        for region, action, count in (
            (choice.true_region, "inc", registers),
            (choice.false_region, "dec", _PRODUCER_REGISTERS),
        ):
            change = SetmaxnregOp(properties={"action": StringAttr(action), "count": IntegerAttr(count, i64)})
            insert_ops(change, InsertPoint.at_start(region.block))


def _dissolve_unit_loops(loop: ForOp) -> None:
    """Let loops of one iteration around a loop give way to what they hold."""
    while isinstance(around := loop.parent_op(), ForOp) and around.trip_count == 1:
        zero = arith.ConstantOp(IntegerAttr(0, IndexType()))
        insert_ops(zero, InsertPoint.before(around))
        dissolve(around, [zero.result])


def _after_barrier(body: Block, loop: ForOp) -> list[Operation]:
    """The statements from the barrier that guards the mbarriers on to the kernel's end."""
    if loop.parent is not body:
        raise CompileError(
            "specialize: the loop runs inside of another; bind that one, or have its warps ask for copies themselves",
            location_of(loop),
        )
    operations = list(body.ops)
    at = operations.index(loop)
    barrier = max(number for number in range(at) if isinstance(operations[number], gpu.BarrierOp | ClusterWaitOp))
    return [op for op in operations[barrier + 1 :] if not isinstance(op, ReturnOp)]


def _thread_z(body: Block) -> SSAValue:
    wanted = gpu.DimensionAttr(gpu.DimensionEnum.Z)
    for op in body.ops:
        if isinstance(op, gpu.ThreadIdOp) and op.dimension == wanted:
            return op.result
    made = gpu.ThreadIdOp(wanted)
    made.result.name_hint = "thread_z"
    insert_ops(made, InsertPoint.at_start(body))
    return made.result


def _asking_loop(loop: ForOp, produced: Operation) -> ForOp:
    """A loop of the same iterations that only asks for copies."""
    made = ForOp.get(loop.trip_count, loop.loop_name, LoopKind.SERIAL)
    mapping: dict[SSAValue, SSAValue] = {loop.induction_variable: made.induction_variable}
    needed = [*scalars_behind([produced], loop.body.block), produced]
    insert_ops([op.clone(mapping) for op in needed], InsertPoint.at_end(made.body.block))
    made.location = loop.location
    return made


def _registers(producers: int, consumers: int, row: int, record: GpuArchitecture | None) -> int | None:
    """Registers that a consumer's threads have once producers keep few; None where groups of warps cannot change."""
    if record is None or not record.warpgroup_products or any(count % _GROUP for count in (row, producers, consumers)):
        return None
    warps = producers + consumers
    start = _REGISTERS // (warps * WARP_SIZE) // _STEP * _STEP
    left = (start * warps - _PRODUCER_REGISTERS * producers) // consumers // _STEP * _STEP
    return min(left, _MOST_REGISTERS) if min(left, _MOST_REGISTERS) > start else None


@dataclass(frozen=True)
class GpuSpecializeWarps(ModulePass):
    """Give warps roles where loops are marked `specialize`.

    This needs the whole function: what follows the loop is the consumers' part.

    requires: kernels (convert-loops-to-gpu); such a loop holds the producers' part under a condition marked
              `tma.produces`, and follows a barrier.
    ensures:  one condition on threadIdx.z parts consumers, with all that follows, from producers, of which one thread
              asks for copies; the block has warps for both. On sm_90a groups of four warps hand over registers.
    declines: loops inside of others, and blocks whose threadIdx.x is no lane.
    """

    name = "gpu-specialize-warps"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        record = architecture_of(op)
        for kernel in [one for one in op.ops if isinstance(one, FuncOp) and KERNEL.is_on(one)]:
            for loop in [one for one in kernel.walk() if isinstance(one, ForOp) and SPECIALIZE.is_on(one)]:
                _specialize(kernel, loop, record)
