"""A contraction as a product of matrices: in which order rows and k walk its variables.

Of images packed in tiles (NHWCnc) a row of pixels is no run of memory: images of a tile lie inside of a pixel. Rows of
the product take the images of one pixel then, those of all tiles, before those of the next pixel, and k the channels of
one tap before those of the next.
"""

from __future__ import annotations

from collections.abc import Sequence

from vtac.analysis.nests.nest import blocks_under
from vtac.analysis.operations.contraction import Contraction, match_product
from vtac.analysis.operations.structured_view import block_view
from vtac.dialects.schedule.payload import BlockOp
from vtac.dialects.wmma.declared import DYNAMIC_SIZE
from vtac.schedule import BlockRef, Schedule


def payload_block(schedule: Schedule, block: BlockRef) -> BlockOp:
    """What a schedule has made of a block so far."""
    return next(found for found in blocks_under(schedule.function) if found.block_name == block.name)


def as_matrices(script: Schedule, block: BlockRef, tile: Sequence[int]) -> tuple[BlockRef, BlockRef, BlockRef]:
    """Compute a contraction as a product of matrices of whole tiles; the copies of both operands, and the result's.

    A dynamic size stays outermost, as blocks follow one after the other along it.
    """
    order = () if DYNAMIC_SIZE.is_on(script.module) else walking_order(payload_block(script, block))
    return script.implicit_gemm(block, tile, order) if order else script.implicit_gemm(block, tile)


def walking_order(block: BlockOp) -> tuple[int, ...]:
    """A product's variables with those of windows outermost, where others are inside; empty where they are so already.

    A window's variables are those that an operand is not indexed by as they are: `h * 2 + kh - 1`.
    """
    product = match_product(block_view(block), narrow=True)
    if isinstance(product, str):
        return ()
    written = tuple(variable for variable in product.view.output.plain if variable is not None)
    others = tuple(variable for variable in written if variable in (*product.batch, *product.columns))
    rows = tuple(variable for variable in written if variable not in others)
    windows = _windows(product)
    moved = (_outermost(rows, windows), _outermost(product.reductions, windows))
    return () if moved == (rows, product.reductions) else (*moved[0], *others, *moved[1])


def _windows(product: Contraction[int]) -> set[int]:
    """Variables of more than one value that say where an operand is read together, in steps, or from elsewhere on."""
    found: set[int] = set()
    for operand in product.operands:
        for index in operand.indices:
            moving = {one for one in index.variables() if isinstance(one, int) and product.view.extent(one) > 1}
            only = index.as_variable()
            if len(moving) > 1 or (moving and only not in moving):
                found |= moving
    return found


def _outermost(group: tuple[int, ...], windows: set[int]) -> tuple[int, ...]:
    """A group with its windows' variables first, where it does not end with one."""
    if not group or group[-1] in windows:
        return group
    return (*(one for one in group if one in windows), *(one for one in group if one not in windows))
