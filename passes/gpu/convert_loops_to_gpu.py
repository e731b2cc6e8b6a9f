"""convert-loops-to-gpu: loops bound to GPU indices -> gpu.block_id and gpu.thread_id."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import gpu
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from vtac.analysis.locations import location_of
from vtac.analysis.nest import scope_of
from vtac.dialects.schedule.attributes import LoopKind, LoopKindAttr
from vtac.dialects.schedule.declared import UNROLL
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.wmma import (
    FillFragmentOp,
    FragmentsOp,
    LoadMatrixSyncOp,
    MapFragmentOp,
    MmaSyncOp,
    StoreMatrixSyncOp,
)
from vtac.dialects.wmma.declared import BLOCK, GRID, KERNEL
from vtac.errors import CompileError

_DIMENSIONS = ("x", "y", "z")


@dataclass(frozen=True)
class ConvertLoopsToGpu(ModulePass):
    """Replace bound loops by the indices of the launch.

    requires: every block lowered; loops of one index have one extent.
    ensures:  the function is a kernel with `wmma.grid` and `wmma.block`; shared memory and
              fragments are declared at its start; the loops left are serial.
    declines: an index bound with different extents, virtual threads, more than 1,024 threads.
    """

    name = "convert-loops-to-gpu"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                _convert(function)


def _convert(function: FuncOp) -> None:
    bound = [loop for loop in function.walk() if isinstance(loop, ForOp) and loop.loop_kind.is_bound]
    if not bound:
        return
    extents = _extents(bound)
    start = function.body.block
    ids = {kind: _index(start, kind) for kind in extents}
    for loop in reversed(bound):
        loop.induction_variable.replace_all_uses_with(ids[loop.loop_kind])
        _dissolve(loop)
    for op in [op for op in function.walk() if _belongs_at_start(op)]:
        op.detach()
        _insert_first(start, op)
    for loop in [op for op in function.walk() if isinstance(op, ForOp)]:
        if loop.loop_kind is LoopKind.UNROLLED or _indexes_fragments(loop):
            UNROLL.set(loop, True)
        loop.kind = LoopKindAttr(LoopKind.SERIAL)
    KERNEL.set(function, True)
    for launch, prefix in ((GRID, "blockIdx"), (BLOCK, "threadIdx")):
        launch.set(function, tuple(extents.get(LoopKind(f"{prefix}.{dimension}"), 1) for dimension in _DIMENSIONS))


def _extents(bound: list[ForOp]) -> dict[LoopKind, int]:
    extents: dict[LoopKind, int] = {}
    for loop in bound:
        kind = loop.loop_kind
        if not kind.is_gpu_index:
            raise CompileError(f"loop '{loop.loop_name}' is a virtual thread: that is for the VTA", location_of(loop))
        if extents.setdefault(kind, loop.trip_count) != loop.trip_count:
            raise CompileError(
                f"loop '{loop.loop_name}' has extent {loop.trip_count}, another loop bound to {kind.value} "
                f"{extents[kind]}: all loops of one index must have one extent",
                location_of(loop),
            )
    threads = 1
    for kind, extent in extents.items():
        threads *= extent if kind.is_thread else 1
    if threads > 1024:
        raise CompileError(f"{threads} threads per block; CUDA allows 1024: bind shorter loops to threadIdx")
    return extents


def _index(start: Block, kind: LoopKind) -> SSAValue:
    prefix, dimension = kind.value.split(".")
    attribute = gpu.DimensionAttr(gpu.DimensionEnum(dimension))
    op = gpu.BlockIdOp(attribute) if prefix == "blockIdx" else gpu.ThreadIdOp(attribute)
    op.result.name_hint = f"{'block' if prefix == 'blockIdx' else 'thread'}_{dimension}"
    _insert_first(start, op)
    return op.result


def _belongs_at_start(op: Operation) -> bool:
    return isinstance(op, FragmentsOp) or (isinstance(op, AllocOp) and scope_of(op.memref) == "shared")


def _insert_first(body: Block, op: Operation) -> None:
    first = body.first_op
    if first is None:
        body.add_op(op)
    else:
        body.insert_op_before(op, first)


def _indexes_fragments(loop: ForOp) -> bool:
    """Fragments may only be named by constants, so loops that choose one must be unrolled."""
    derived: set[SSAValue] = {loop.induction_variable}
    for op in loop.walk():
        if isinstance(op, ApplyOp) and any(operand in derived for operand in op.operands):
            derived.update(op.results)
        if any(index in derived for index in _fragment_indices(op)):
            return True
    return False


def _fragment_indices(op: Operation) -> list[SSAValue]:
    """The operands of a warp operation that name fragments."""
    if isinstance(op, MmaSyncOp):
        return [op.accumulator_index, op.a_index, op.b_index]
    if isinstance(op, FillFragmentOp | LoadMatrixSyncOp | StoreMatrixSyncOp | MapFragmentOp):
        return [op.index]
    return []


def _dissolve(loop: ForOp) -> None:
    parent = loop.parent
    if parent is None:
        raise ValueError("the loop stands nowhere")
    for child in list(loop.body.block.ops):
        child.detach()
        parent.insert_op_before(child, loop)
    loop.detach()
    loop.erase()
