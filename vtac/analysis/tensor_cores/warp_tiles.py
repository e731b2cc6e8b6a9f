"""Blocks seen as operations of a warp on fragments: loads, multiply-accumulates, stores.

A fragment buffer holds a grid of tiles; which two of its dimensions a tile spans follows
from the loops inside the tensorized loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from xdsl.ir import SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import indices_of
from vtac.analysis.nests.bodies import is_copy
from vtac.analysis.nests.nest import buffer_name, element_type_of, extents_around, scope_of, shape_of, strides_of
from vtac.analysis.nests.tiles import divide_tiles, flat_index, match_nest, perfect_nest, strided_index
from vtac.analysis.operations.contraction import match_product
from vtac.analysis.operations.structured_view import tile_view
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.scopes import FRAGMENT_ROLES, OPERAND_FRAGMENTS


@dataclass(frozen=True, slots=True)
class TileIndex:
    """One access of a fragment buffer: which tile, and which loop runs over which dimension.

    `rows` and `columns` are the loops over the tile's two dimensions, `tile` the index of
    the tile in the buffer's grid, row major.
    """

    tile: Linear
    rows: ForOp
    columns: ForOp
    count: int

    @property
    def extents(self) -> tuple[int, int]:
        """Elements of a tile along its two dimensions."""
        return self.rows.trip_count, self.columns.trip_count


@dataclass(frozen=True, slots=True)
class MatrixAccess:
    """One access of memory by a warp: the offset of the tile's first element, and its strides."""

    offset: Linear
    row_stride: int
    column_stride: int


