"""Whether every access of a kernel lies within its buffer: which ones do not, or cannot be shown to, and why.

An access is a first element, what it reaches from there (the lanes of a vector, the rows of a fragment at their
pitch) and the guards around it. Intervals settle most; what they leave open is settled by the exact extremes of the
first element where the guards hold. Places that must be aligned, and the numbers that name fragments of an array,
are shown alike.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.dialects import gpu, vector
from xdsl.dialects.builtin import VectorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.expressions.linear import Extents, Linear
from vtac.analysis.kernels.alignment import multiple_of
from vtac.analysis.kernels.extremes import MOST_POINTS, Extreme, Problem, shortened
from vtac.analysis.kernels.gpu_indices import own_accesses
from vtac.analysis.kernels.kernel_values import KernelValues
from vtac.analysis.kernels.shared_matrices import matrix_span
from vtac.analysis.kernels.warp_operations import array_size, named_tiles
from vtac.analysis.nests.nest import buffer_name, shape_of, strides_of
from vtac.dialects.gpu_hardware import ELEMENT_BYTES, TILE_BYTES
from vtac.dialects.mma import LdmatrixOp, LoadPairOp, StmatrixOp, StorePairOp
from vtac.dialects.mma.layouts import CORE_BYTES
from vtac.dialects.mma.ops import tiles_of
from vtac.dialects.mma.stores import STORED_BYTES
from vtac.dialects.wgmma import DescriptorOp, MmaAsyncOp
from vtac.dialects.wgmma.ops import matrix_of
from vtac.dialects.wmma import AsyncCopyOp, LoadMatrixSyncOp, StoreMatrixSyncOp
from vtac.dialects.wmma.ops import fragment_of

_MOST_BOXES = 64


@dataclass(frozen=True)
class Reach:
    """What one operation touches: `span` elements from `place` on, of the `size` that a buffer has.

    `aligned` is what the place must be a multiple of; `condition`, where there is one, decides whether anything is
    touched.
    """

    op: Operation
    place: SSAValue
    span: int
    buffer: SSAValue
    size: int
    aligned: int
    verb: str
    condition: SSAValue | None = None
    noun: str = "element"

    @property
    def shown(self) -> str:
        return f"'{buffer_name(self.buffer)}'"


def out_of_bounds(kernel: FuncOp) -> Iterator[tuple[Operation, str]]:
    """The accesses of a kernel, in program order, that leave their buffer or are not shown to stay in it, and how."""
    values = KernelValues(kernel)
    for op in kernel.walk():
        for reach in reaches(op):
            found = _problem(reach, values)
            if found:
                yield op, f"'{op.name}' {reach.verb} {found}"


def reaches(op: Operation) -> Iterator[Reach]:
    """What an operation itself touches: elements of memory, and fragments of arrays."""
    for access in own_accesses(op):
        span, aligned = _extent(op)
        size = prod(shape_of(access.buffer)[:1]) * prod(strides_of(access.buffer)[:1])
        condition = op.present if isinstance(op, AsyncCopyOp) and not access.writes else None
        verb = "writes" if access.writes else "reads"
        yield Reach(op, access.place, span, access.buffer, size, aligned, verb, condition)
    for array, index in named_tiles(op):
        number = op.count if isinstance(op, LdmatrixOp | MmaAsyncOp) else 1
        yield Reach(op, index, number, array, array_size(array), 1, "names", None, "fragment")


def _extent(op: Operation) -> tuple[int, int]:
    """Elements from the first to the last that an access touches, and what its place is a multiple of."""
    if isinstance(op, LoadMatrixSyncOp | StoreMatrixSyncOp):
        fragment = fragment_of(op.fragments)
        rows, columns = fragment.rows, fragment.columns
        if fragment.layout == "col_major":
            rows, columns = columns, rows
        width = ELEMENT_BYTES[fragment.element]
        return (rows - 1) * op.leading.value.data + columns, TILE_BYTES // width
    if isinstance(op, LdmatrixOp):
        row = CORE_BYTES // ELEMENT_BYTES[tiles_of(op.tiles).element]
        return row, row
    if isinstance(op, StmatrixOp):
        return CORE_BYTES // STORED_BYTES, CORE_BYTES // STORED_BYTES
    if isinstance(op, LoadPairOp | StorePairOp):
        return 2, 2
    if isinstance(op, DescriptorOp):
        return matrix_span(op), CORE_BYTES // ELEMENT_BYTES[matrix_of(op.descriptor).element]
    if isinstance(op, AsyncCopyOp):
        return op.elements.value.data, op.elements.value.data
    kind = (
        op.result.type if isinstance(op, vector.LoadOp) else op.vector.type if isinstance(op, vector.StoreOp) else None
    )
    lanes = prod(kind.get_shape()) if isinstance(kind, VectorType) else 1
    return lanes, lanes


def _problem(reach: Reach, values: KernelValues) -> str:
    """What an access reaches beyond its buffer, or why it is not shown to stay within; empty when it does."""
    place = values.expression(reach.place)
    if place is None:
        owner = reach.place.owner
        source = f"'{owner.name}'" if isinstance(owner, Operation) else "a loop of unknown bounds"
        return f"{reach.noun}s of {reach.shown} from a place that {source} gives, whose range is not known"
    multiple = multiple_of(place, values.extents)
    if multiple % reach.aligned:
        return (
            f"{reach.span} {reach.noun}s of {reach.shown} from multiples of {multiple} on; multiples of "
            f"{reach.aligned} are required"
        )
    if _is_within(reach, *place.bounds(values.extents)):
        return ""
    guards = values.guards(reach.op)
    if reach.condition is not None:
        guards += values.conditions(reach.condition, holds=True)
    return _outside(reach, place, guards, values.extents)


def _is_within(reach: Reach, low: int, high: int) -> bool:
    return low >= 0 and high + reach.span <= reach.size


def _outside(reach: Reach, place: Linear, guards: Sequence[Linear], extents: Extents) -> str:
    """What an access reaches beyond its buffer where its guards hold; empty when nothing."""
    boxes = [_Box(place, tuple(guards), shortened(guards, extents), {})]
    for _ in range(_MOST_BOXES):
        if not boxes:
            return ""
        box = boxes.pop()
        if box.is_shown(reach):
            continue
        problem = Problem.exact(box.place, box.guards, box.extents)
        if problem.points() > MOST_POINTS:
            boxes += box.halves(max(problem.enumerated(), key=lambda variable: box.extents[variable]))
            continue
        found = problem.extremes()
        for extreme in found or ():
            if not _is_within(reach, extreme.value, extreme.value):
                return _reached(reach, extreme, box.starts)
    return f"{reach.noun}s of {reach.shown} under guards with more combinations than are looked at" if boxes else ""


@dataclass(frozen=True)
class _Box:
    """A part of all combinations of the variables: those of `starts` run from there on."""

    place: Linear
    guards: tuple[Linear, ...]
    extents: Extents
    starts: Mapping[Hashable, int]

    def is_shown(self, reach: Reach) -> bool:
        """Whether intervals, or those of quotients and remainders taken apart, show an access to stay within."""
        if _is_within(reach, *self.place.bounds(self.extents)):
            return True
        if any(guard.bounds(self.extents)[1] < 0 for guard in self.guards):
            return True
        relaxed = Problem.relax(self.place, self.guards, self.extents)
        if relaxed.points() > MOST_POINTS:
            return False
        found = relaxed.extremes()
        return found is None or _is_within(reach, found[0].value, found[1].value)

    def halves(self, variable: Hashable) -> list[_Box]:
        """The lower and the upper half of a variable's values."""
        extent = self.extents[variable]
        parts: list[_Box] = []
        for start, size in ((0, extent // 2), (extent // 2, extent - extent // 2)):
            extents = {**self.extents, variable: size}
            moved = {variable: Linear.variable(variable) + start}
            place, *guards = (one.substitute(moved, extents) for one in (self.place, *self.guards))
            starts = {**self.starts, variable: self.starts.get(variable, 0) + start}
            parts.append(_Box(place, tuple(guards), extents, starts))
        return parts


def _reached(reach: Reach, extreme: Extreme, starts: Mapping[Hashable, int]) -> str:
    """The elements that an access reaches where its place is extreme, and where that is."""
    first, last = extreme.value, extreme.value + reach.span - 1
    elements = f"{reach.noun}s {first:,} to {last:,}" if reach.span > 1 else f"{reach.noun} {first:,}"
    where = _named_point({v: value + starts.get(v, 0) for v, value in extreme.point.items()})
    return f"{elements} of {reach.shown}, which has {reach.size:,}{where}"


def _named_point(point: Mapping[Hashable, int]) -> str:
    """Block, thread and iterations, in words."""
    launch = {gpu.BlockIdOp: [0, 0, 0], gpu.ThreadIdOp: [0, 0, 0]}
    loops: list[str] = []
    for variable, value in point.items():
        owner = cast("SSAValue", variable).owner
        if isinstance(owner, gpu.BlockIdOp | gpu.ThreadIdOp):
            launch[type(owner)]["xyz".index(str(owner.dimension.data.value))] = value
        else:
            loops.append(f"{cast('SSAValue', variable).name_hint or 'a loop'} = {value}")
    indices = ((name, launch[kind]) for name, kind in (("block", gpu.BlockIdOp), ("thread", gpu.ThreadIdOp)))
    words = [f"{name} ({', '.join(map(str, index))})" for name, index in indices if any(index)]
    return f", at {', '.join([*words, *sorted(loops)])}" if words or loops else ""
