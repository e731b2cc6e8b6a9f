"""convert-tiles-to-wgmma: loops tensorized as products of a warpgroup -> descriptors, and asynchronous products.

before: for warp < 4 (threadIdx.y): for i < 16, j < 256, k < 16: c[i, j] += a[warp * 16 + i, k] * b[j, k]
after:  %a = wgmma.descriptor a[0]; %b = wgmma.descriptor b[0]; wgmma.mma_async c[0], %a, %b n 256
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.nests.constant_fills import filled_value
from vtac.analysis.nests.nest import extents_around
from vtac.analysis.nests.tiles import perfect_nest
from vtac.analysis.tensor_cores.fragment_plans import intrinsic_of, tile_block
from vtac.analysis.tensor_cores.mma_tiles import TileAccess, plan_tiles, starts_sums, tile_access
from vtac.analysis.tensor_cores.wgmma_tiles import (
    WGMMA_INTRINSICS,
    match_group_product,
    matrix_of,
    no_product,
    plan_group_tiles,
    sums_of,
    wgmma_loops,
)
from vtac.dialects.mma import FillOp
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.wgmma import DescriptorOp, DescriptorType, MmaAsyncOp
from vtac.dialects.wmma.declared import CUT_TF32
from vtac.passes.gpu.convert_tiles_to_mma import ConvertTile, DeclareTiles, Plan
from vtac.rewriting.edits import append
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.register_buffers import DropBuffer
from vtac.rewriting.walker import rewrite_once


@dataclass
class ConvertGroupTile(RewritePattern):
    """A loop tensorized as a product of a warpgroup -> two descriptors and the product, or the fills of its tiles."""

    plan: Plan
    declared: Mapping[SSAValue, SSAValue]
    cuts: bool

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        intrinsic = intrinsic_of(op)
        if intrinsic not in WGMMA_INTRINSICS:
            return
        values = HostValues(extents_around(tile_block(op)))
        made = self._fill(op, values) if starts_sums(op) else self._product(op, intrinsic, values)
        operations = [*values.operations, *made]
        for operation in operations:
            operation.location = op.location
        rewriter.replace(op, operations, [])

    def _product(self, loop: ForOp, intrinsic: str, values: HostValues) -> list[Operation]:
        product = match_group_product(loop, intrinsic)
        if isinstance(product, str):
            raise no_product(loop, product)
        if product.instruction.operand == "tf32" and not self.cuts:
            raise no_product(
                loop,
                "wgmma cuts floats to tf32 where other instructions round them: allow it with wmma.cut_tf32 on the "
                "module, or use mma.sync",
            )
        sums = self._tiles(loop, sums_of(product, self.plan[product.block.output]), values)
        descriptors: list[Operation] = []
        for position in (product.a, product.b):
            found = matrix_of(product, position)
            if isinstance(found, str):
                raise no_product(loop, found)
            matrix, start = found
            place = values.materialise(values.value(start))
            memory = product.block.inputs[position]
            descriptors.append(DescriptorOp(operands=[memory, place], result_types=[DescriptorType(matrix)]))
        operands = [self.declared[product.block.output], sums, *(one.results[0] for one in descriptors)]
        properties = {"n": IntegerAttr(product.instruction.n, i64)}
        return [*descriptors, MmaAsyncOp(operands=operands, properties=properties)]

    def _tiles(self, loop: ForOp, access: TileAccess | str, values: HostValues) -> SSAValue:
        """The number of the first tile."""
        if isinstance(access, str):
            raise no_product(loop, access)
        return values.materialise(values.value(access.tile))

    def _fill(self, loop: ForOp, values: HostValues) -> list[Operation]:
        """One fill for each tile, in a loop that is unrolled."""
        block, nest = tile_block(loop), perfect_nest(loop)
        value, planned = filled_value(block), self.plan.get(block.output)
        if value is None or planned is None:
            raise no_product(loop, "expected a constant that sums of a product start from")
        access = tile_access(block, 0, nest[0] if nest is not None else [], planned)
        first = self._tiles(loop, access, values)
        count = 1 if isinstance(access, str) else access.majors * access.minors
        tiles = ForOp.get(count, "tile", LoopKind.UNROLLED)
        together = AffineMap(2, 0, (AffineExpr.dimension(0) + AffineExpr.dimension(1),))
        index = ApplyOp([first, tiles.induction_variable], AffineMapAttr(together))
        append([index, FillOp.get(self.declared[block.output], index.results[0], value)], tiles.body.block)
        return [tiles]


@dataclass(frozen=True)
class ConvertTilesToWgmma(ModulePass):
    """Turn loops tensorized with `wgmma.` intrinsics, and `mma.store` of their results, into operations.

    The tiles of a function are planned as a whole (`vtac.analysis.tensor_cores.wgmma_tiles`); patterns apply the plan.

    requires: compacted buffers; operands in shared memory with their layouts (schedule-swizzle-storage).
    ensures:  products are wgmma.mma_async on descriptors of both operands, from where the warpgroup's matrices start;
              their accumulators are mma.tiles, of which results take single sums. Nothing waits for the products yet.
    declines: operands in plain rows or with other pitches than their swizzle, tiles that are not whole, floats in a
              module without `wmma.cut_tf32`.
    """

    name = "convert-tiles-to-wgmma"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        cuts = CUT_TF32.is_on(op)
        for function in [inner for inner in op.ops if isinstance(inner, FuncOp)]:
            if next(wgmma_loops(function), None) is None:
                continue
            plan = {**plan_tiles(function), **plan_group_tiles(function)}
            declared: dict[SSAValue, SSAValue] = {}
            rewrite_once(function, DeclareTiles(plan, declared))
            rewrite_once(function, ConvertGroupTile(plan, declared, cuts))
            rewrite_once(function, ConvertTile(plan, declared, cuts))
            rewrite_once(function, DropBuffer(declared, "registers", no_product))