def fragment_tile(block: BlockOp, position: int, inner: Sequence[ForOp], widest: int = 1) -> TileIndex | str:
    """How an access walks a fragment buffer, in steps of at most `widest` elements, or why it is no whole tile."""
    buffer = (*block.inputs, block.output)[position]
    name = f"'{buffer_name(buffer)}'"
    shape = shape_of(buffer)
    extents = extents_around(block)
    indices = indices_of(block, position, extents)
    spanned: list[tuple[int, ForOp]] = []
    steps: dict[int, int] = {}
    for dimension, index in enumerate(indices):
        moving = [loop for loop in inner if index.coefficient(loop.induction_variable)]
        if len(moving) > 1:
            return f"dimension {dimension} of {name} is walked by several loops of the tile"
        if moving:
            steps[dimension] = index.coefficient(moving[0].induction_variable)
            if not 1 <= steps[dimension] <= widest:
                return f"dimension {dimension} of {name} is walked in steps of more than {widest}"
            spanned.append((dimension, moving[0]))
    if len(spanned) != 2:
        return f"expected a tile of two dimensions of {name}, found {len(spanned)}"
    sizes = {dimension: loop.trip_count for dimension, loop in spanned}
    grid: list[int] = []
    places: list[Linear] = []
    for dimension, (index, extent) in enumerate(zip(indices, shape, strict=True)):
        size = sizes.get(dimension, 1)
        if extent % size:
            return f"dimension {dimension} of {name} has {extent} elements, no multiple of the tile's {size}"
        for _, loop in spanned:
            index = index.without(loop.induction_variable)  # noqa: PLW2901
        place = divide_tiles(index, size, steps.get(dimension, 1), extents)
        if place is None:
            return f"dimension {dimension} of {name} is not addressed in whole tiles of {size}"
        grid.append(extent // size)
        places.append(place)
    return TileIndex(flat_index(places, grid), spanned[0][1], spanned[1][1], prod(grid))


def matrix_access(block: BlockOp, position: int, rows: ForOp, columns: ForOp) -> MatrixAccess | str:
    """Offset and strides of a warp's access to memory, in elements."""
    buffer = (*block.inputs, block.output)[position]
    flat = strided_index(indices_of(block, position, extents_around(block)), strides_of(buffer))
    strides: list[int] = []
    for loop in (rows, columns):
        if not flat.is_linear_in(loop.induction_variable):
            return f"'{buffer_name(buffer)}' is not addressed linearly by loop '{loop.loop_name}'"
        strides.append(flat.coefficient(loop.induction_variable))
        flat = flat.without(loop.induction_variable)
    return MatrixAccess(flat, strides[0], strides[1])


def element_name(buffer: SSAValue) -> str:
    """A buffer's element type as fragments name it: f16, bf16, s8, ...; operands of f32 are tf32 there."""
    name = str(element_type_of(buffer))
    if name == "f32" and scope_of(buffer) in OPERAND_FRAGMENTS:
        return "tf32"
    return name.replace("i", "s") if name.startswith("i") else name


@dataclass(frozen=True, slots=True)
class WarpMultiply:
    """accumulator += a x b on one tile each: access positions and tile indices.

    `transposed` says of each tile whether its buffer holds columns where the product has rows;
    `unsigned` that the integers of a and b have no sign.
    """

    block: BlockOp
    a: int
    b: int
    tiles: tuple[TileIndex, TileIndex, TileIndex]
    shape: tuple[int, int, int]
    transposed: tuple[bool, bool, bool]
    unsigned: bool


def match_multiply(loop: ForOp, widest: int = 1) -> WarpMultiply | str:
    """The mma_sync that a loop computes, of every element or up to every `widest`-th, or the first difference."""
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    inner, block = nest
    product = match_product(tile_view(block, inner), narrow=True)
    if isinstance(product, str):
        return product
    scopes = [scope_of(buffer) for buffer in (*block.inputs, block.output)]
    wanted = set(OPERAND_FRAGMENTS)
    if set(scopes[:2]) != wanted or scopes[2] != "wmma.accumulator":
        return f"expected inputs in wmma.matrix_a and wmma.matrix_b and the output in wmma.accumulator, found {scopes}"
    a, b = (0, 1) if scopes[0] == "wmma.matrix_a" else (1, 0)
    tiles: list[TileIndex] = []
    for position in (2, a, b):
        tile = fragment_tile(block, position, inner, widest)
        if isinstance(tile, str):
            return tile
        tiles.append(tile)
    output, left, right = tiles
    m, n = output.rows, output.columns
    k = left.columns if left.rows is m else left.rows
    groups = (product.rows, product.columns) if a == 0 else (product.columns, product.rows)
    loops = [tuple(loop.induction_variable for loop in side) for side in ((m,), (n,), (k,))]
    if loops != [*groups, product.depth]:
        return "expected a tile product: acc[m][n] += a[m][k] * b[k][n]"
    left_type, right_type = (element_type_of(block.inputs[position]) for position in (a, b))
    if left_type != right_type:
        return f"expected both inputs of one type, found {left_type} and {right_type}"
    widenings = {factor.widening for factor in product.factors}
    if len(widenings) > 1:
        return "expected both inputs widened by arith.extsi, or both by extui"
    transposed = (False, left.rows is k, right.rows is n)
    shape = (m.trip_count, n.trip_count, k.trip_count)
    return WarpMultiply(block, a, b, (output, left, right), shape, transposed, "unsigned" in widenings)


def match_transfer_tile(loop: ForOp) -> tuple[BlockOp, TileIndex, MatrixAccess] | str:
    """The load or store of one fragment that a loop computes, or the first difference."""
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    inner, block = nest
    if not is_copy(block):
        return f"block '{block.block_name}' computes; a fragment load or store only copies"
    into = scope_of(block.output) in FRAGMENT_ROLES
    fragment, memory = (1, 0) if into else (0, 1)
    tile = fragment_tile(block, fragment, inner)
    if isinstance(tile, str):
        return tile
    access = matrix_access(block, memory, tile.rows, tile.columns)
    if isinstance(access, str):
        return access
    return block, tile, access


def match_warp_operation(loop: ForOp, intrinsic: str) -> object:
    """Something when a loop computes a wmma intrinsic; the first difference as text when not."""
    if intrinsic == "wmma.mma_sync":
        return match_multiply(loop)
    if intrinsic == "wmma.fill_fragment":
        nest = perfect_nest(loop)
        return "expected a constant" if nest is None or nest[1].inputs else nest
    match = match_transfer_tile(loop)
    if isinstance(match, str):
        return match
    into = scope_of(match[0].output) in FRAGMENT_ROLES
    if into != (intrinsic == "wmma.load_matrix_sync"):
        return f"block '{match[0].block_name}' copies {'into' if into else 'out of'} fragments"
    return match
