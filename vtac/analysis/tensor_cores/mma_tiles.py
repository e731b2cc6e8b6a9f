"""Loops seen as operations of the mma level: products of one `mma.sync`, loads by `ldmatrix`, results in registers.

Fragment buffers stand for tiles in the registers of a warp. Which of a buffer's dimensions is which of a product's
follows from the product; the plan of a function holds it for every buffer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.accesses import indices_of
from vtac.analysis.nests.bodies import is_copy
from vtac.analysis.nests.nest import buffer_name, extents_around, scope_of, shape_of
from vtac.analysis.nests.tiles import divide_tiles, flat_index, match_nest
from vtac.analysis.tensor_cores.fragment_plans import intrinsic_of
from vtac.analysis.tensor_cores.warp_tiles import (
    MatrixAccess,
    WarpMultiply,
    element_name,
    match_multiply,
    matrix_access,
)
from vtac.dialects.gpu_hardware import ELEMENT_BYTES
from vtac.dialects.mma.attributes import Tiles
from vtac.dialects.mma.layouts import CORE_BYTES, SHAPES, instruction_of
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.scopes import FRAGMENT_ROLES
from vtac.errors import CompileError

PRODUCTS = tuple(f"mma.{shape}" for shape in SHAPES)
"""Intrinsics of products, or of the numbers that their sums start from."""
LOAD, STORE, MATRIX_STORE = "mma.ldmatrix", "mma.store", "mma.stmatrix"
MMA_INTRINSICS = (*PRODUCTS, LOAD, STORE, MATRIX_STORE)
_MOST_MATRICES = 4
WIDEST = 2
"""Columns of neighbouring sums may be those of two tiles in turn."""


@dataclass(frozen=True)
class PlannedTiles:
    """What a fragment buffer is: its tiles, and the size of a tile along the two dimensions that it spans.

    `major` is the buffer's dimension of rows (m, or n of matrix_b), `minor` that of k, or the accumulator's of n.
    `steps` are the dimensions of which a tile has every second element, and two tiles take turns.
    """

    tiles: Tiles
    major: int
    minor: int
    sizes: Mapping[int, int]
    steps: Mapping[int, int] = field(default_factory=dict[int, int])

    def step(self, dimension: int) -> int:
        """Elements from one of a tile's to the next along a dimension."""
        return self.steps.get(dimension, 1)


@dataclass(frozen=True)
class TileAccess:
    """One access of a fragment buffer: the number of the first tile, its loops, and how many tiles they run over."""

    tile: Linear
    major: ForOp
    minor: ForOp
    majors: int
    minors: int


@dataclass(frozen=True)
class Load:
    """A load of tiles from shared memory: which, where their first element lies, the strides of major and minor."""

    block: BlockOp
    access: TileAccess
    memory: MatrixAccess


@dataclass(frozen=True)
class Result:
    """What a block makes of each element of one accumulator tile, whose position among the block's inputs is given."""

    block: BlockOp
    accumulator: int
    loops: tuple[ForOp, ...]


def no_tile(op: Operation, found: str) -> CompileError:
    """The error for what no operation of the mma level computes."""
    return CompileError(f"tensorize with mma: {found}", location_of(op))


def mma_loops(root: Operation) -> Iterator[ForOp]:
    """The loops under an operation that are tensorized with intrinsics of the mma level."""
    return (op for op in root.walk() if isinstance(op, ForOp) and intrinsic_of(op) in MMA_INTRINSICS)


def plan_tiles(root: Operation) -> dict[SSAValue, PlannedTiles]:
    """The tiles that each fragment buffer under an operation is, by the products that it takes part in.

    Raises `CompileError` for what is no product of an instruction, and for a buffer that two see differently.
    """
    plan: dict[SSAValue, PlannedTiles] = {}
    for loop in mma_loops(root):
        intrinsic = intrinsic_of(loop)
        if intrinsic not in PRODUCTS or starts_sums(loop):
            continue
        product = match_product_tile(loop, intrinsic)
        if isinstance(product, str):
            raise no_tile(loop, product)
        for buffer, planned in _planned(product):
            if plan.setdefault(buffer, planned) != planned:
                raise no_tile(
                    loop, f"'{buffer_name(buffer)}' is {planned.tiles.shown} here and otherwise in another product"
                )
            if not isinstance(buffer.owner, AllocOp):
                raise no_tile(loop, f"'{buffer_name(buffer)}' is no allocation")
    return plan


