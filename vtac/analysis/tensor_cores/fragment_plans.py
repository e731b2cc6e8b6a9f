"""Which fragments the buffers of a kernel are: their shapes, element types, layouts and numbers.

A fragment's shape is that of the products that it takes part in, the layout of an operand how it was
loaded; so the plan is made for a whole function at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import buffer_name, scope_of
from vtac.analysis.nests.tiles import perfect_nest
from vtac.analysis.tensor_cores.warp_tiles import (
    TileIndex,
    WarpMultiply,
    element_name,
    fragment_tile,
    match_multiply,
    match_transfer_tile,
)
from vtac.dialects.schedule.declared import TENSORIZE
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.scopes import FRAGMENT_ROLES, OPERAND_FRAGMENTS
from vtac.dialects.wmma.attributes import Fragment
from vtac.errors import CompileError


def plan_fragments(root: Operation) -> dict[SSAValue, Fragment]:
    """The fragments that each fragment buffer under an op is, by product and in order of operands.

    Raises `CompileError` for a product that is none on whole tiles, tiles that CUDA has no fragment
    for, and a buffer that two products see differently.
    """
    loops = [loop for loop in root.walk() if isinstance(loop, ForOp) and intrinsic_of(loop).startswith("wmma.")]
    products = [_matched(loop) for loop in loops if is_product(loop)]
    layouts = _layouts(loops)
    plan: dict[SSAValue, Fragment] = {}
    for product in products:
        _add(plan, product, layouts)
    _check_tiles(loops, products)
    return plan


def intrinsic_of(loop: ForOp) -> str:
    """The intrinsic that a loop is tensorized with; empty when with none."""
    return TENSORIZE.get(loop) or ""


def is_product(loop: ForOp) -> bool:
    """Whether a loop multiplies fragments; one tensorized alike without inputs starts them from a constant."""
    return intrinsic_of(loop) == "wmma.mma_sync" and bool(tile_block(loop).inputs)


def tile_block(loop: ForOp) -> BlockOp:
    """The one block of a tensorized loop. Raises `CompileError` where there are several statements."""
    nest = perfect_nest(loop)
    if nest is None:
        raise no_tile(loop, f"loop '{loop.loop_name}' holds several statements")
    return nest[1]


def no_tile(op: Operation, found: str) -> CompileError:
    """The error for what no operation of a warp computes."""
    return CompileError(f"tensorize with wmma: {found}", location_of(op))


def _matched(loop: ForOp) -> WarpMultiply:
    match = match_multiply(loop)
    if isinstance(match, str):
        raise no_tile(loop, match)
    return match


def _check_tiles(loops: Sequence[ForOp], products: Sequence[WarpMultiply]) -> None:
    """Raises `CompileError` for a load, store or fill whose tile is not the fragment's of the products.

    A warp moves whole fragments, whatever extents the loops have: beyond a smaller tile it would touch what is no part
    of it.
    """
    wanted: dict[SSAValue, TileIndex] = {}
    for product in products:
        buffers = (product.block.output, product.block.inputs[product.a], product.block.inputs[product.b])
        wanted |= zip(buffers, product.tiles, strict=True)
    for loop in loops:
        if is_product(loop):
            continue
        block = tile_block(loop)
        position = len(block.inputs) if scope_of(block.output) in FRAGMENT_ROLES else 0
        buffer = (*block.inputs, block.output)[position]
        nest = perfect_nest(loop)
        tile = fragment_tile(block, position, nest[0]) if nest is not None and buffer in wanted else ""
        if not isinstance(tile, str) and tile.extents != wanted[buffer].extents:
            raise no_tile(
                loop,
                f"a tile of {_shown(tile)} of '{buffer_name(buffer)}', whose products take fragments of "
                f"{_shown(wanted[buffer])}: split the loops so that the tile is one fragment",
            )


def _shown(tile: TileIndex) -> str:
    return " x ".join(map(str, tile.extents))


def _layouts(loops: Sequence[ForOp]) -> dict[SSAValue, str]:
    """How each loaded matrix lies in memory, from the strides of its loads."""
    layouts: dict[SSAValue, str] = {}
    for loop in loops:
        block = tile_block(loop)
        if scope_of(block.output) not in OPERAND_FRAGMENTS:
            continue
        match = match_transfer_tile(loop)
        if isinstance(match, str):
            raise no_tile(loop, match)
        layout = "row_major" if match[2].column_stride == 1 else "col_major"
        if layouts.setdefault(block.output, layout) != layout:
            raise no_tile(
                loop,
                f"'{buffer_name(block.output)}' is loaded {layout} here and {layouts[block.output]} elsewhere; its "
                "fragments have one layout: give each load fragments of its own",
            )
    return layouts


def _add(plan: dict[SSAValue, Fragment], product: WarpMultiply, layouts: Mapping[SSAValue, str]) -> None:
    """Add the fragments of one product: accumulator, a, b."""
    block = product.block
    operands = (block.output, block.inputs[product.a], block.inputs[product.b])
    m, n, k = product.shape
    for buffer, tile, transposed in zip(operands, product.tiles, product.transposed, strict=True):
        role = FRAGMENT_ROLES[scope_of(buffer)]
        layout = None if role == "accumulator" else _layout(layouts.get(buffer, "row_major"), transposed)
        element = "u8" if product.unsigned and role != "accumulator" else element_name(buffer)
        fragment = Fragment(role, m, n, k, element, layout, tile.count)
        known = plan.setdefault(buffer, fragment)
        if known != fragment:
            raise no_tile(
                block,
                f"'{buffer_name(buffer)}' is {fragment.shown} here and {known.shown} in another product: give each "
                "fragments of its own with cache_read",
            )
        if not isinstance(buffer.owner, AllocOp):
            raise no_tile(block, f"'{buffer_name(buffer)}' is no allocation")
        if problem := fragment.problem():
            raise no_tile(block, problem)


def _layout(loaded: str, transposed: bool) -> str:
    """How the rows of the product's operand lie in memory, from how the rows of its buffer do."""
    if not transposed:
        return loaded
    return "col_major" if loaded == "row_major" else "row_major"
