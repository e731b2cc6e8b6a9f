"""convert-copies-to-stores: loops tensorized with tma.store -> bulk copies of boxes that a warp has written.

before: for i < 16, j < 64: c[row * 16 + i, column * 64 + j] = tile[i, j]               (tensorize "tma.store")
after:  tma.publish; tma.store tile[0], c[column * 64, row * 16] boxes [64, 16]; tma.commit_stores; tma.wait_stores 0
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, UnitAttr, i64
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.bulk_copies.box_stores import STORE_BOX, match_store, written_by_others
from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import enclosing_loops, extents_around
from vtac.analysis.tensor_cores.fragment_plans import intrinsic_of
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.tensor_maps import FIRST_CAPABILITY
from vtac.dialects.tma import BoxesAttr, CommitStoresOp, PublishOp, StoreOp, WaitStoresOp
from vtac.dialects.tma.declared import BY_WARPS
from vtac.dialects.wmma.declared import DYNAMIC_SIZE
from vtac.errors import CompileError
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once


@dataclass
class ConvertStore(RewritePattern):
    """A tensorized copy -> the boxes that each warp stores, as a group of its own that it waits for."""

    function: FuncOp

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if intrinsic_of(op) != STORE_BOX:
            return
        found = match_store(op)
        problem = found if isinstance(found, str) else written_by_others(found, self.function)
        if isinstance(found, str) or problem:
            raise CompileError(f"tma.store: {problem}", location_of(op))
        source = found.block.inputs[0]
        around = [one for one in enclosing_loops(op) if not one.loop_kind.is_bound and one.trip_count > 1]
        if around or not isinstance(source.owner, AllocOp):
            again = (
                f"loop '{around[-1].loop_name}' stores a buffer again" if around else "it stores what is no allocation"
            )
            raise CompileError(f"tma.store: {again}: compute_at it inside, once for each block", location_of(op))
        BY_WARPS.set(source.owner, True)
        values = HostValues(extents_around(op))
        stores: list[Operation] = []
        for place, coordinates in found.parts:
            operands = [values.materialise(values.value(one)) for one in (place, *coordinates)]
            stores.append(
                StoreOp(
                    operands=[source, operands[0], found.block.output, operands[1:]],
                    properties={"boxes": BoxesAttr(found.boxes)},
                )
            )
        wait = WaitStoresOp(properties={"groups": IntegerAttr(0, i64), "read": UnitAttr()})
        made = [*values.operations, PublishOp(), *stores, CommitStoresOp(), wait]
        for operation in made:
            operation.location = op.location
        rewriter.replace(op, made, [])


@dataclass(frozen=True)
class ConvertCopiesToStores(ModulePass):
    """Turn loops tensorized with tma.store into bulk copies from shared memory.

    requires: compacted buffers, whose layouts are known; blocks that write them.
    ensures:  such a loop is a tma.store, or one for each panel of its buffer's layout, of what the warp has written
              itself; what lies outside of the array is not written; the source is free again after it.
    declines: loops that store no box, what other warps have written, buffers that are stored several times, older
              architectures or none, dynamic sizes.
    """

    name = "convert-copies-to-stores"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        first = next((one for one in op.walk() if isinstance(one, ForOp) and intrinsic_of(one) == STORE_BOX), None)
        if first is None:
            return
        record = architecture_of(op)
        if record is None or record.compute_capability < FIRST_CAPABILITY:
            found = "no architecture is given" if record is None else f"{record.name} has none"
            raise CompileError(f"tma.store: {found}; sm_90 and later copy boxes in bulk", location_of(first))
        if DYNAMIC_SIZE.get(op) is not None:
            raise CompileError(
                "tma.store: a tensor map has the extents of its array, and one of this program's is dynamic: compile "
                "it for its sizes, or store results from registers",
                location_of(first),
            )
        for function in [one for one in op.ops if isinstance(one, FuncOp)]:
            rewrite_once(function, ConvertStore(function))