def starts_sums(loop: ForOp) -> bool:
    """Whether a loop tensorized as a product only starts its sums."""
    nest = match_nest(loop)
    return not isinstance(nest, str) and not nest[1].inputs


def match_product_tile(loop: ForOp, intrinsic: str) -> WarpMultiply | str:
    """The `mma.sync` that a loop computes, or the first difference."""
    product = match_multiply(loop, WIDEST)
    if isinstance(product, str):
        return product
    shape = "m{}n{}k{}".format(*product.shape)
    if f"mma.{shape}" != intrinsic:
        found = " x ".join(map(str, product.shape))
        return f"a product of {found} (m x n x k): split the loops so that the tile is that of {intrinsic}"
    operand, accumulator = _elements(product)
    if instruction_of(shape, operand, accumulator) is None:
        return f"mma.sync has no {shape} of {operand} added up in {accumulator}"
    return product


def _elements(product: WarpMultiply) -> tuple[str, str]:
    operand = "u8" if product.unsigned else element_name(product.block.inputs[product.a])
    return operand, element_name(product.block.output)


def _planned(product: WarpMultiply) -> Iterator[tuple[SSAValue, PlannedTiles]]:
    block, (operand, accumulator) = product.block, _elements(product)
    shape = "m{}n{}k{}".format(*product.shape)
    output, left, right = product.tiles
    rows, columns = output.rows, output.columns
    for position, tile, major in ((2, output, rows), (product.a, left, rows), (product.b, right, columns)):
        buffer = (*block.inputs, block.output)[position]
        minor = tile.columns if tile.rows is major else tile.rows
        spans = _spans(block, position, (major, minor))
        role = FRAGMENT_ROLES[scope_of(buffer)]
        element = accumulator if role == "accumulator" else operand
        sizes = {spans[one][0]: one.trip_count for one in (major, minor)}
        steps = {dimension: step for dimension, step in (spans[major], spans[minor]) if step > 1}
        tiles = Tiles(role, shape, element, tile.count)
        yield buffer, PlannedTiles(tiles, spans[major][0], spans[minor][0], sizes, steps)


def _spans(block: BlockOp, position: int, loops: Sequence[ForOp]) -> dict[ForOp, tuple[int, int]]:
    """The dimension of a buffer that each loop walks, and by how many elements, where that is one or two."""
    found: dict[ForOp, tuple[int, int]] = {}
    for dimension, index in enumerate(indices_of(block, position, extents_around(block))):
        for loop in loops:
            step = index.coefficient(loop.induction_variable)
            if 1 <= step <= WIDEST:
                found[loop] = dimension, step
    return found


