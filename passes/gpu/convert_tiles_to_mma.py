"""convert-tiles-to-mma: loops tensorized with intrinsics of the mma level -> registers of lanes and their operations.

before: for i < 16, k < 16: left[row * 16 + i, k] = a[i, step * 64 + k]        (tensorize "mma.ldmatrix")
after:  mma.ldmatrix left[row], a[lane mod 16 * 64 + lane / 16 * 8 + step * 64] matrices 4
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import gpu
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, UnitAttr, i64
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.kernels.lanes import address_of_lane, place_of_lane
from vtac.analysis.nests.constant_fills import filled_value
from vtac.analysis.nests.nest import buffer_name, extents_around
from vtac.analysis.nests.tiles import perfect_nest
from vtac.analysis.tensor_cores.fragment_plans import intrinsic_of, tile_block
from vtac.analysis.tensor_cores.mma_tiles import (
    LOAD,
    MATRIX_STORE,
    MMA_INTRINSICS,
    STORE,
    PlannedTiles,
    TileAccess,
    match_load,
    match_product_tile,
    match_result,
    mma_loops,
    no_tile,
    plan_tiles,
    starts_sums,
    tile_access,
)
from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.mma import FillOp, LdmatrixOp, SyncOp, TilesOp, TilesType
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.tensor_maps import FIRST_CAPABILITY
from vtac.dialects.wmma.declared import COPIES, CUT_TF32
from vtac.rewriting.edits import insert_ops
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.lane_results import LaneResults
from vtac.rewriting.matrix_results import MatrixResults
from vtac.rewriting.register_buffers import DropBuffer
from vtac.rewriting.walker import rewrite_once

Plan = Mapping[SSAValue, PlannedTiles]


@dataclass
class DeclareTiles(RewritePattern):
    """An allocation of a fragment buffer -> mma.tiles before it; the allocation is dropped at the end."""

    plan: Plan
    declared: dict[SSAValue, SSAValue]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp, rewriter: PatternRewriter) -> None:
        if op.memref not in self.plan:
            return
        if COPIES.is_on(op):
            raise no_tile(
                op,
                f"double_buffer of '{buffer_name(op.memref)}', whose tiles lie in registers of mma.sync: leave it to "
                "the compiler, which orders loads within a step by itself",
            )
        tiles = TilesOp(result_types=[TilesType(self.plan[op.memref].tiles)])
        tiles.tiles.name_hint = op.memref.name_hint
        tiles.location = op.location
        self.declared[op.memref] = tiles.tiles
        insert_ops(tiles, InsertPoint.before(op), rewriter)


@dataclass
class ConvertTile(RewritePattern):
    """A loop tensorized with an intrinsic of the mma level -> what each lane of a warp does."""

    plan: Plan
    declared: Mapping[SSAValue, SSAValue]
    cuts: bool = False

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        intrinsic = intrinsic_of(op)
        if intrinsic not in MMA_INTRINSICS:
            return
        values = HostValues(extents_around(tile_block(op)))
        if intrinsic == LOAD:
            made = [self._load(op, values)]
        elif intrinsic == STORE:
            made = self._result(op, values, rewriter)
        elif intrinsic == MATRIX_STORE:
            made = self._stored(op, values, rewriter)
        else:
            made = [self._fill(op, values) if starts_sums(op) else self._product(op, intrinsic, values)]
        operations = [*values.operations, *made]
        for operation in operations:
            operation.location = op.location
        rewriter.replace(op, operations, [])

    def _planned(self, loop: ForOp, buffer: SSAValue) -> PlannedTiles:
        if buffer not in self.plan:
            raise no_tile(loop, f"no mma.sync takes tiles of '{buffer_name(buffer)}', so its registers are unknown")
        return self.plan[buffer]

    def _index(self, loop: ForOp, block: BlockOp, position: int, values: HostValues) -> SSAValue:
        """The number of the tile of a fragment buffer that a loop accesses as a whole."""
        return values.materialise(values.value(self._access(loop, block, position, (1, 1)).tile))

    def _access(self, loop: ForOp, block: BlockOp, position: int, counts: tuple[int, int]) -> TileAccess:
        """How a loop accesses so many tiles of a fragment buffer, along major and minor."""
        nest = perfect_nest(loop)
        planned = self._planned(loop, (*block.inputs, block.output)[position])
        access = tile_access(block, position, nest[0] if nest is not None else [], planned)
        if isinstance(access, str):
            raise no_tile(loop, access)
        if (access.majors, access.minors) != counts:
            wanted = "one" if counts == (1, 1) else f"{counts[1]}, whose columns take turns"
            raise no_tile(loop, f"{access.majors * access.minors} tiles at once; split the loops down to {wanted}")
        return access

    def _product(self, loop: ForOp, intrinsic: str, values: HostValues) -> Operation:
        product = match_product_tile(loop, intrinsic)
        if isinstance(product, str):
            raise no_tile(loop, product)
        buffers = (product.block.output, *(product.block.inputs[at] for at in (product.a, product.b)))
        operands: list[SSAValue] = []
        for buffer, tile in zip(buffers, product.tiles, strict=True):
            operands += [self.declared[buffer], values.materialise(values.value(tile.tile))]
        return SyncOp(operands=operands)

    def _fill(self, loop: ForOp, values: HostValues) -> Operation:
        block = tile_block(loop)
        value = filled_value(block)
        if value is None:
            raise no_tile(loop, "expected a constant that sums start from")
        index = self._index(loop, block, 0, values)
        return FillOp.get(self.declared[block.output], index, value)

    def _load(self, loop: ForOp, values: HostValues) -> Operation:
        block = tile_block(loop)
        planned = self._planned(loop, block.output)
        load = match_load(loop, planned)
        if isinstance(load, str):
            raise no_tile(loop, load)
        transposed = load.memory.column_stride != 1
        lane = _lane(values)
        loaded = (load.access.majors, load.access.minors)
        major, minor = address_of_lane(lane, planned.tiles, loaded, transposed=transposed)
        offset = load.memory.offset + major * load.memory.row_stride + minor * load.memory.column_stride
        index = values.materialise(values.value(load.access.tile))
        place = values.materialise(values.value(offset))
        matrices = loaded[0] * loaded[1] * planned.tiles.words
        marks = {"transposed": transposed, "cut": self.cuts and planned.tiles.element == "tf32"}
        properties = {"matrices": IntegerAttr(matrices, i64), **{name: UnitAttr() for name, on in marks.items() if on}}
        operands = [self.declared[block.output], index, block.inputs[0], place]
        return LdmatrixOp(operands=operands, properties=properties)

    def _result(self, loop: ForOp, values: HostValues, rewriter: PatternRewriter) -> list[Operation]:
        found = match_result(loop)
        if isinstance(found, str):
            raise no_tile(loop, found)
        block = found.block
        buffer = block.inputs[found.accumulator]
        planned = self._planned(loop, buffer)
        step = planned.step(planned.minor)
        access = self._access(loop, block, found.accumulator, (1, step))
        indices = [values.materialise(values.value(access.tile + at)) for at in range(step)]
        lanes = LaneResults(found, self.declared[buffer], values, rewriter)
        layout, lane = planned.tiles.layout, _lane(values)
        for number, piece in enumerate(layout.pieces):
            row, column = place_of_lane(lane, piece, layout.per_piece, step)
            elements = [layout.per_piece * number + at for at in range(layout.per_piece)]
            # Neighbours are two elements of one tile, or an element of each of two tiles that take turns.
            pairs = [elements] if step == 1 else [[one] for one in elements]
            for place, pair in enumerate(pairs):
                loops: dict[Hashable, Linear] = {
                    access.major.induction_variable: row,
                    access.minor.induction_variable: column + place * step,
                }
                lanes.pair([(index, one) for one in pair for index in indices], loops, access.minor)
        return []

    def _stored(self, loop: ForOp, values: HostValues, rewriter: PatternRewriter) -> list[Operation]:
        """Two tiles of results side by side, stored by all lanes together."""
        found = match_result(loop)
        if isinstance(found, str):
            raise no_tile(loop, found)
        block, buffer = found.block, found.block.inputs[found.accumulator]
        layout = self._planned(loop, buffer).tiles.layout
        access = self._access(loop, block, found.accumulator, (1, 2))
        indices = [values.materialise(values.value(access.tile + at)) for at in range(2)]
        results = MatrixResults(found, self.declared[buffer], values, rewriter)
        return results.store(access, layout, indices, _lane(values))


def _lane(values: HostValues) -> SSAValue:
    """The number of the lane in its warp, a variable of the expressions."""
    lane = gpu.LaneIdOp()
    lane.result.name_hint = "lane"
    values.operations.append(lane)
    values.extents = {**values.extents, lane.result: WARP_SIZE}
    return lane.result


def _check_stores(module: ModuleOp) -> None:
    """Raises `CompileError` for `stmatrix` on architectures before it."""
    loop = next((one for one in mma_loops(module) if intrinsic_of(one) == MATRIX_STORE), None)
    record = architecture_of(module) if loop is not None else None
    if loop is not None and (record is None or record.compute_capability < FIRST_CAPABILITY):
        found = "no architecture is given" if record is None else f"{record.name} has none"
        raise no_tile(loop, f"stmatrix: {found}; sm_90 and later store matrices")


@dataclass(frozen=True)
class ConvertTilesToMma(ModulePass):
    """Turn loops tensorized with `mma.` intrinsics into operations on the registers of a warp's lanes.

    The tiles of a function are planned as a whole (`vtac.analysis.tensor_cores.mma_tiles`); patterns apply the plan.

    requires: compacted buffers; fragment buffers of `mma.` products used only by loops tensorized with `mma.`.
    ensures:  those buffers are mma.tiles; products are mma.sync, loads ldmatrix with the row that each lane names,
              results what each lane computes of the elements that it holds, stored two at a time where they lie side
              by side at a multiple of two.
    declines: tiles that are not whole, loads that ldmatrix cannot do, results that read padding, double_buffer;
              stmatrix before sm_90, and under guards of more than what is not stored further.
    """

    name = "convert-tiles-to-mma"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        _check_stores(op)
        for function in [inner for inner in op.ops if isinstance(inner, FuncOp)]:
            plan = plan_tiles(function)
            declared: dict[SSAValue, SSAValue] = {}
            rewrite_once(function, DeclareTiles(plan, declared))
            rewrite_once(function, ConvertTile(plan, declared, CUT_TF32.is_on(op)))
            rewrite_once(function, DropBuffer(declared, "registers", no_tile))
