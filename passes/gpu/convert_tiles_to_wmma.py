"""convert-tiles-to-wmma: loops tensorized with wmma intrinsics -> fragments and their operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.kernels.alignment import multiple_of
from vtac.analysis.nests.constant_fills import filled_value
from vtac.analysis.nests.nest import buffer_name, extents_around, scope_of
from vtac.analysis.nests.tiles import perfect_nest
from vtac.analysis.tensor_cores.fragment_plans import intrinsic_of, is_product, no_tile, plan_fragments, tile_block
from vtac.analysis.tensor_cores.warp_tiles import (
    MatrixAccess,
    TileIndex,
    element_name,
    fragment_tile,
    match_multiply,
    match_transfer_tile,
)
from vtac.dialects.gpu_hardware import ELEMENT_BYTES, TILE_BYTES
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.scopes import FRAGMENT_ROLES
from vtac.dialects.wmma import (
    FillFragmentOp,
    FragmentsOp,
    FragmentType,
    LoadMatrixSyncOp,
    MmaSyncOp,
    StoreMatrixSyncOp,
)
from vtac.dialects.wmma.attributes import Fragment
from vtac.dialects.wmma.declared import COPIES
from vtac.rewriting.edits import insert_ops
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.register_buffers import DropBuffer
from vtac.rewriting.walker import rewrite_once

_PITCH_BYTES = 16

Fragments = dict[SSAValue, SSAValue]
"""The fragments that were declared for buffers."""


@dataclass
class DeclareFragments(RewritePattern):
    """An allocation of a fragment buffer -> wmma.fragments before it; the allocation is dropped at the end."""

    plan: Mapping[SSAValue, Fragment]
    declared: Fragments

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp, rewriter: PatternRewriter) -> None:
        if op.memref not in self.plan:
            return
        fragments = FragmentsOp(result_types=[FragmentType(self.plan[op.memref])])
        fragments.fragments.name_hint = op.memref.name_hint
        fragments.location = op.location
        COPIES.copy(op, fragments)
        self.declared[op.memref] = fragments.fragments
        insert_ops(fragments, InsertPoint.before(op), rewriter)


@dataclass
class ConvertTile(RewritePattern):
    """A loop tensorized with a wmma intrinsic -> the operation of a warp that it computes."""

    declared: Fragments

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if not intrinsic_of(op).startswith("wmma."):
            return
        block = tile_block(op)
        values = HostValues(extents_around(block))
        if is_product(op):
            made = self._product(op, values)
        elif not block.inputs:
            made = self._fill(op, block, values)
        else:
            made = self._transfer(op, block, values)
        operations = [*values.operations, made]
        for operation in operations:
            operation.location = op.location
        rewriter.replace(op, operations, [])

    def _product(self, loop: ForOp, values: HostValues) -> Operation:
        product = match_multiply(loop)
        if isinstance(product, str):
            raise no_tile(loop, product)
        block = product.block
        operands: list[SSAValue] = []
        buffers = (block.output, block.inputs[product.a], block.inputs[product.b])
        for buffer, tile in zip(buffers, product.tiles, strict=True):
            operands += [self.declared[buffer], values.materialise(values.value(tile.tile))]
        return MmaSyncOp(operands=operands)

    def _fill(self, loop: ForOp, block: BlockOp, values: HostValues) -> Operation:
        value, nest = filled_value(block), perfect_nest(loop)
        if value is None or nest is None:
            raise no_tile(loop, "expected a constant to fill fragments with")
        tile = fragment_tile(block, 0, nest[0])
        if isinstance(tile, str):
            raise no_tile(loop, tile)
        index = values.materialise(values.value(tile.tile))
        return FillFragmentOp.get(self._fragments(block.output, loop), index, value)

    def _transfer(self, loop: ForOp, block: BlockOp, values: HostValues) -> Operation:
        match = match_transfer_tile(loop)
        if isinstance(match, str):
            raise no_tile(loop, match)
        _, tile, access = match
        for buffer in (block.output, *block.inputs):
            if scope_of(buffer) == "local":
                raise no_tile(
                    loop,
                    f"'{buffer_name(buffer)}' is in scope local, a thread's own: the fragments of a warp lie in shared "
                    "or global memory",
                )
        if scope_of(block.output) in FRAGMENT_ROLES:
            leading = _leading_of_load(block, access)
            operands = self._operands(block, block.output, tile, block.inputs[0], access, leading, values)
            return LoadMatrixSyncOp(operands=[*operands, []], properties={"leading": IntegerAttr(leading, i64)})
        if access.column_stride != 1:
            raise no_tile(block, f"a column stride of {access.column_stride}; accumulators are stored row major")
        operands = self._operands(block, block.inputs[0], tile, block.output, access, access.row_stride, values)
        return StoreMatrixSyncOp(operands=[*operands, []], properties={"leading": IntegerAttr(access.row_stride, i64)})

    def _operands(
        self,
        block: BlockOp,
        buffer: SSAValue,
        tile: TileIndex,
        memory: SSAValue,
        access: MatrixAccess,
        leading: int,
        values: HostValues,
    ) -> list[SSAValue]:
        """Fragments and which of them, memory and where in it."""
        fragments = self._fragments(buffer, block)
        _check_alignment(block, memory, access.offset, leading, values)
        index = values.materialise(values.value(tile.tile))
        offset = values.materialise(values.value(access.offset))
        return [fragments, index, memory, offset]

    def _fragments(self, buffer: SSAValue, op: Operation) -> SSAValue:
        if buffer not in self.declared:
            raise no_tile(op, f"no mma_sync uses '{buffer_name(buffer)}', so its fragment shape is unknown")
        return self.declared[buffer]


def _leading_of_load(block: BlockOp, access: MatrixAccess) -> int:
    if 1 not in (access.row_stride, access.column_stride):
        raise no_tile(block, f"memory strides {access.row_stride} and {access.column_stride}; one must be 1")
    return access.row_stride if access.column_stride == 1 else access.column_stride


def _check_alignment(block: BlockOp, memory: SSAValue, offset: Linear, leading: int, values: HostValues) -> None:
    """CUDA's rules: rows of a tile lie a multiple of 16 bytes apart, and its first starts at a multiple of 32."""
    width = ELEMENT_BYTES[element_name(memory)]
    name = f"'{buffer_name(memory)}'"
    if leading * width % _PITCH_BYTES:
        raise no_tile(
            block,
            f"rows of {name} lie {leading} elements of {width} bytes apart; a multiple of {_PITCH_BYTES} bytes is "
            "required: choose another pitch with storage_align, or pad the rows",
        )
    start = multiple_of(offset, values.extents) * width
    if start % TILE_BYTES:
        raise no_tile(
            block,
            f"tiles of {name} start at multiples of {start} bytes; {TILE_BYTES} are required: use "
            "wider fragments, or another layout or pitch",
        )


def _convert(function: FuncOp) -> None:
    declared: Fragments = {}
    rewrite_once(function, DeclareFragments(plan_fragments(function), declared))
    rewrite_once(function, ConvertTile(declared))
    rewrite_once(function, DropBuffer(declared, "fragments", no_tile))


@dataclass(frozen=True)
class ConvertTilesToWmma(ModulePass):
    """Give every fragment buffer its type and turn tensorized loops into warp operations.

    The fragments of a function are planned as a whole (`vtac.analysis.tensor_cores.fragment_plans`); patterns apply the
    plan.

    requires: compacted buffers; fragment buffers used only by tensorized loops.
    ensures:  fragment buffers are wmma.fragments; loads, fills, multiplies and stores are
              wmma ops that name a fragment by index.
    declines: fragments in local memory; tiles that CUDA has no fragment for or cannot reach for their alignment, and
              anything but whole tiles.
    """

    name = "convert-tiles-to-wmma"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.ops if isinstance(inner, FuncOp)]:
            _convert(function)
