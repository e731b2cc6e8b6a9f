"""The space of tilings of a product on tensor cores: tiles, warps, steps, stages and the order of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from vtac.dialects.gpu_hardware import INTEGER_COLUMNS, WARP_SIZE, GpuArchitecture, gpu_architectures
from vtac.dialects.mma.layouts import COLUMNS, CORE_BYTES, FIRST_CAPABILITY, REGISTER_BYTES, ROWS
from vtac.dialects.tensor_maps import FIRST_CAPABILITY as FIRST_WITH_BOXES
from vtac.dialects.wgmma.layouts import ROWS as GROUP_ROWS
from vtac.dialects.wgmma.layouts import WARPS
from vtac.targets.cuda.schedules.footprint import are_asynchronous, registers, used_bytes
from vtac.targets.cuda.schedules.padded_shares import ALL_TAPS, Taps
from vtac.targets.cuda.schedules.warp_loops import VECTOR_BYTES

_WARP_TILES = ((4, 4), (4, 2), (2, 4), (2, 2), (2, 1), (1, 2), (1, 1))
"""Fragments per warp, rows and columns: sums of 4 x 4 take half of a thread's registers."""
_LANE_TILES = ((4, 8), (4, 4), (2, 8), (2, 4), (2, 2), (1, 4), (1, 2), (1, 1))
"""The same of mma.sync, whose tiles have 8 columns."""
_SORTING_TILES = ((8, 4), (4, 4), (8, 2), (4, 2), (2, 4), (2, 2), (1, 4), (1, 2))
"""The same where two tiles of b take turns at columns: few of them, as lanes sort the bytes of every one."""
_GROUP_TILES = tuple((1, tiles) for tiles in (32, 24, 16, 12, 8, 6, 4, 2))
"""The same of wgmma, whose sums are 64 rows of a group by such tiles of 8 columns."""
_WARPS = ((4, 2), (2, 4), (2, 2), (2, 1), (1, 2), (1, 1))
"""Warps per block, rows and columns."""
_WARPGROUPS = ((2, 1), (3, 1), (1, 1), (4, 1))
"""Groups of four warps per block, one below the other."""
_STEP_BYTES = (128, 64, 32, 16)
"""Bytes of a row of an operand that one step of k takes: f16 64, 32 or 16 deep."""
_STAGES = (4, 3, 2, 1)
_OTHER_REGISTERS = 24
"""What a thread needs besides fragments, for addresses and copies; from what ptxas gave the fast schedules."""
_TIGHTEST = "sm_75"
"""The architecture that holds the least."""
_TIGHTEST_OF_LANES = "sm_86"
"""The same of those that have mma.sync."""
_OF_GROUPS = "sm_90a"
"""The one that has wgmma."""
_GROUP_REGISTERS = 40
"""What a thread of a warpgroup needs besides sums; ptxas gave 34 to products of 128 x 256."""
_LEAST_IN_FLIGHT = 3
"""Stages with which products of a step are under way while the next one begins."""
LEAST_AHEAD = 2
"""Stages and steps of a pipeline of boxes, of which one is copied while another multiplies."""
_BOX_COLUMNS = 16
"""Columns of a block whose rows in memory are boxes of multiples of 32 bytes, at 16 bits an element."""
RESULT_PAD = 8
"""Elements of 4 bytes between the rows of a staged product."""
_GRANULE = 8
"""Registers of a thread are given in multiples of so many."""


def on_lanes(fragment: tuple[int, int, int]) -> bool:
    """Whether an m x n x k is that of mma.sync, whose tiles lie in registers of lanes, and not of WMMA's fragments."""
    return fragment[:2] == (ROWS, COLUMNS)


def on_groups(fragment: tuple[int, int, int]) -> bool:
    """Whether an m x n x k is that of wgmma: 64 rows of a warpgroup, in tiles of 8 columns."""
    return fragment[:2] == (GROUP_ROWS, COLUMNS)


def in_registers(fragment: tuple[int, int, int]) -> bool:
    """Whether operands are swizzled and results finished where their sums are, as mma.sync and wgmma let one do."""
    return on_lanes(fragment) or on_groups(fragment)


