"""Loops that copy a box of shared memory to its place in an array, as a bulk copy of a warp does it.

Rows of a box that run through several dimensions of a dense array, as the pixels of images do, are rows of one matrix.
What a guard leaves out has to lie outside of the array, where nothing is written.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.dialects.builtin import FixedBitwidthType
from xdsl.ir import Operation, SSAValue

from vtac.analysis.bulk_copies.box_copies import BANKS_BYTES
from vtac.analysis.expressions.linear import Linear, relax
from vtac.analysis.kernels.shared_matrices import layout_of
from vtac.analysis.nests.accesses import guards_of, indices_of
from vtac.analysis.nests.nest import (
    blocks_under,
    buffer_name,
    element_type_of,
    enclosing_loops,
    extents_around,
    shape_of,
    strides_of,
)
from vtac.analysis.nests.tiles import match_copy
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.tma import Boxes
from vtac.errors import ConfigError
from vtac.targets.target import Mismatch

STORE_BOX = "tma.store"
_RULE = "a box of a shared buffer goes to an array, rows and strides of multiples of 16 bytes"


@dataclass(frozen=True)
class BoxStore:
    """Boxes of an array, each with where it lies: elements of the source, and its coordinates, innermost first."""

    block: BlockOp
    boxes: Boxes
    parts: tuple[tuple[Linear, tuple[Linear, ...]], ...]


@dataclass(frozen=True)
class _Array:
    """An array as its boxes see it: extents and strides in elements, and an index for each, outermost first."""

    extents: tuple[int, ...]
    strides: tuple[int, ...]
    indices: tuple[Linear, ...]


def match_store(loop: ForOp, *, is_compact: bool = True) -> BoxStore | str:
    """The boxes that a loop stores with all that it holds; or why it stores none.

    Before buffers are as small as what they hold (`is_compact`), only the array's side of it is looked at.
    """
    nest = match_copy(loop, "shared", "global")
    if isinstance(nest, str):
        return nest
    loops, block = nest
    if len(loops) != len(("rows", "columns")):
        return f"it has {len(loops)} loops; one over rows and one over columns are required"
    return _stored(loops, block, is_compact=is_compact)


def _stored(loops: Sequence[ForOp], block: BlockOp, *, is_compact: bool) -> BoxStore | str:
    extents, name = extents_around(block), buffer_name(block.output)
    row, column = (one.induction_variable for one in loops)
    array = _seen(block, row, column)
    if array is None:
        return f"'{name}' is not written row by row, each element beside the one before it"
    for guard in guards_of(block, extents):
        bounds = [Linear(extent - 1) - index for extent, index in zip(array.extents, array.indices, strict=True)]
        if guard.bounds(extents)[0] < 0 and guard not in bounds:
            return f"block '{block.block_name}' is guarded otherwise than by the extents of '{name}'"
    count, width = loops[1].trip_count, _width(block)
    layout = layout_of(block.inputs[0])
    panel = layout.swizzle // width if layout is not None and layout.panel_rows else count
    if not is_compact:
        panel = min(panel, BANKS_BYTES // width)  # a layout may yet cut rows into panels
    if count % panel:
        return f"rows of {count} elements are no panels of {panel}"
    along = [index.coefficient(row) != 0 for index in array.indices]
    box = (panel, *(loops[0].trip_count if is_row else 1 for is_row in along[-2::-1]))
    swizzle = layout.span if layout is not None else 0
    strides = tuple(stride * width for stride in array.strides[-2::-1])
    boxes = Boxes(box, array.extents[::-1], strides, (1,) * len(box), swizzle)
    try:
        boxes.map_of(name, element_type_of(block.output))
    except ConfigError as error:
        return error.message
    starts = [index.without(row).without(column) for index in array.indices[::-1]]
    places = _places(block, loops, panel) if is_compact else (Linear(0),) * (count // panel)
    if isinstance(places, str):
        return places
    parts = [(place, (starts[0] + number * panel, *starts[1:])) for number, place in enumerate(places)]
    return BoxStore(block, boxes, tuple(parts))


def _seen(block: BlockOp, row: SSAValue, column: SSAValue) -> _Array | None:
    """The array with one row of the box along one of its dimensions, its outer ones taken as one if need be."""
    shape, strides = shape_of(block.output), strides_of(block.output)
    indices = indices_of(block, 1, extents_around(block))
    flat = Linear(0)
    for index, stride in zip(indices[:-1], strides[:-1], strict=True):
        flat = flat + index * (stride // strides[-2] if len(strides) > 1 else 1)
    matrix = _Array((prod(shape[:-1]), shape[-1]), (shape[-1], 1), (flat, indices[-1]))
    for array in (_Array(tuple(shape), tuple(strides), tuple(indices)), matrix):
        last, outer = array.indices[-1], array.indices[:-1]
        rows = [index.coefficient(row) for index in outer if row in index.variables()]
        if (
            len(array.indices) > 1
            and rows == [1]
            and all(index.is_linear_in(row) and column not in index.variables() for index in outer)
            and last.is_linear_in(column)
            and last.coefficient(column) == 1
            and row not in last.variables()
        ):
            return array
    return None


def _places(block: BlockOp, loops: Sequence[ForOp], panel: int) -> tuple[Linear, ...] | str:
    """The first element of each panel of a box in the shared buffer, panels one after the other."""
    source, extents, width = block.inputs[0], extents_around(block), _width(block)
    row, column = (one.induction_variable for one in loops)
    layout, shape = layout_of(source), shape_of(source)
    *_, rows, columns = indices_of(block, 0, extents)
    name = f"'{buffer_name(source)}'"
    first, start = rows.without(row), columns.without(column)
    if len([one for one in shape if one > 1]) > len(loops) or (rows.coefficient(row), columns.coefficient(column)) != (
        1,
        1,
    ):
        return f"{name} is not read row by row"
    if {row, column} & (first.variables() | start.variables()):
        return f"{name} is not read row by row"
    count, numbers = loops[1].trip_count, range(loops[1].trip_count // panel)
    if layout is None or not layout.panel_rows:
        if count != shape[-1] or not start.is_constant or start.constant:
            return f"boxes have whole rows of {name}, {shape[-1]} elements; the copy has {count}: cut it into panels"
        return (first * shape[-1],)
    height = layout.panel_rows
    if height != shape[-2] or height * width * panel % layout.period:
        return f"{name} has panels of {height} rows, and {shape[-2]} rows"
    at = start.floor_divide(panel, extents)
    if at * panel != start:
        return f"the copy begins within a panel of {name}"
    return tuple((at + number) * (height * panel) + first * panel for number in numbers)


def _width(block: BlockOp) -> int:
    return cast("FixedBitwidthType", element_type_of(block.output)).size


def written_by_others(store: BoxStore, root: Operation) -> str:
    """Why warps would store what other warps have written; empty where each has written all of its boxes itself.

    Warps are the values of threadIdx.y and threadIdx.z; nothing else waits for the writes of others.
    """
    source = store.block.inputs[0]
    name = buffer_name(source)
    writers = [block for block in blocks_under(root) if block.output is source]
    wanted = _by_warps(store.block, 0)
    for writer in writers:
        if _by_warps(writer, len(writer.inputs)) != wanted:
            return (
                f"warps store rows and columns of '{name}' that block '{writer.block_name}' has other warps write: "
                "bind the loops of both alike to threadIdx.y and threadIdx.z"
            )
    return "" if writers else f"nothing writes '{name}'"


def _by_warps(block: BlockOp, position: int) -> list[tuple[Linear, int, int]]:
    """What a warp touches of each dimension of a buffer, by its indices; all of it while other loops run."""
    extents = extents_around(block)
    kinds: dict[Hashable, LoopKind] = {loop.induction_variable: loop.loop_kind for loop in enclosing_loops(block)}
    inner: set[Hashable] = {one for one, kind in kinds.items() if not kind.is_bound}
    warps: dict[Hashable, Linear] = {
        one: Linear.variable(kind) for one, kind in kinds.items() if kind in (LoopKind.THREAD_Y, LoopKind.THREAD_Z)
    }
    known = {**extents, **{kinds[one]: extents[one] for one in warps}}
    found: list[tuple[Linear, int, int]] = []
    for index in indices_of(block, position, extents):
        base, low, high = relax(index, inner, extents)
        found.append((base.substitute(warps, known), low, high))
    return found


def match_store_intrinsic(loop: ForOp) -> object:
    """The boxes of a loop, or a `Mismatch` that says why it has none."""
    found = match_store(loop, is_compact=False)
    return Mismatch(found, _RULE) if isinstance(found, str) else found
