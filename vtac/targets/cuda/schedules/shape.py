"""A contraction as a product: its sizes, and which way its operands and its result lie in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from vtac.analysis.operations.structured_view import block_view
from vtac.analysis.tensor_cores.product_depth import leaves_operands
from vtac.dialects.gpu_hardware import TILE_BYTES, shape_for_tiles
from vtac.dialects.mma.layouts import COLUMNS, CORE_BYTES, ROWS
from vtac.dialects.schedule.payload import BlockOp
from vtac.dialects.wgmma.layouts import DEPTH_BYTES
from vtac.dialects.wgmma.layouts import ROWS as GROUP_ROWS
from vtac.errors import ScheduleError
from vtac.schedule import BlockRef, Schedule
from vtac.targets.cuda.schedules.lanes import moves_vectors, walked_fastest
from vtac.targets.cuda.schedules.padded_shares import ALL_TAPS, Taps, taps_of
from vtac.targets.cuda.schedules.product_blocks import ProductBlocks
from vtac.targets.cuda.schedules.product_matrices import as_matrices, payload_block
from vtac.targets.cuda.schedules.tiling import ProductSize, in_registers
from vtac.targets.cuda.schedules.warp_loops import VECTOR_BYTES


@dataclass(frozen=True)
class ProductShape:
    """m, n and k in elements, and the m x n x k of the fragments.

    `a_by_rows`: a's neighbours in memory are neighbouring rows, so that its shared tile is
    k x m; `b_by_depth`: b's are neighbours along k, so that its shared tile is n x k.
    `groups` are the variables of the last block that make up rows and columns, before them those that number the
    products where there are several. `lanes` are the elements of a and b that one thread can copy at a time.
    `fills`: k is one dimension of the program, which zeros follow behind its end. `boxes`: bulk copies bring both.
    `sorts`: b's bytes are neighbours along n, and two tiles of mma.sync take turns at its columns. `taps` of a
    convolution, of which some lie in the padding.
    """

    sizes: tuple[int, int, int]
    fragment: tuple[int, int, int]
    a_by_rows: bool
    b_by_depth: bool
    groups: tuple[tuple[int, ...], ...]
    lanes: tuple[int, int]
    products: int
    fills: bool
    boxes: bool = False
    sorts: bool = False
    taps: Taps = ALL_TAPS

    def size(self, element_bytes: int) -> ProductSize:
        """What its tiling is chosen for."""
        sizes = (self.sizes, self.fragment, element_bytes, self.lanes, self.products)
        known = {"staged": not in_registers(self.fragment), "boxes": self.boxes, "sorts": self.sorts}
        return ProductSize(*sizes, self.fills, **known, taps=self.taps)

    def for_lanes(self, element_bytes: int) -> ProductShape:
        """The shape as mma.sync takes it: both operands along k, but for elements of 16 bits, and bytes of b.

        Those are transposed as they are loaded, bytes in pairs that lanes sort.
        """
        found = self._along_depth((ROWS, COLUMNS, 2 * CORE_BYTES // element_bytes), element_bytes)
        if element_bytes > 1 or self.b_by_depth:
            return found
        return replace(found, b_by_depth=False, lanes=(found.lanes[0], self.lanes[1]), sorts=True)

    def for_groups(self, element_bytes: int) -> ProductShape:
        """The shape as wgmma takes it: both operands along k, but for elements of 16 bits."""
        return self._along_depth((GROUP_ROWS, COLUMNS, DEPTH_BYTES // element_bytes), element_bytes)

    def for_boxes(self, element_bytes: int, *, groups: bool) -> ProductShape | None:
        """The shape as mma.sync or wgmma takes it, operands in boxes; None where these would have to be transposed."""
        sorts = element_bytes == 1 and not groups and not self.b_by_depth
        if element_bytes != 2 and (self.a_by_rows or not (self.b_by_depth or sorts)):
            return None
        made = self.for_groups(element_bytes) if groups else self.for_lanes(element_bytes)
        vector = VECTOR_BYTES // element_bytes
        return replace(made, boxes=True, lanes=(vector, vector))

    def _along_depth(self, fragment: tuple[int, int, int], element_bytes: int) -> ProductShape:
        if element_bytes == 2:
            return replace(self, fragment=fragment)
        lanes = (1 if self.a_by_rows else self.lanes[0], self.lanes[1] if self.b_by_depth else 1)
        return replace(self, fragment=fragment, a_by_rows=False, b_by_depth=True, lanes=lanes)

    @property
    def is_batch(self) -> bool:
        """Whether it is several products, numbered by a first dimension of all matrices."""
        return len(self.groups) > 2


def gather_tail(schedule: Schedule, blocks: ProductBlocks, store: BlockRef) -> BlockRef:
    """Compute what the product starts from and the tail as one block, straight from the product; that block."""
    for name in (*blocks.start, *blocks.sides):
        schedule.compute_inline(schedule.get_block(name))
    last = store
    for name in blocks.tail:
        schedule.compute_inline(last)
        last = schedule.get_block(name)
    return last


def product_shape(probe: Schedule, blocks: ProductBlocks) -> ProductShape:
    """The shape of a product, found out by taking the first steps of its schedule."""
    for name in blocks.pads:
        probe.compute_inline(probe.get_block(name))
    product = probe.get_block(blocks.product)
    fills = _fills(payload_block(probe, product))
    a, b, store = as_matrices(probe, product, [1, 1, 1])
    *batch, m, n, k = (variable.extent for variable in payload_block(probe, product).variables)
    a_by_rows = walked_fastest(payload_block(probe, a), 0) == 0
    b_by_depth = walked_fastest(payload_block(probe, b), 0) == 0
    fragment = shape_for_tiles(blocks.operand, of_rows=a_by_rows)
    # Columns of b that are too few for a tile's 32 bytes lie below each other, in rows of one tile of k.
    b_by_depth = b_by_depth or fragment[1] * blocks.element_bytes % TILE_BYTES != 0
    lanes = (
        _lanes(payload_block(probe, a), int(not a_by_rows), blocks.element_bytes),
        _lanes(payload_block(probe, b), int(not b_by_depth), blocks.element_bytes),
    )
    taps = taps_of(payload_block(probe, a))
    last = payload_block(probe, gather_tail(probe, blocks, store))
    groups = _groups(last, list(last.inputs).index(payload_block(probe, product).output))
    return ProductShape((m, n, k), fragment, a_by_rows, b_by_depth, groups, lanes, prod(batch), fills, taps=taps)


def _fills(product: BlockOp) -> bool:
    """Whether k is one dimension, behind whose end both operands read zeros."""
    view = block_view(product)
    summed = [at for at, one in enumerate(product.variables) if one.reduction and one.extent > 1]
    return not summed or (len(summed) == 1 and leaves_operands(view, summed[0]))


def _lanes(copy: BlockOp, place: int, element_bytes: int) -> int:
    """The most elements that a copy can move as one along one of its last two variables."""
    lanes = VECTOR_BYTES // element_bytes
    while lanes > 1 and not moves_vectors(copy, place, lanes, lanes):
        lanes //= 2
    return lanes


def _groups(block: BlockOp, position: int) -> tuple[tuple[int, ...], ...]:
    """The variables that walk each dimension of the product, which is read at `position`, outermost first."""
    indices = block.accesses.data[position].indices
    count = len(block.variables)
    origin = indices.eval([0] * count, [])
    steps = [indices.eval([int(v == variable) for v in range(count)], []) for variable in range(count)]

    def walking(dimension: int) -> tuple[int, ...]:
        step = {v: steps[v][dimension] - origin[dimension] for v in range(count)}
        return tuple(sorted((v for v in step if step[v]), key=lambda v: (block.variables[v].extent > 1, -step[v])))

    groups = tuple(walking(dimension) for dimension in range(len(origin)))
    if not all(groups):
        raise ScheduleError(
            f"block '{block.block_name}' takes a product of a matrix and a vector; each operand must have a dimension "
            "that the result keeps"
        )
    return groups