@dataclass(frozen=True)
class ProductTiling:
    """Fragments of m x n x k, tiles per warp, warps per block, fragments of k per step, and copies under way.

    One stage copies and multiplies in turn. Blocks take their tiles in groups of `group` rows of blocks. Of wgmma what
    is said of warps is meant of groups of four. `boxes`: operands come in bulk copies, which the first thread asks for,
    or `producers`, so many more warps that do nothing else. `cluster`: so many blocks are neighbours along rows, and
    share their part of columns (`shares_columns`), or along columns, and share that of rows.
    """

    fragment: tuple[int, int, int]
    row_tiles: int
    column_tiles: int
    row_warps: int
    column_warps: int
    chunk: int
    stages: int = 1
    group: int = 1
    boxes: bool = False
    producers: int = 0
    cluster: int = 1
    shares_columns: bool = True

    @property
    def threads(self) -> int:
        """Threads per block that multiply."""
        return self.warps * WARP_SIZE

    @property
    def all_threads(self) -> int:
        """Threads per block, those that ask for boxes counted."""
        return self.threads + self.producers * WARP_SIZE

    @property
    def warps(self) -> int:
        """Warps per block that multiply."""
        return self.row_warps * self.column_warps * (WARPS if on_groups(self.fragment) else 1)

    @property
    def ahead(self) -> int:
        """Steps that copies are ahead of the products."""
        under_way = on_groups(self.fragment) and self.stages >= _LEAST_IN_FLIGHT
        return self.stages - (2 if under_way else 1)

    @property
    def block(self) -> tuple[int, int, int]:
        """Rows and columns that a block computes, and elements of k per step."""
        m, n, k = self.fragment
        return m * self.row_tiles * self.row_warps, n * self.column_tiles * self.column_warps, k * self.chunk

    @property
    def cluster_block(self) -> tuple[int, int, int]:
        """Rows and columns that the blocks of a cluster compute, and elements of k per step."""
        rows, columns, depth = self.block
        return (rows * self.cluster, columns, depth) if self.shares_columns else (rows, columns * self.cluster, depth)

    def __str__(self) -> str:
        rows, columns, depth = self.block
        stages = f", {self.stages} stages" if self.stages > 1 else ""
        return f"{rows} x {columns} in steps of {depth}{stages}"

    @property
    def columns_loaded(self) -> int:
        """Tiles of b that one ldmatrix loads."""
        return 2 - self.column_tiles % 2

    @property
    def registers(self) -> int:
        """About what a thread needs: its part of the sums, of a step's larger fragments, and addresses.

        Of tiles in registers of lanes the compiler loads those of the next instruction while this one multiplies.
        """
        m, n, k = self.fragment
        if on_groups(self.fragment):
            sums = self.row_tiles * self.column_tiles * m * n // (WARPS * WARP_SIZE)
            return -(-(sums + _GROUP_REGISTERS) // _GRANULE) * _GRANULE
        sums = self.row_tiles * self.column_tiles * m * n // WARP_SIZE
        parts = (self.row_tiles * m, self.column_tiles * n)
        operands = max(parts) * k // (2 * WARP_SIZE)
        if on_lanes(self.fragment):  # rows of 32 bytes, whatever the type
            operands = 2 * sum(parts) * 2 * CORE_BYTES // (REGISTER_BYTES * WARP_SIZE)
        return -(-(sums + operands + _OTHER_REGISTERS) // _GRANULE) * _GRANULE

    def lanes(self, part: int, most: int) -> int:
        """Elements that a thread copies at a time of `part` rows or columns: at most so many, with no thread idle."""
        while most > 1 and part * self.block[2] % (most * self.threads):
            most //= 2
        return most

    def operand_bytes(self, element_bytes: int) -> int:
        """Shared memory of the operands' tiles of one stage, whichever way they lie."""
        rows, columns, depth = self.block
        pitch = 0 if in_registers(self.fragment) else VECTOR_BYTES // element_bytes  # a swizzle takes no room
        return element_bytes * (rows * depth + depth * columns + (max(rows, depth) + max(columns, depth)) * pitch)

    def shared_bytes(self, element_bytes: int, *, overlaid: bool, staged: bool = True) -> int:
        """Shared memory of all stages and of a staged product, which may lie where the operands lay before."""
        rows, columns, _ = self.block
        operands, result = self.stages * self.operand_bytes(element_bytes), 4 * rows * (columns + RESULT_PAD)
        if not staged:
            return operands
        return max(operands, result) if overlaid else operands + result


@dataclass(frozen=True)
class ProductSize:
    """What a tiling is chosen for: m, n and k, how many such products, fragments, bytes of an element and of a result.

    `lanes` are the elements of either operand that one thread can copy at a time. `fills_steps`: k is one dimension,
    which is filled up to whole steps with zeros; else steps divide it, as taps and channels would lose their vectors.
    `staged`: the product passes through shared memory. The space is that of the fragment: of WMMA, mma.sync or wgmma;
    `boxes`: of the latter two with operands in bulk copies. `sorts`: two tiles of b take turns at its columns, as their
    bytes are sorted. `taps` of a convolution, of which some lie in the padding.
    """

    sizes: tuple[int, int, int]
    fragment: tuple[int, int, int]
    element_bytes: int
    lanes: tuple[int, int]
    products: int = 1
    fills_steps: bool = False
    staged: bool = True
    boxes: bool = False
    sorts: bool = False
    taps: Taps = ALL_TAPS

    def steps(self, tiling: ProductTiling) -> float:
        """Steps that a block takes on average: those of taps in the padding of all its rows are left out."""
        rows, _, depth = tiling.block
        return -(-self.sizes[2] // depth) * self.taps.taken(rows, depth)


def tilings(size: ProductSize, architecture: GpuArchitecture | None) -> Iterator[ProductTiling]:
    """Every tiling of the space that a block has room for, on every architecture where none is given."""
    lanes, groups = on_lanes(size.fragment), on_groups(size.fragment)
    tightest = _OF_GROUPS if groups else _TIGHTEST_OF_LANES if lanes else _TIGHTEST
    record = architecture or gpu_architectures()[tightest]
    if not _has_instructions(size, record) or (size.boxes and architecture is None):
        return
    is_open = architecture is None and not groups
    room = record.static_shared_bytes_per_block if is_open else record.shared_bytes_per_block
    shapes = _GROUP_TILES if groups else _lane_tiles(size) if lanes else _WARP_TILES
    for tiles, warps, chunk, ahead in product(shapes, _WARPGROUPS if groups else _WARPS, _chunks(size), _STAGES):
        found = ProductTiling(size.fragment, *tiles, *warps, chunk, ahead)
        if (ahead > 1 and not _runs_ahead(found, size)) or ((lanes or groups) and not is_swizzled(found, size)):
            continue
        for fed in _fed(found, size):
            used = used_bytes(fed, size, record)
            if used <= room and record.resident_blocks(fed.all_threads, registers(fed, size), used):
                yield fed


def _has_instructions(size: ProductSize, record: GpuArchitecture) -> bool:
    """Whether an architecture has what the tilings of a product multiply with, and what its operands come by."""
    if size.boxes and record.compute_capability < FIRST_WITH_BOXES:
        return False
    if on_groups(size.fragment):
        return record.warpgroup_products
    return not on_lanes(size.fragment) or record.compute_capability >= FIRST_CAPABILITY


def _fed(tiling: ProductTiling, size: ProductSize) -> Iterator[ProductTiling]:
    """The tiling as it is, or with boxes: those that the block asks for, and those that warps of their own do."""
    if not size.boxes:
        yield tiling
        return
    if tiling.stages >= LEAST_AHEAD:
        yield replace(tiling, boxes=True)
        yield replace(tiling, boxes=True, producers=producers_of(tiling))


def producers_of(tiling: ProductTiling) -> int:
    """Warps that may ask for the boxes of a block: as many as lie side by side in it, of wgmma one group."""
    return WARPS if on_groups(tiling.fragment) else tiling.row_warps


def _lane_tiles(size: ProductSize) -> tuple[tuple[int, int], ...]:
    return _SORTING_TILES if size.sorts else _LANE_TILES


def is_swizzled(tiling: ProductTiling, size: ProductSize) -> bool:
    """Whether threads share each operand's copy, and its rows, whichever way it lies, are such as change places.

    A block goes no further beyond the product than to whole tiles: a buffer is as large as what is read of it.
    """
    (m, n, _), (rows, columns, depth) = size.sizes, tiling.block
    shared = all(part * depth % tiling.threads == 0 for part in (rows, columns))
    if size.boxes:
        shared = columns % _BOX_COLUMNS == 0 or size.element_bytes != CORE_BYTES // 8
    if on_groups(tiling.fragment):
        is_known = size.element_bytes > 1 or columns in INTEGER_COLUMNS
        return shared and is_known and rows < m + GROUP_ROWS and columns < n + COLUMNS
    in_turn = not size.sorts or tiling.columns_loaded > 1
    return shared and in_turn and rows < m + ROWS and columns < n + COLUMNS * tiling.columns_loaded


def _runs_ahead(tiling: ProductTiling, size: ProductSize) -> bool:
    """Whether there are as many steps as stages, and copies that more than two stages keep under way."""
    depth = tiling.block[2]
    overlaps = tiling.stages == 2 or size.boxes or any(are_asynchronous(tiling, size))
    return -(-size.sizes[2] // depth) >= tiling.stages and overlaps


def _chunks(size: ProductSize) -> list[int]:
    """Fragments of k per step: rows of 128 bytes, half of them and so on, as far as k has or can be filled up to them.

    Bytes have one in WMMA: a fragment's tile has to start at a multiple of 32 bytes.
    """
    depth = size.fragment[2]
    if size.element_bytes == 1 and not in_registers(size.fragment):
        return [1]
    found = [bytes_ // (depth * size.element_bytes) for bytes_ in _STEP_BYTES]
    whole = -(-size.sizes[2] // depth)
    fits = [chunk for chunk in found if 0 < chunk <= whole and (size.fills_steps or whole % chunk == 0)]
    return fits or [1]
