"""convert-gemm-to-vta: loops marked `tensorize = "vta.gemm"` -> vta.gemm."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import Attribute
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.target import config_of
from vtac.analysis.nests.accesses import all_indices_of
from vtac.analysis.nests.nest import enclosing_loops
from vtac.analysis.nests.tiles import perfect_nest, tile_access, tile_shape
from vtac.analysis.vta.gemm import GemmTile, match_gemm
from vtac.analysis.vta.kernel_shapes import (
    KernelShape,
    micro_op_count,
    micro_op_limit,
    shape_kernel,
    with_distinct_neighbours,
)
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.declared import TENSORIZE
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.vta.kernels import GemmOp
from vtac.errors import CompileError, TilingError
from vtac.rewriting.walker import rewrite_once

GEMM = "vta.gemm"


@dataclass
class ConvertTensorizedLoop(RewritePattern):
    """One tensorized loop."""

    config: VTAConfig

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if TENSORIZE.get(op) != GEMM:
            return
        tile = match_gemm(op, self.config)
        if isinstance(tile, str):
            raise CompileError(f"tensorize of loop '{op.loop_name}': it is not vta.gemm: {tile}", location_of(op))
        loops = kernel_loops(op)
        indices = self._indices(tile, op)
        while True:
            shape = shape_kernel(loops, indices)
            if micro_op_count(shape) <= micro_op_limit(self.config):
                break
            loops = loops[1:]
        outermost = loops[0] if loops else op
        kernel = self._kernel(tile, shape)
        kernel.location = tile.block.location
        rewriter.replace(outermost, kernel)

    def _indices(self, tile: GemmTile, loop: ForOp) -> list[Linear]:
        nest = perfect_nest(loop)
        if nest is None:
            raise CompileError(f"loop '{loop.loop_name}' holds several statements", location_of(loop))
        positions = [(len(tile.block.buffers) - 1, "acc")]
        if tile.inp is not None and tile.wgt is not None:
            positions += [(tile.inp, "inp"), (tile.wgt, "wgt")]
        indices: list[Linear] = []
        accessed = all_indices_of(tile.block)
        for position, memory in positions:
            found = tile_access(tile.block, position, accessed[position], nest[0], tile_shape(self.config, memory))
            if isinstance(found, str):
                raise CompileError(f"tensorize of block '{tile.block.block_name}': {found}", location_of(loop))
            indices.append(found[0])
        return indices if len(indices) == 3 else [*indices, Linear(0), Linear(0)]

    def _kernel(self, tile: GemmTile, shape: KernelShape) -> GemmOp:
        legal = with_distinct_neighbours(shape)
        if legal is None:
            raise _repeated_destination(tile.block, shape)
        block = tile.block
        buffers = [block.buffers[-1]] * 3
        if tile.inp is not None and tile.wgt is not None:
            buffers[1:] = [block.buffers[tile.inp], block.buffers[tile.wgt]]
        properties: dict[str, Attribute | None] = {"reset": UnitAttr() if tile.is_reset else None}
        micro = [loop.extent for loop in legal.micro]
        return GemmOp.build_kernel(legal.captures, buffers, legal.hardware, micro, legal.index_map(), properties)


def kernel_loops(loop: ForOp) -> list[ForOp]:
    """The serial loops around a tensorized loop that hold nothing else, outermost first."""
    around: list[ForOp] = []
    inner = loop
    for outer in reversed(enclosing_loops(loop)):
        body = outer.body.block
        if body.first_op is not inner or body.last_op is not inner or outer.loop_kind is not LoopKind.SERIAL:
            break
        around.insert(0, outer)
        inner = outer
    return around


def _repeated_destination(block: BlockOp, shape: KernelShape) -> TilingError:
    loops = ", ".join(f"'{loop.loop.loop_name}' (extent {loop.extent})" for loop in shape.micro)
    return TilingError(
        f"tensorize of block '{block.block_name}': micro-op loops {loops} write a tile again within two micro-ops in "
        "every order; the runtime requires three different dst in a row: put a loop of extent 3 or more over an "
        "output dimension inside the two outermost loops",
        location_of(block),
    )


@dataclass(frozen=True)
class ConvertGemmToVta(ModulePass):
    """Turn each tensorized loop, with the serial loops that hold nothing else, into a kernel.

    requires: compacted buffers in vta.inp, vta.wgt, vta.acc; no init, no guard.
    ensures:  the two outermost loops run in hardware, the others are micro-ops; loops whose
              micro-ops would not fit stay host loops; no dst repeats within three micro-ops.
    declines: loops that are no GEMM tile; micro-op loops that repeat a dst in every order.
    """

    name = "convert-gemm-to-vta"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, ConvertTensorizedLoop(config_of(op)))
