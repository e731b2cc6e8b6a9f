"""convert-loops-to-gpu: loops bound to GPU indices -> gpu.block_id and gpu.thread_id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects import gpu
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.lanes import gpu_extents
from vtac.analysis.kernels.warp_operations import ARRAYS, named_tiles
from vtac.analysis.nests.nest import enclosing_loops, scope_of
from vtac.dialects.clusters import FIRST_WITH_CLUSTERS
from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.schedule.attributes import LoopKind, LoopKindAttr
from vtac.dialects.schedule.declared import CLUSTER, UNROLL
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.wmma.declared import BLOCK, CLUSTER_DIMENSIONS, GRID, KERNEL
from vtac.errors import CompileError
from vtac.rewriting.edits import dissolve, move_op
from vtac.rewriting.loop_copies import refuse_many_copies
from vtac.rewriting.walker import rewrite_once

_DIMENSIONS = ("x", "y", "z")
_MOST_THREADS = 1024


class ReplaceBoundLoop(RewritePattern):
    """A bound loop -> what it holds, with the index of the launch for its variable."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if op.loop_kind.is_gpu_index:
            dissolve(op, [_index(_kernel_body(op), op.loop_kind, rewriter)], rewriter)


class ReplaceLane(RewritePattern):
    """The number of a lane in its warp -> threadIdx.x, or what 32 leaves of it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: gpu.LaneIdOp, rewriter: PatternRewriter) -> None:
        body = _kernel_body(op)
        function = body.parent_op()
        x = (BLOCK.get(function) or (1, 1, 1))[0] if isinstance(function, FuncOp) else 1
        if x % WARP_SIZE:
            raise CompileError(
                f"lanes of a warp hold tiles of a product, and threadIdx.x has {x} values: bind loops of "
                f"{WARP_SIZE} iterations to it, such as those over the lanes of copies",
                location_of(op),
            )
        thread = _index(body, LoopKind.THREAD_X, rewriter)
        if x == WARP_SIZE:
            rewriter.replace(op, [], [thread])
            return
        lane = AffineMap(1, 0, (AffineExpr.dimension(0) % WARP_SIZE,))
        rewriter.replace(op, ApplyOp([thread], AffineMapAttr(lane)))


class DeclareAtStart(RewritePattern):
    """Shared memory and fragments are declared where the kernel starts."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if isinstance(op, ARRAYS) or (isinstance(op, AllocOp) and scope_of(op.memref) == "shared"):
            move_op(op, InsertPoint.at_start(_kernel_body(op)), rewriter)


