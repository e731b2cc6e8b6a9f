"""Loops seen as products of a warpgroup: 16 rows of each of four warps, both operands in shared memory.

A loop of 4 iterations that is bound to threadIdx.y stands around such a product: its iterations are the warps of a
warpgroup, and their rows follow one another in A. What a warp holds of the sums are tiles of `mma.sync`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.accesses import indices_of
from vtac.analysis.nests.constant_fills import filled_value
from vtac.analysis.nests.nest import buffer_name, enclosing_loops, extents_around, scope_of
from vtac.analysis.nests.tiles import match_nest
from vtac.analysis.operations.contraction import match_product
from vtac.analysis.operations.structured_view import tile_view
from vtac.analysis.tensor_cores.fragment_plans import intrinsic_of
from vtac.analysis.tensor_cores.mma_tiles import PlannedTiles, TileAccess, starts_sums, tile_access
from vtac.analysis.tensor_cores.warp_tiles import element_name, fragment_tile, matrix_access
from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARPGROUP_SHAPES
from vtac.dialects.mma.attributes import Tiles
from vtac.dialects.mma.declared import LAYOUT
from vtac.dialects.mma.shared_layouts import CHUNK, SharedLayout
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.wgmma.layouts import COLUMNS, WARP_ROWS, WARPS, WgmmaInstruction, instruction_of
from vtac.dialects.wgmma.matrices import PIECE_ROWS, SharedMatrix
from vtac.errors import CompileError
from vtac.targets.target import Mismatch

WGMMA_INTRINSICS = tuple(f"wgmma.{shape}" for shape in WARPGROUP_SHAPES)
"""Products of a warpgroup, or the numbers that their sums start from."""


@dataclass(frozen=True)
class GroupProduct:
    """accumulator += a x b by a warpgroup: positions of the operands, the loops of a warp's part, the instruction.

    `warps` is the loop over the warps of a group.
    """

    block: BlockOp
    a: int
    b: int
    loops: tuple[ForOp, ForOp, ForOp]
    warps: ForOp
    instruction: WgmmaInstruction


def no_product(op: Operation, found: str) -> CompileError:
    """The error for what no wgmma computes."""
    return CompileError(f"tensorize with wgmma: {found}", location_of(op))


def wgmma_loops(root: Operation) -> Iterator[ForOp]:
    """The loops under an operation that are tensorized with products of warpgroups."""
    return (op for op in root.walk() if isinstance(op, ForOp) and intrinsic_of(op).startswith("wgmma."))


def plan_group_tiles(root: Operation) -> dict[SSAValue, PlannedTiles]:
    """The tiles that each accumulator of products of warpgroups is.

    Raises `CompileError` for what is no product of an instruction, and for a buffer that two see differently.
    """
    plan: dict[SSAValue, PlannedTiles] = {}
    for loop in wgmma_loops(root):
        if starts_sums(loop):
            continue
        product = match_group_product(loop, intrinsic_of(loop))
        if isinstance(product, str):
            raise no_product(loop, product)
        buffer = product.block.output
        planned = _planned(product)
        if plan.setdefault(buffer, planned) != planned:
            raise no_product(
                loop, f"'{buffer_name(buffer)}' is {planned.tiles.shown} here and otherwise in another product"
            )
        if not isinstance(buffer.owner, AllocOp):
            raise no_product(loop, f"'{buffer_name(buffer)}' is no allocation")
    return plan


def _planned(product: GroupProduct) -> PlannedTiles:
    block, (rows, columns, _) = product.block, product.loops
    tile = fragment_tile(block, 2, [rows, columns])
    if isinstance(tile, str):
        raise no_product(block, tile)
    spans: dict[ForOp, int] = {}
    for dimension, index in enumerate(indices_of(block, 2, extents_around(block))):
        spans |= {loop: dimension for loop in (rows, columns) if index.coefficient(loop.induction_variable) == 1}
    one = product.instruction
    tiles = Tiles("accumulator", one.tiles.shape, one.accumulator, tile.count * one.tiles.count)
    return PlannedTiles(tiles, spans[rows], spans[columns], {spans[rows]: WARP_ROWS, spans[columns]: COLUMNS})


def match_group_product(loop: ForOp, intrinsic: str) -> GroupProduct | str:
    """The product of a warpgroup that a loop computes for one of its warps, or the first difference."""
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    inner, block = nest
    product = match_product(tile_view(block, inner), narrow=True)
    if isinstance(product, str):
        return product
    scopes = [scope_of(buffer) for buffer in (*block.inputs, block.output)]
    if scopes != ["shared", "shared", "wmma.accumulator"]:
        return f"expected both inputs in shared and the output in wmma.accumulator, found {', '.join(scopes)}"
    found = _loops(block, inner, product.rows, product.columns)
    if isinstance(found, str):
        return found
    a, rows, columns, depth = found
    kinds = {element_name(block.inputs[position]) for position in (0, 1)}
    if len(kinds) > 1:
        return f"expected both inputs of one type, found {' and '.join(sorted(kinds))}"
    widenings = {factor.widening for factor in product.factors}
    if len(widenings) > 1:
        return "expected both inputs widened by arith.extsi, or both by extui"
    operand = "u8" if "unsigned" in widenings else {"f32": "tf32"}.get(found := kinds.pop(), found)
    instruction = _instruction(intrinsic, (rows, columns, depth), operand, element_name(block.output))
    if isinstance(instruction, str):
        return instruction
    warps = _warps(block, a, rows)
    if isinstance(warps, str):
        return warps
    return GroupProduct(block, a, 1 - a, (rows, columns, depth), warps, instruction)


def _loops(
    block: BlockOp, inner: list[ForOp], first: tuple[SSAValue, ...], second: tuple[SSAValue, ...]
) -> tuple[int, ForOp, ForOp, ForOp] | str:
    """Which input is A, and the loops over m, n and k: those of the result in its order, and the one that is left."""
    tile = fragment_tile(block, 2, inner)
    if isinstance(tile, str):
        return tile
    rows, columns = tile.rows, tile.columns
    by_input = [tuple(first), tuple(second)]
    sides = [(rows.induction_variable,), (columns.induction_variable,)]
    if by_input not in (sides, sides[::-1]):
        return "expected a tile product: acc[m][n] += a[m][k] * b[k][n]"
    rest = [loop for loop in inner if loop not in (rows, columns)]
    if len(rest) != 1:
        return f"expected three loops over a tile, found {len(inner)}"
    return by_input.index(sides[0]), rows, columns, rest[0]


def _instruction(
    intrinsic: str, loops: tuple[ForOp, ForOp, ForOp], operand: str, accumulator: str
) -> WgmmaInstruction | str:
    rows, columns, depth = (loop.trip_count for loop in loops)
    shape = f"m{WARPS * rows}n{columns}k{depth}"
    if f"wgmma.{shape}" != intrinsic:
        return (
            f"a product of {rows} x {columns} x {depth} (m x n x k) of each of {WARPS} warps: split the loops so that "
            f"the tile is that of {intrinsic}, of which a warp has {WARP_ROWS} rows"
        )
    return instruction_of(shape, operand, accumulator) or f"wgmma has no {shape} of {operand} added up in {accumulator}"


def _warps(block: BlockOp, a: int, rows: ForOp) -> ForOp | str:
    """The loop over the four warps of a group, whose rows of A follow one another."""
    bound = [loop for loop in enclosing_loops(block) if loop.loop_kind is LoopKind.THREAD_Y]
    if len(bound) != 1 or bound[0].trip_count != WARPS:
        found = bound[0].trip_count if bound else 1
        return (
            f"threadIdx.y has {found} iterations around it: four warps multiply together, so bind a loop of {WARPS} "
            f"times {WARP_ROWS} rows to threadIdx.y"
        )
    warp = bound[0].induction_variable
    extents = extents_around(block)
    for position in (a, 1 - a):
        for index in indices_of(block, position, extents):
            moves = WARP_ROWS if index.coefficient(rows.induction_variable) and position == a else 0
            if not index.is_linear_in(warp) or index.coefficient(warp) != moves:
                name = buffer_name(block.inputs[position])
                return (
                    f"'{name}' moves by {index.coefficient(warp)} from one warp to the next; rows of A have to move by "
                    f"{WARP_ROWS}, and all else by 0"
                )
    return bound[0]


def match_group_intrinsic(loop: ForOp, intrinsic: str) -> object:
    """Something where a loop may become a product of a warpgroup; a text or a `Mismatch` where not."""
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    if not nest[1].inputs:
        return nest if filled_value(nest[1]) is not None else "expected a constant"
    found = match_group_product(loop, intrinsic)
    if isinstance(found, str) and "shared" in found:
        return Mismatch(found, "cache_read both operands into shared memory, and none into fragments")
    return found


def sums_of(product: GroupProduct, planned: PlannedTiles) -> TileAccess | str:
    """The tiles of the sums that a product adds to."""
    rows, columns, _ = product.loops
    return tile_access(product.block, 2, [rows, columns], planned)


def matrix_of(product: GroupProduct, position: int) -> tuple[SharedMatrix, Linear] | str:
    """How an operand lies, and the element where the warpgroup's matrix starts; or why wgmma cannot read it."""
    block = product.block
    rows, columns, depth = product.loops
    outer = rows if position == product.a else columns
    access = matrix_access(block, position, outer, depth)
    if isinstance(access, str):
        return access
    buffer = block.inputs[position]
    name, width = f"'{buffer_name(buffer)}'", ELEMENT_BYTES[product.instruction.operand]
    layout = LAYOUT.get(buffer.owner) if isinstance(buffer.owner, AllocOp) else None
    if layout is None:
        return f"{name} lies in plain rows: let their chunks change places with swizzle(block, 128, panels=True)"
    major = "k_major" if access.column_stride == 1 else "mn_major" if access.row_stride == 1 else ""
    if not major:
        return f"strides of {access.row_stride} and {access.column_stride} elements in {name}; neighbours are read"
    pitch = max(access.row_stride, access.column_stride) * width
    if pitch != layout.pitch or (pitch != layout.swizzle and not layout.panel_rows):
        return (
            f"rows of {name} lie {pitch} bytes apart, and chunks change places within {layout.swizzle}: rows of that "
            "many bytes are read, or panels of them"
        )
    matrix = _shared_matrix(product.instruction.operand, major, layout)
    problem = matrix.problem()
    start = access.offset.without(product.warps.induction_variable)
    return (matrix, start) if not problem else f"{name}: {problem}"


def _shared_matrix(element: str, major: str, layout: SharedLayout) -> SharedMatrix:
    """A matrix in pieces of 8 rows one after the other, and, across, in panels of a whole stage's rows.

    Where panels are chunks, `leading` and `stride` are of k, and of m or n, whichever way the matrix lies.
    """
    across, down = max(layout.panel_rows, PIECE_ROWS) * layout.swizzle, PIECE_ROWS * layout.swizzle
    if not layout.span:
        along_k = major == "k_major"
        return SharedMatrix(element, major, 0, across if along_k else down, down if along_k else across)
    leading = across if major == "mn_major" else CHUNK
    return SharedMatrix(element, major, layout.span, leading, down)
