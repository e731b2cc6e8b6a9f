"""convert-tiles-to-wmma: loops tensorized with wmma intrinsics -> fragments and their operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import VerifyException

from vtac.analysis.constant_fills import filled_value
from vtac.analysis.linear import Linear
from vtac.analysis.locations import location_of
from vtac.analysis.nest import buffer_name, discard, extents_around, scope_of
from vtac.analysis.tiles import perfect_nest
from vtac.analysis.warp_tiles import (
    MatrixAccess,
    TileIndex,
    WarpMultiply,
    element_name,
    fragment_tile,
    match_multiply,
    match_transfer_tile,
)
from vtac.dialects.schedule.declared import TENSORIZE
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
from vtac.dialects.wmma.attributes import ELEMENT_BYTES, Fragment
from vtac.dialects.wmma.declared import COPIES
from vtac.dialects.wmma.ops import fragment_of
from vtac.errors import CompileError
from vtac.rewriting.index_values import HostValues

_PITCH_BYTES = 16
_TILE_BYTES = 32


@dataclass(frozen=True)
class ConvertTilesToWmma(ModulePass):
    """Give every fragment buffer its type and turn tensorized loops into warp operations.

    requires: compacted buffers; fragment buffers used only by tensorized loops.
    ensures:  fragment buffers are wmma.fragments; loads, fills, multiplies and stores are
              wmma ops that name a fragment by index.
    declines: tiles that CUDA has no fragment for or cannot reach for their alignment, and
              anything but whole tiles.
    """

    name = "convert-tiles-to-wmma"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                _Converter(function).convert()


class _Converter:
    def __init__(self, function: FuncOp) -> None:
        self.loops = [
            loop for loop in function.walk() if isinstance(loop, ForOp) and _intrinsic(loop).startswith("wmma.")
        ]
        self.fragments: dict[SSAValue, SSAValue] = {}

    def convert(self) -> None:
        multiplies = [loop for loop in self.loops if _intrinsic(loop) == "wmma.mma_sync" and _block(loop).inputs]
        matched = [(loop, self._matched(loop, match_multiply(loop))) for loop in multiplies]
        layouts = self._layouts()
        for _, multiply in matched:
            self._declare(multiply, layouts)
        for loop, multiply in matched:
            self._replace(loop, self._multiply(multiply))
        for loop in self.loops:
            if loop.parent is not None:
                self._replace(loop, self._other(loop))
        for buffer in self.fragments:
            self._drop(buffer)

    def _drop(self, buffer: SSAValue) -> None:
        """A fragment buffer that something else still touches cannot be one."""
        for use in buffer.uses:
            raise _decline(
                use.operation, f"'{buffer_name(buffer)}' lives in fragments, and this uses it as memory: tensorize it"
            )
        allocation = buffer.owner
        if isinstance(allocation, Operation):
            discard(allocation)

    def _matched(self, loop: ForOp, match: WarpMultiply | str) -> WarpMultiply:
        if isinstance(match, str):
            raise _decline(loop, match)
        return match

    def _layouts(self) -> dict[SSAValue, str]:
        """How each loaded matrix lies in memory, from the strides of its loads."""
        layouts: dict[SSAValue, str] = {}
        for loop in self.loops:
            block = _block(loop)
            if scope_of(block.output) not in ("wmma.matrix_a", "wmma.matrix_b"):
                continue
            match = match_transfer_tile(loop)
            if isinstance(match, str):
                raise _decline(loop, match)
            layouts[block.output] = "row_major" if match[2].column_stride == 1 else "col_major"
        return layouts

    def _declare(self, multiply: WarpMultiply, layouts: dict[SSAValue, str]) -> None:
        block = multiply.block
        operands = (block.output, block.inputs[multiply.a], block.inputs[multiply.b])
        m, n, k = multiply.shape
        for buffer, tile, transposed in zip(operands, multiply.tiles, multiply.transposed, strict=True):
            role = FRAGMENT_ROLES[scope_of(buffer)]
            layout = None if role == "accumulator" else _layout(layouts.get(buffer, "row_major"), transposed)
            element = "u8" if multiply.unsigned and role != "accumulator" else element_name(buffer)
            fragment = Fragment(role, m, n, k, element, layout, tile.count)
            if buffer in self.fragments:
                self._check_same(block, buffer, fragment)
                continue
            allocation = buffer.owner
            if not isinstance(allocation, AllocOp) or allocation.parent is None:
                raise _decline(block, f"'{buffer_name(buffer)}' is no allocation")
            try:
                declared = FragmentsOp(result_types=[FragmentType(fragment)])
            except VerifyException as error:
                raise _decline(block, str(error)) from None
            declared.fragments.name_hint = buffer.name_hint
            declared.location = allocation.location
            COPIES.copy(allocation, declared)
            allocation.parent.insert_op_before(declared, allocation)
            self.fragments[buffer] = declared.fragments

    def _check_same(self, block: BlockOp, buffer: SSAValue, fragment: Fragment) -> None:
        """One buffer is one array of fragments, whichever product reads it."""
        declared = fragment_of(self.fragments[buffer])
        if declared != fragment:
            raise _decline(
                block,
                f"'{buffer_name(buffer)}' is {fragment.shown} here and {declared.shown} in another product: give each "
                "fragments of its own with cache_read",
            )

    def _multiply(self, multiply: WarpMultiply) -> list[Operation]:
        block = multiply.block
        values = HostValues(extents_around(block))
        operands: list[SSAValue] = []
        buffers = (block.output, block.inputs[multiply.a], block.inputs[multiply.b])
        for buffer, tile in zip(buffers, multiply.tiles, strict=True):
            operands += [self.fragments[buffer], values.materialise(values.value(tile.tile))]
        return [*values.operations, MmaSyncOp(operands=operands)]

    def _other(self, loop: ForOp) -> list[Operation]:
        block = _block(loop)
        if not block.inputs:
            return self._fill(loop, block)
        match = match_transfer_tile(loop)
        if isinstance(match, str):
            raise _decline(loop, match)
        _, tile, access = match
        if scope_of(block.output) in FRAGMENT_ROLES:
            return self._load(block, tile, access)
        return self._store(block, tile, access)

    def _fill(self, loop: ForOp, block: BlockOp) -> list[Operation]:
        value = filled_value(block)
        nest = perfect_nest(loop)
        if value is None or nest is None:
            raise _decline(loop, "expected a constant to fill fragments with")
        tile = fragment_tile(block, 0, nest[0])
        if isinstance(tile, str):
            raise _decline(loop, tile)
        values = HostValues(extents_around(block))
        index = values.materialise(values.value(tile.tile))
        return [*values.operations, FillFragmentOp.get(self._of(block.output, loop), index, value)]

    def _load(self, block: BlockOp, tile: TileIndex, access: MatrixAccess) -> list[Operation]:
        fragments = self._of(block.output, block)
        leading = access.row_stride if access.column_stride == 1 else access.column_stride
        if 1 not in (access.row_stride, access.column_stride):
            raise _decline(block, f"memory strides {access.row_stride} and {access.column_stride}; one must be 1")
        _check_alignment(block, block.inputs[0], access.offset, leading)
        values, operands = self._addresses(block, fragments, tile, block.inputs[0], access)
        load = LoadMatrixSyncOp(operands=operands, properties={"leading": IntegerAttr(leading, i64)})
        return [*values.operations, load]

    def _store(self, block: BlockOp, tile: TileIndex, access: MatrixAccess) -> list[Operation]:
        if access.column_stride != 1:
            raise _decline(block, f"a column stride of {access.column_stride}; accumulators are stored row major")
        fragments = self._of(block.inputs[0], block)
        _check_alignment(block, block.output, access.offset, access.row_stride)
        values, operands = self._addresses(block, fragments, tile, block.output, access)
        store = StoreMatrixSyncOp(operands=operands, properties={"leading": IntegerAttr(access.row_stride, i64)})
        return [*values.operations, store]

    def _addresses(
        self, block: BlockOp, fragments: SSAValue, tile: TileIndex, memory: SSAValue, access: MatrixAccess
    ) -> tuple[HostValues, list[SSAValue]]:
        values = HostValues(extents_around(block))
        index = values.materialise(values.value(tile.tile))
        offset = values.materialise(values.value(access.offset))
        return values, [fragments, index, memory, offset]

    def _of(self, buffer: SSAValue, op: Operation) -> SSAValue:
        if buffer not in self.fragments:
            raise _decline(op, f"no mma_sync uses '{buffer_name(buffer)}', so its fragment shape is unknown")
        return self.fragments[buffer]

    def _replace(self, loop: ForOp, operations: Sequence[Operation]) -> None:
        parent = loop.parent
        if parent is None:
            raise ValueError("the loop stands nowhere")
        for op in operations:
            op.location = loop.location
            parent.insert_op_before(op, loop)
        discard(loop)


def _layout(loaded: str, transposed: bool) -> str:
    """How the rows of the product's operand lie in memory, from how the rows of its buffer do."""
    if not transposed:
        return loaded
    return "col_major" if loaded == "row_major" else "row_major"


