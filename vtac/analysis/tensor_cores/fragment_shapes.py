"""Whether the tile of a loop is one fragment, as far as the loops tensorized so far can tell.

CUDA has few shapes for each element type; and a load, store or fill moves fragments of the shape that the
products of their buffer take. A warp moves whole fragments whatever extents the loops have: beyond a smaller
tile it would touch what is no part of it. So each loop is compared with CUDA's shapes, and with the loops of
the same buffer that are tensorized already, whichever came first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xdsl.ir import SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import buffer_name, enclosing_loops, readers_of, scope_of, writers_of
from vtac.analysis.nests.tiles import perfect_nest
from vtac.analysis.tensor_cores.fragment_plans import intrinsic_of, is_product
from vtac.analysis.tensor_cores.warp_tiles import (
    TileIndex,
    element_name,
    fragment_tile,
    match_multiply,
    match_warp_operation,
)
from vtac.dialects.gpu_hardware import SHAPES
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.scopes import FRAGMENT_ROLES
from vtac.dialects.wmma.attributes import Fragment
from vtac.targets.target import Mismatch

_REMEDY = "split the loops so that the tile is one fragment, and tensorize the loop around it"


@dataclass(frozen=True, slots=True)
class _Tile:
    """What one tensorized loop does with one fragment buffer."""

    loop: ForOp
    buffer: SSAValue
    index: TileIndex

    @property
    def shown(self) -> str:
        rows, columns = self.index.rows.loop_name, self.index.columns.loop_name
        return f"a tile of {_sizes(self.index.extents)} (loops '{rows}', '{columns}') of '{buffer_name(self.buffer)}'"


def match_fragments(loop: ForOp, intrinsic: str) -> object:
    """As `match_warp_operation`; and a `Mismatch` where the tile is no fragment, or not that of its products."""
    match = match_warp_operation(loop, intrinsic)
    if isinstance(match, str):
        return match
    problem = _product_problem(loop) if _multiplies(loop, intrinsic) else _transfer_problem(loop)
    return Mismatch(problem, _REMEDY) if problem else match


def _multiplies(loop: ForOp, intrinsic: str) -> bool:
    nest = perfect_nest(loop)
    return intrinsic == "wmma.mma_sync" and nest is not None and bool(nest[1].inputs)


def _product_problem(loop: ForOp) -> str:
    """Why the tiles of a product are no fragments, or not those that its buffers are loaded, filled and stored by."""
    product = match_multiply(loop)
    if isinstance(product, str):
        return product
    operand = "u8" if product.unsigned else element_name(product.block.inputs[product.a])
    known = _shapes(operand)
    if known and product.shape not in known:
        output, left, _ = product.tiles
        names = (output.rows, output.columns, left.columns if left.rows is output.rows else left.rows)
        loops = ", ".join(f"'{one.loop_name}'" for one in names)
        return (
            f"a product of {_sizes(product.shape)} (loops {loops}); CUDA's fragments of {operand} are "
            f"{_listed(known)} (m x n x k)"
        )
    buffers = (product.block.output, product.block.inputs[product.a], product.block.inputs[product.b])
    for buffer, wanted in zip(buffers, product.tiles, strict=True):
        for tile in _tiles_of(buffer, loop, products=False):
            if tile.index.extents != wanted.extents:
                return (
                    f"it takes fragments of {_sizes(wanted.extents)} of '{buffer_name(buffer)}', and "
                    f"{intrinsic_of(tile.loop)} of loop '{tile.loop.loop_name}'{_place(tile.loop)} moves {tile.shown}"
                )
    return ""


def _transfer_problem(loop: ForOp) -> str:
    """Why the tile of a load, store or fill is no fragment, or not that of the products of its buffer."""
    nest = perfect_nest(loop)
    tile = None if nest is None else _tile(loop, *nest)
    if tile is None:
        return ""
    known = _extents(tile.buffer)
    if known and tile.index.extents not in known:
        role = FRAGMENT_ROLES[scope_of(tile.buffer)]
        return f"{tile.shown}; CUDA's {role} fragments of {element_name(tile.buffer)} are {_listed(known)}"
    for product in _tiles_of(tile.buffer, loop, products=True):
        if product.index.extents != tile.index.extents:
            return (
                f"{tile.shown}, whose product in loop '{product.loop.loop_name}'{_place(product.loop)} takes fragments "
                f"of {_sizes(product.index.extents)}"
            )
    return ""


def _tile(loop: ForOp, inner: Sequence[ForOp], block: BlockOp) -> _Tile | None:
    """The tile that a loop moves of the one fragment buffer there is; None where there is none yet."""
    buffers = (*block.inputs, block.output)
    position = next((at for at, buffer in enumerate(buffers) if scope_of(buffer) in FRAGMENT_ROLES), None)
    if position is None:
        return None
    index = fragment_tile(block, position, inner)
    return None if isinstance(index, str) else _Tile(loop, buffers[position], index)


def _tiles_of(buffer: SSAValue, but: ForOp, *, products: bool) -> Iterator[_Tile]:
    """The tiles of a buffer that other loops, tensorized as products or as anything else, take or move."""
    for block in dict.fromkeys([*readers_of(buffer), *writers_of(buffer)]):
        loop = next((one for one in enclosing_loops(block) if intrinsic_of(one).startswith("wmma.")), None)
        nest = None if loop is None else perfect_nest(loop)
        if loop is None or loop is but or nest is None or is_product(loop) is not products:
            continue
        index = fragment_tile(block, (*block.inputs, block.output).index(buffer), nest[0])
        if not isinstance(index, str):
            yield _Tile(loop, buffer, index)


_KNOWN: Mapping[str, Sequence[tuple[int, ...]]] = {**SHAPES}


def _shapes(operand: str) -> Sequence[tuple[int, ...]]:
    return _KNOWN.get(operand, ())


def _extents(buffer: SSAValue) -> list[tuple[int, ...]]:
    """Rows and columns that a fragment of a buffer can have, its columns as rows too: a buffer may lie either way."""
    role, element = FRAGMENT_ROLES[scope_of(buffer)], element_name(buffer)
    operands = [element] if role != "accumulator" else list(_KNOWN)
    fragments = [Fragment(role, m, n, k, element) for operand in operands for m, n, k in _shapes(operand)]
    lying = [(one.rows, one.columns) for one in fragments]
    return list(dict.fromkeys([*lying, *((columns, rows) for rows, columns in lying)]))


def _sizes(extents: Sequence[int]) -> str:
    return " x ".join(map(str, extents))


def _listed(shapes: Sequence[Sequence[int]]) -> str:
    return ", ".join(map(_sizes, shapes))


def _place(loop: ForOp) -> str:
    place = location_of(loop)
    return f" ({place})" if place else ""
