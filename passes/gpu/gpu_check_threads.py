"""gpu-check-threads: what the threads of one launch do together does not depend on who comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects import memref, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.gpu_indices import Access, accesses_under, loaded_behind, profile_of, whole
from vtac.analysis.kernels.lanes import gpu_extents
from vtac.analysis.kernels.warp_operations import WARP_OPERATIONS
from vtac.analysis.nests.nest import buffer_name, enclosing_loops, scope_of
from vtac.dialects.gpu_hardware import WARP_SIZE as WARP
from vtac.dialects.schedule.attributes import LoopKind
from vtac.errors import CompileError

_THREADS = (LoopKind.THREAD_X, LoopKind.THREAD_Y, LoopKind.THREAD_Z)
_BLOCKS = (LoopKind.BLOCK_X, LoopKind.BLOCK_Y, LoopKind.BLOCK_Z)


def _check(function: FuncOp, extents: Mapping[LoopKind, int]) -> None:
    for op in function.walk():
        if isinstance(op, memref.AllocOp):
            _check_allocation(op)
        if isinstance(op, WARP_OPERATIONS):
            _check_warp(op, extents)
    accesses = list(accesses_under(function))
    shared = [kind for kind in (*_THREADS, *_BLOCKS) if extents.get(kind, 1) > 1]
    for access in accesses:
        scope = scope_of(access.buffer)
        if access.writes and scope == "shared":
            _check_own_block(access)
        if scope == "local":
            _check_own_thread(access)
        elif isinstance(access.op, memref.StoreOp):
            _check_sum(access, shared, extents)
    for argument in function.body.block.args:
        _check_owners([access for access in accesses if access.buffer is argument], shared)


def _check_allocation(op: memref.AllocOp) -> None:
    scope = scope_of(op.memref)
    if scope not in ("shared", "local"):
        raise CompileError(
            f"'{buffer_name(op.memref)}' is an intermediate result in {scope} memory, of which a kernel has none: "
            "inline it, or set_scope it to shared and compute it where it is used",
            location_of(op),
        )


def _check_own_thread(access: Access) -> None:
    """What lies in local memory is written where it is declared, by every thread: each sees its own only."""
    if not access.writes:
        return
    owner = access.buffer.owner
    around = enclosing_loops(owner) if isinstance(owner, Operation) else []
    for loop in enclosing_loops(access.op):
        if loop.loop_kind.is_gpu_index and loop not in around:
            raise CompileError(
                f"'{buffer_name(access.buffer)}' lies in local memory, of which each thread has its own, and loop "
                f"'{loop.loop_name}', bound to {loop.loop_kind.value}, writes parts of it: compute_at it inside that "
                "loop, or set_scope it to shared",
                location_of(access.op),
            )


def _check_own_block(access: Access) -> None:
    """Each block has shared memory of its own, so all that is read there is written by the block itself."""
    for kind in _BLOCKS:
        profile = access.profile(kind)
        if profile is not None and len(set(profile)) > 1:
            raise CompileError(
                f"each block writes another part of '{buffer_name(access.buffer)}', which lies in shared memory, and "
                f"blocks do not see each other's: compute_at it in the loop bound to {kind.value}, or do not bind its "
                "own loop",
                location_of(access.op),
            )


def _check_sum(access: Access, indices: Sequence[LoopKind], extents: Mapping[LoopKind, int]) -> None:
    """A store of a sum that starts from what memory holds: one thread per element."""
    store = access.op
    if not isinstance(store, memref.StoreOp):
        return
    loads = [load for load in loaded_behind(store.value) if isinstance(load, memref.LoadOp)]
    if not any(whole(load.memref) is access.buffer for load in loads):
        return
    is_shared = scope_of(access.buffer) == "shared"
    for kind in indices:
        profile = access.profile(kind)
        several = profile is None or len(set(profile)) < len(profile)
        if several and not (is_shared and kind in _BLOCKS):
            raise CompileError(
                f"all {extents[kind]} of {kind.value} add to the same elements of '{buffer_name(access.buffer)}', "
                f"each time anew: bind a spatial loop of that sum to {kind.value}, or leave {kind.value} out of the "
                "kernel",
                location_of(store),
            )


def _check_owners(accesses: Sequence[Access], indices: Sequence[LoopKind]) -> None:
    """What is read of a result was written by the same thread: nothing else orders threads in global memory."""
    writes = [access for access in accesses if access.writes]
    reads = [access for access in accesses if not access.writes]
    for read in reads:
        for write in writes:
            for kind in indices:
                profile = write.profile(kind)
                if profile is None or profile != read.profile(kind):
                    raise CompileError(
                        f"'{buffer_name(read.buffer)}' is written by one thread of {kind.value} and read by another, "
                        "in global memory, where nothing makes the one wait for the other: bind both loops alike, keep "
                        "it in shared memory, or use two kernels",
                        location_of(read.op),
                    )


def _check_warp(op: Operation, extents: Mapping[LoopKind, int]) -> None:
    threads = prod(extents.get(kind, 1) for kind in _THREADS)
    if threads % WARP:
        raise CompileError(
            f"'{op.name}' in blocks of {threads} threads; whole warps of {WARP} are required: bind a loop of {WARP} "
            "iterations to threadIdx.x, such as that over the elements of a copy",
            location_of(op),
        )
    apart = 1
    for kind in _THREADS:
        # A warp holds runs of this index where shorter ones divide it, else it may hold any two values.
        lanes = WARP // apart if WARP % apart == 0 else extents.get(kind, 1)
        if apart % WARP and any(_differs(value, op, kind, lanes) for value in _decisive(op)):
            raise CompileError(
                f"lanes of one warp do different things at '{op.name}', which depends on {kind.value}; all {WARP} have "
                "to agree: bind the loops over tiles to threadIdx.y and threadIdx.z, and let threadIdx.x be the lane",
                location_of(op),
            )
        apart *= extents.get(kind, 1)


def _differs(value: SSAValue, op: Operation, kind: LoopKind, lanes: int) -> bool:
    """Whether a value changes with an index within one warp."""
    profile = profile_of(value, op, kind)
    return profile is not None and any(
        len(set(profile[start : start + lanes])) > 1 for start in range(0, len(profile), lanes)
    )


def _decisive(op: Operation) -> list[SSAValue]:
    """The operands of a warp operation, and what decides whether it is met."""
    found = [operand for operand in op.operands if _is_index(operand)]
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, FuncOp):
        if isinstance(parent, scf.IfOp):
            found += _compared(parent.cond)
        parent = parent.parent_op()
    return found


def _is_index(value: SSAValue) -> bool:
    return isinstance(value.owner, ApplyOp) or not isinstance(value.owner, Operation)


def _compared(condition: SSAValue) -> list[SSAValue]:
    """The index expressions that a condition compares."""
    owner = condition.owner
    if not isinstance(owner, Operation) or isinstance(owner, ApplyOp):
        return [condition]
    return [value for operand in owner.operands for value in _compared(operand)]


@dataclass(frozen=True)
class GpuCheckThreads(ModulePass):
    """Refuse schedules that no barrier can make right.

    requires: memory and warp operations under loops bound to GPU indices.
    ensures:  memory of a kernel is its arguments, shared memory and each thread's own; no place in shared
              memory depends on the block; sums in memory have one thread per element; what a thread
              reads of a result it wrote itself; warps meet their operations whole, with
              operands that all lanes agree on.
    declines: anything else. Statements that several threads repeat with equal results pass.
    """

    name = "gpu-check-threads"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                extents = {kind: extent for kind, extent in gpu_extents(function).items() if kind.is_gpu_index}
                if extents:
                    _check(function, extents)