def tile_access(block: BlockOp, position: int, inner: Sequence[ForOp], planned: PlannedTiles) -> TileAccess | str:
    """How loops walk whole tiles of a fragment buffer, or why they do not."""
    buffer = (*block.inputs, block.output)[position]
    name = f"'{buffer_name(buffer)}'"
    spans = _spans(block, position, inner)
    by_dimension = {dimension: loop for loop, (dimension, _) in spans.items()}
    if set(by_dimension) != {planned.major, planned.minor} or len(spans) != 2:
        return f"expected loops over the two dimensions of tiles of {name}, {planned.tiles.shown}"
    counts: dict[int, int] = {}
    for loop, (dimension, step) in spans.items():
        size, apart = planned.sizes[dimension], planned.step(dimension)
        counts[dimension], rest = divmod(loop.trip_count, size)
        if rest or step not in (1, apart) or (step == 1 and counts[dimension] % apart):
            turns = f", of which {apart} tiles have every {apart}nd" if apart > 1 else ""
            return (
                f"loop '{loop.loop_name}' runs over {loop.trip_count} of {name} in steps of {step}, no multiple of a "
                f"tile's {size}{turns}"
            )
    grid: list[int] = []
    places: list[Linear] = []
    for dimension, index in enumerate(indices_of(block, position, extents_around(block))):
        size = planned.sizes.get(dimension, 1)
        first = index
        for loop in spans:
            first = first.without(loop.induction_variable)
        place = divide_tiles(first, size, planned.step(dimension), extents_around(block))
        if place is None:
            return f"dimension {dimension} of {name} is not addressed in whole tiles of {size}"
        grid.append(shape_of(buffer)[dimension] // size)
        places.append(place)
    for dimension, count in counts.items():
        if count > 1 and any(extent > 1 for extent in grid[dimension + 1 :]):
            return f"the {count} tiles of {name} that are loaded at once are no neighbours in its registers"
    major, minor = by_dimension[planned.major], by_dimension[planned.minor]
    return TileAccess(flat_index(places, grid), major, minor, counts[planned.major], counts[planned.minor])


def match_load(loop: ForOp, planned: PlannedTiles) -> Load | str:
    """The ldmatrix that a loop computes, or the first difference."""
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    inner, block = nest
    if not is_copy(block):
        return f"block '{block.block_name}' computes; ldmatrix only copies"
    access = tile_access(block, 1, inner, planned)
    if isinstance(access, str):
        return access
    matrices = access.majors * access.minors * planned.tiles.words
    if matrices > _MOST_MATRICES:
        return f"{matrices} matrices of 8 rows of 16 bytes; ldmatrix loads at most {_MOST_MATRICES} at once"
    memory = matrix_access(block, 0, access.major, access.minor)
    if isinstance(memory, str):
        return memory
    name, width = f"'{buffer_name(block.inputs[0])}'", ELEMENT_BYTES[planned.tiles.element]
    strides = (memory.row_stride, memory.column_stride)
    if 1 not in strides:
        return f"strides of {strides[0]} and {strides[1]} elements in {name}; rows of neighbours are loaded"
    sorts = width == 1 and memory.column_stride != 1 and planned.tiles.role == "matrix_b"
    if memory.column_stride != 1 and width != 2 and not sorts:
        return (
            f"{name} has neighbours along {'m' if planned.tiles.role == 'matrix_a' else 'n'}, and elements of {width} "
            "bytes are loaded along k only: lay it out with k innermost"
        )
    apart = planned.step(planned.major)
    if apart != (WIDEST if sorts else 1):
        return (
            f"a tile has every {apart}{'nd' if apart > 1 else 'st'} column of {name}; of bytes with neighbours along n "
            "two tiles take turns, of all others none do: split the columns of the product so"
        )
    pitch = max(strides) * width
    if pitch % CORE_BYTES:
        return f"rows of {name} lie {pitch} bytes apart; a multiple of {CORE_BYTES} is required: pad them"
    return Load(block, access, memory)


def match_result(loop: ForOp) -> Result | str:
    """The elementwise block over one accumulator tile that a loop computes, or the first difference."""
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    inner, block = nest
    found = [at for at, buffer in enumerate(block.inputs) if scope_of(buffer) == "wmma.accumulator"]
    if len(found) != 1:
        return f"expected one input in wmma.accumulator, found {len(found)}"
    if scope_of(block.output) in FRAGMENT_ROLES:
        return "the result lies in registers too: store it to memory"
    if block.has_reduction:
        return f"block '{block.block_name}' is a reduction; results are computed element by element"
    if any(access.pad_value is not None for access in block.accesses.data):
        return f"block '{block.block_name}' reads padding"
    if len(inner) != 2:
        return f"expected two loops over a tile, found {len(inner)}"
    return Result(block, found[0], tuple(inner))