class SettleLoop(RewritePattern):
    """The loops left are serial; those that a compiler has to unroll say so."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if op.loop_kind is LoopKind.UNROLLED:
            refuse_many_copies(op, _written_out(op))
        if op.loop_kind is LoopKind.UNROLLED or _indexes_fragments(op):
            UNROLL.set(op, True)
        op.kind = LoopKindAttr(LoopKind.SERIAL)
        rewriter.notify_op_modified(op)


def _written_out(loop: ForOp) -> int:
    """How often a compiler writes out what an unrolled loop holds, with the unrolled loops around it."""
    unrolled = [one for one in enclosing_loops(loop) if one.loop_kind is LoopKind.UNROLLED or UNROLL.is_on(one)]
    return prod(one.trip_count for one in (*unrolled, loop))


def _mark_kernel(function: FuncOp, extents: Mapping[LoopKind, int]) -> None:
    """Make a function a kernel with the extents of its launch."""
    KERNEL.set(function, True)
    for launch, prefix in ((GRID, "blockIdx"), (BLOCK, "threadIdx")):
        launch.set(function, tuple(extents.get(LoopKind(f"{prefix}.{dimension}"), 1) for dimension in _DIMENSIONS))
    for loop in [op for op in function.walk() if isinstance(op, ForOp) and CLUSTER.is_on(op)]:
        _require_clusters(loop)
        size = CLUSTER.remove(loop) or 1
        dimensions = tuple(size if loop.loop_kind.value == f"blockIdx.{one}" else 1 for one in _DIMENSIONS)
        CLUSTER_DIMENSIONS.set(function, dimensions)


def _require_clusters(loop: ForOp) -> None:
    """Raises `CompileError` where the module names no architecture, or one whose blocks form no clusters."""
    module = loop.get_toplevel_object()
    record = architecture_of(module) if isinstance(module, ModuleOp) else None
    if record is None or record.compute_capability < FIRST_WITH_CLUSTERS:
        found = "no architecture is given" if record is None else f"{record.name} has none"
        raise CompileError(f"cluster: {found}; blocks of sm_90 and later form clusters", location_of(loop))


def _extents(function: FuncOp) -> Mapping[LoopKind, int]:
    """The GPU indices of a function and their extents, by first appearance. Raises `CompileError` if it has two."""
    for loop in [op for op in function.walk() if isinstance(op, ForOp) and op.loop_kind.is_bound]:
        if not loop.loop_kind.is_gpu_index:
            raise CompileError(f"loop '{loop.loop_name}' is a virtual thread: that is for the VTA", location_of(loop))
    extents = gpu_extents(function)
    threads = 1
    for kind, extent in extents.items():
        threads *= extent if kind.is_thread else 1
    if threads > _MOST_THREADS:
        raise CompileError(
            f"{threads} threads per block; CUDA allows {_MOST_THREADS}: bind shorter loops to threadIdx",
            location_of(function),
        )
    return extents


def _kernel_body(op: Operation) -> Block:
    """The body of the function around an op."""
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, FuncOp):
        parent = parent.parent_op()
    if parent is None:
        raise CompileError(f"'{op.name}' stands outside of a function", location_of(op))
    return parent.body.block


def _index(body: Block, kind: LoopKind, rewriter: PatternRewriter) -> SSAValue:
    """The index of the launch, read where the kernel starts; made when it is first asked for."""
    prefix, dimension = kind.value.split(".")
    reads = gpu.BlockIdOp if prefix == "blockIdx" else gpu.ThreadIdOp
    wanted = gpu.DimensionAttr(gpu.DimensionEnum(dimension))
    for op in body.ops:
        if isinstance(op, reads) and op.dimension == wanted:
            return op.result
        if not isinstance(op, gpu.BlockIdOp | gpu.ThreadIdOp):
            break
    made = rewriter.insert(reads(wanted), InsertPoint.at_start(body))
    made.result.name_hint = f"{'block' if prefix == 'blockIdx' else 'thread'}_{dimension}"
    return made.result


def _indexes_fragments(loop: ForOp) -> bool:
    """Fragments may only be named by constants, so loops that choose one must be unrolled."""
    derived: set[SSAValue] = {loop.induction_variable}
    for op in loop.walk():
        if isinstance(op, ApplyOp) and any(operand in derived for operand in op.operands):
            derived.update(op.results)
        if any(index in derived for _, index in named_tiles(op)):
            return True
    return False


@dataclass(frozen=True)
class ConvertLoopsToGpu(ModulePass):
    """Replace bound loops by the indices of the launch.

    requires: every block lowered; loops of one index have one extent.
    ensures:  the function is a kernel with `wmma.grid` and `wmma.block`, and `wmma.cluster` where a loop has clusters;
              shared memory and
              fragments are declared at its start; the loops left are serial.
    declines: an index bound with different extents, virtual threads, more than 1,024 threads, lanes of warps that
              threadIdx.x does not count, unrolled loops of more operations than the limit on what is written out, and
              clusters without an architecture that has them.
    """

    name = "convert-loops-to-gpu"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.ops if isinstance(inner, FuncOp)]:
            extents = _extents(function)
            if extents:
                _mark_kernel(function, extents)
                rewrite_once(function, ReplaceBoundLoop())
                rewrite_once(function, ReplaceLane())
                rewrite_once(function, DeclareAtStart(), SettleLoop())
