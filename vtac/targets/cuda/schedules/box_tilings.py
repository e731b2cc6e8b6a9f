"""Which tilings of a product have tiles of its operands that are boxes of arrays, as bulk copies bring them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from vtac.analysis.bulk_copies.box_copies import BoxCopy, match_box
from vtac.analysis.bulk_copies.cluster_boxes import part_of
from vtac.analysis.nests.nest import buffer_name, element_type_of, enclosing_loops, shape_of, strides_of
from vtac.dialects.tensor_maps import CHUNK, MOST_DIMENSIONS, SWIZZLE_SPANS
from vtac.dialects.tma import Boxes
from vtac.errors import ConfigError, ScheduleError
from vtac.schedule import BlockRef, Schedule
from vtac.targets.cuda.schedules.lanes import walked_fastest
from vtac.targets.cuda.schedules.product_blocks import ProductBlocks
from vtac.targets.cuda.schedules.product_matrices import as_matrices, payload_block
from vtac.targets.cuda.schedules.tiling import LEAST_AHEAD, ProductTiling

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

_RULE = "a box is pixels of images and channels of one tap, in rows and at strides of multiples of 16 bytes"
_OPERANDS = 2
_Shared = tuple[tuple[int, int, int], int, bool]


@dataclass
class BoxProbe:
    """Tries tiles of a product's operands, by the first steps of its schedule."""

    module: ModuleOp | str
    blocks: ProductBlocks
    _known: dict[tuple[int, tuple[int, int]], str] = field(default_factory=dict[tuple[int, tuple[int, int]], str])
    _cut: dict[_Shared, str] = field(default_factory=dict["_Shared", str])

    def problem(self, tile: tuple[int, int, int]) -> str:
        """Why a step's tiles of m x n x k, of either operand, are no boxes; empty where they are."""
        if self.array_problem:
            return self.array_problem
        rows, columns, depth = tile
        parts = ((0, (rows, depth)), (1, (depth, columns)))
        if any(part not in self._known for part in parts):
            found = self._found(tile)
            self._known.update(zip(parts, found, strict=True))
        return next((self._known[part] for part in parts if self._known[part]), "")

    @cached_property
    def array_problem(self) -> str:
        """Why no tile of an operand is a box, as its array has rows that bulk copies do not reach; empty otherwise."""
        script = self._script()
        for buffer in payload_block(script, script.get_block(self.blocks.product)).inputs[:_OPERANDS]:
            element, extents = element_type_of(buffer), shape_of(buffer)[: -MOST_DIMENSIONS - 1 : -1]
            strides = tuple(
                stride * self.blocks.element_bytes for stride in strides_of(buffer)[-2 : -MOST_DIMENSIONS - 1 : -1]
            )
            ones = (1,) * (len(extents) - 1)
            boxes = Boxes((CHUNK // self.blocks.element_bytes, *ones), extents, strides, (1, *ones))
            try:
                boxes.map_of(buffer_name(buffer), element)
            except ConfigError as error:
                return f"{error.message}; {_RULE}"
        return ""

    def rows_are_pixels(self, tile: tuple[int, int, int]) -> bool:
        """Whether the rows of a step's tile of m x n x k come by maps for im2col, as pixels of parts of rows do."""
        found = self._box(0, tile, tile)
        return not isinstance(found, str) and found.boxes.corners is not None

    def cluster_problem(self, tiling: ProductTiling) -> str:
        """Why the blocks of a cluster, if it is one, cannot share an operand's boxes; empty where they can."""
        if tiling.cluster == 1:
            return ""
        key = (tiling.block, tiling.cluster, tiling.shares_columns)
        if key not in self._cut:
            self._cut[key] = self._cut_problem(tiling)
        return self._cut[key]

    def _cut_problem(self, tiling: ProductTiling) -> str:
        found = self._box(int(tiling.shares_columns), tiling.block, tiling.cluster_block)
        if isinstance(found, str):
            return found
        if found.boxes.corners is not None:
            return "blocks along columns share no pixels, which come by maps for im2col"
        width = self.blocks.element_bytes
        swizzle = next((one for one in SWIZZLE_SPANS[:0:-1] if found.boxes.box[0] * width % one == 0), 0)
        boxes = replace(found.boxes, swizzle=swizzle)
        array = found.block.inputs[0]
        cut = part_of(boxes, boxes.map_of(buffer_name(array), element_type_of(array)), tiling.cluster)
        return cut if isinstance(cut, str) else ""

    def _box(self, operand: int, tile: tuple[int, int, int], whole: tuple[int, int, int]) -> BoxCopy | str:
        """The boxes of a step's tile of an operand, in a product that is filled up to multiples of `whole`."""
        script = self._script()
        rows, columns, depth = tile
        copies = as_matrices(script, script.get_block(self.blocks.product), whole)
        return _box_of(script, copies[operand], ((rows, depth), (depth, columns))[operand])

    def _script(self) -> Schedule:
        script = Schedule(self.module)
        for name in self.blocks.pads:
            script.compute_inline(script.get_block(name))
        return script

    def _found(self, tile: tuple[int, int, int]) -> tuple[str, str]:
        script = self._script()
        rows, columns, depth = tile
        try:
            a, b, _ = as_matrices(script, script.get_block(self.blocks.product), tile)
        except ScheduleError as error:
            return error.message, error.message
        return _problem(script, a, (rows, depth)), _problem(script, b, (depth, columns))


def _problem(script: Schedule, copy: BlockRef, tile: tuple[int, int]) -> str:
    """Why a copy of a matrix, cut into such tiles, copies none as a box."""
    found = _box_of(script, copy, tile)
    return f"{found}; {_RULE}" if isinstance(found, str) else ""


def _box_of(script: Schedule, copy: BlockRef, tile: tuple[int, int]) -> BoxCopy | str:
    """The boxes of a copy of a matrix, cut into such tiles; or why it copies none."""
    by_rows = walked_fastest(payload_block(script, copy), 0) == 0
    script.set_scope(copy, 0, "shared")
    *_, outer, inner = script.get_loops(copy)
    row_tiles, row = script.split(outer, factor=tile[0])
    column_tiles, column = script.split(inner, factor=tile[1])
    inside = (column, row) if by_rows else (row, column)
    script.reorder(row_tiles, column_tiles, *inside)
    return match_box(enclosing_loops(payload_block(script, copy))[-2], is_compact=False)


def first_boxed(
    probe: BoxProbe, depth: int, tilings: Iterable[ProductTiling], place: int = 0
) -> tuple[ProductTiling | None, tuple[ProductTiling, str] | None]:
    """Of the tilings whose tiles are boxes the one at a place, None where there are fewer; what the first one lacks."""
    first: tuple[ProductTiling, str] | None = None
    for tiling in tilings:
        problem = _few(tiling, depth) or probe.problem(tiling.block) or probe.cluster_problem(tiling)
        if not problem and not place:
            return tiling, first
        place -= not problem
        first = first or ((tiling, problem) if problem else None)
        if probe.array_problem:
            break
    return None, first


def check_boxes(probe: BoxProbe, sizes: tuple[int, int, int], tiling: ProductTiling) -> None:
    """Refuse a tiling that was given, and whose tiles are no boxes. Raises `ScheduleError`."""
    _, lacks = first_boxed(probe, sizes[2], [tiling])
    if lacks is not None:
        raise ScheduleError(f"blocks of {tiling} do not fit a product of {_shown(sizes)}: {lacks[1]}")


def no_boxes(probe: BoxProbe, sizes: tuple[int, int, int], lacks: tuple[ProductTiling, str] | None) -> ScheduleError:
    """Why a product has no tiling whose operands come as boxes: by its arrays, or by what the best of them lacks."""
    if probe.array_problem:
        return ScheduleError(
            f"no tiling of a product of {_shown(sizes)} copies boxes: {probe.array_problem}; use mma.sync or wgmma "
            "with other copies"
        )
    if lacks is None:
        return ScheduleError(
            f"no tiling for boxes fits a product of {_shown(sizes)}: it takes two steps of 32 bytes of k or more, and "
            "blocks that go no further beyond it than to whole tiles; use mma.sync or wgmma with other copies"
        )
    tiling, problem = lacks
    return ScheduleError(
        f"no tiling of a product of {_shown(sizes)} copies boxes: of blocks of {tiling}, {problem}; use mma.sync or "
        "wgmma with other copies"
    )


def _shown(sizes: tuple[int, int, int]) -> str:
    return " x ".join(map(str, sizes))


def _few(tiling: ProductTiling, depth: int) -> str:
    """Why nothing is copied ahead; empty where something is."""
    step = tiling.block[2]
    if tiling.stages < LEAST_AHEAD:
        return f"one stage copies nothing ahead; choose {LEAST_AHEAD} stages or more"
    if depth <= step:
        return f"k of {depth} is one step, and nothing is copied ahead; choose steps of less than {depth}"
    return ""