def _check_alignment(block: BlockOp, memory: SSAValue, offset: Linear, leading: int) -> None:
    """CUDA's rules: rows of a tile lie a multiple of 16 bytes apart, and its first starts at a multiple of 32."""
    width = ELEMENT_BYTES[element_name(memory)]
    name = f"'{buffer_name(memory)}'"
    if leading * width % _PITCH_BYTES:
        raise _decline(
            block,
            f"rows of {name} lie {leading} elements of {width} bytes apart; a multiple of {_PITCH_BYTES} bytes is "
            "required: choose another pitch with storage_align, or pad the rows",
        )
    starts = (offset.constant, *offset.terms.values())
    if any(start * width % _TILE_BYTES for start in starts):
        raise _decline(
            block,
            f"tiles of {name} start at multiples of {gcd(*starts) * width} bytes; {_TILE_BYTES} are required: use "
            "wider fragments, or another layout or pitch",
        )


def _intrinsic(loop: ForOp) -> str:
    return TENSORIZE.get(loop) or ""


def _block(loop: ForOp) -> BlockOp:
    nest = perfect_nest(loop)
    if nest is None:
        raise _decline(loop, f"loop '{loop.loop_name}' holds several statements")
    return nest[1]


def _decline(op: Operation, found: str) -> CompileError:
    return CompileError(f"tensorize with wmma: {found}", location_of(op))
