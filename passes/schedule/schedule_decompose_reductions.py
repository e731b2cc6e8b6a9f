"""schedule-decompose-reductions: give every init a block of its own."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from vtac.analysis.locations import location_of
from vtac.analysis.nest import blocks_under
from vtac.analysis.reductions import mixed_loop, reduction_loop
from vtac.errors import CompileError
from vtac.passes.directives.handles import describe
from vtac.rewriting.inits import split_off_init


@dataclass(frozen=True)
class ScheduleDecomposeReductions(ModulePass):
    """Split each init off, before the outermost loop that reduces.

    requires: a scheduled payload.
    ensures:  no block has an init; hardware annotations are on the init's loops too.
    declines: a reduction without any loop; a loop fused from a spatial and a reduction loop.
    """

    name = "schedule-decompose-reductions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if not isinstance(function, FuncOp):
                continue
            for block in blocks_under(function):
                if block.init is None:
                    continue
                loop = reduction_loop(block)
                if loop is None:
                    raise CompileError(f"block '{block.block_name}' reduces without a loop", location_of(block))
                mixed = mixed_loop(block)
                if mixed is not None:
                    raise CompileError(
                        f"schedule-decompose-reductions: loop {describe(mixed)} of block '{block.block_name}' is "
                        "spatial and reducing at once; do not fuse across the kinds",
                        location_of(block),
                    )
                split_off_init(block, loop, f"{block.block_name}_init")
