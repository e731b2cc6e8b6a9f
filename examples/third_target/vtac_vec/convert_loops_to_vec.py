"""convert-loops-to-vec: tensorized loops -> instructions of the vector machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import extents_around, scope_of
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import CompileError
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once
from vtac_vec.dialect import AxpyOp, LoadOp, StoreOp, VecOp, ZeroOp
from vtac_vec.matching import INTRINSICS, Instruction, match


class ConvertTensorizedLoop(RewritePattern):
    """One loop that an instruction computes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        name = getattr(op.attributes.get("tensorize"), "data", "")
        if name not in INTRINSICS:
            return
        found = match(name, op)
        if isinstance(found, str):
            raise CompileError(f"loop '{op.loop_name}' is not {name}: {found}", location_of(op))
        values = HostValues(extents_around(op))
        memory = [place for place in found.places if scope_of(place.buffer) == "global"]
        at = [values.materialise(values.value(place.at)) for place in memory]
        instruction = _operation(found, at)
        instruction.location = op.location
        rewriter.replace(op, [*values.operations, instruction], [])


class RefuseUnmapped(RewritePattern):
    """A block that no instruction computes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BlockOp, rewriter: PatternRewriter) -> None:
        raise CompileError(
            f"block '{op.block_name}' is mapped to no instruction: tensorize a loop around it", location_of(op)
        )


@dataclass(frozen=True)
class ConvertLoopsToVec(ModulePass):
    """Turn tensorized loops into instructions.

    requires: compacted buffers in vec.local (schedule-compact-buffers).
    ensures:  no schedule.block is left; offsets are affine.apply over the loops around.
    declines: a loop that is not the intrinsic it is tensorized to; a block outside of such loops.
    """

    name = "convert-loops-to-vec"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, ConvertTensorizedLoop())
        rewrite_once(op, RefuseUnmapped())


def _operation(found: Instruction, at: Sequence[SSAValue]) -> VecOp:
    """The operation of an instruction; `at` is where its operand in main memory begins, if it has one."""
    buffers = [place.buffer for place in found.places]
    match found.name:
        case "vec.zero":
            return ZeroOp(operands=buffers)
        case "vec.load":
            return LoadOp(operands=[*buffers, *at])
        case "vec.store":
            return StoreOp(operands=[buffers[0], *at, buffers[1]])
        case _:
            return AxpyOp(operands=[buffers[0], buffers[1], *at, buffers[2]])
