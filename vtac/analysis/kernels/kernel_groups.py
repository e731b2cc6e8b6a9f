"""Which operations of a function on tensors one CUDA kernel holds together.

One walk from the last operation to the first. An operation belongs to the group of its users where these are all in
one group and its kernel can hold it, else it is the first of a group, whose result others read:

* elementwise operations and moves are computed where they are read;
* one product, convolution or window is what the elementwise operations after it work on;
* reductions of rows stand with what follows for the same rows, and with other reductions of them;
* attention (fuse-attention) stands alone.

What reads a product elementwise stays with the product, rather than with rows that are reduced afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.analysis.operations.computations import is_computation
from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.operations.structured_view import structured_view
from vtac.analysis.operations.tensor_products import is_tensor_product
from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.packing import PackOp, UnpackOp
from vtac.dialects.wmma.attention import AttentionOp

Work = Literal["move", "map", "rows", "window", "product", "attention"]
"""Copies with other indices; elementwise; reductions of rows; others; what tensor cores multiply; attention."""


@dataclass(eq=False)
class KernelGroup:
    """Operations of one kernel in program order, the last of which gives its result.

    `anchor` is the product or window that the others stand around, `rows` the shape of what reductions of rows keep,
    and the extents that they reduce.
    """

    operations: list[Operation]
    anchor: Operation | None = None
    rows: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    @property
    def root(self) -> Operation:
        return self.operations[-1]


def kernel_groups(function: FuncOp) -> list[KernelGroup]:
    """The groups of a function whose operations have one result each, in the order of their last operations."""
    group_of: dict[Operation, KernelGroup] = {}
    groups: list[KernelGroup] = []
    for op in reversed(list(function.body.block.ops)):
        if not is_computation(op):
            continue
        work = work_of(op)
        group = _group_of_users(op, group_of)
        if group is None or not _holds(group, op, work):
            group = KernelGroup([])
            groups.append(group)
        _add(group, op, work)
        group_of[op] = group
    return groups[::-1]


def _group_of_users(op: Operation, group_of: dict[Operation, KernelGroup]) -> KernelGroup | None:
    found = {group_of.get(use.operation) for result in op.results for use in result.uses}
    return found.pop() if len(found) == 1 else None


def _add(group: KernelGroup, op: Operation, work: Work) -> None:
    group.operations.insert(0, op)
    if work in ("product", "window"):
        group.anchor = op
    elif work == "rows":
        group.rows = _rows_of(op)


def work_of(op: Operation) -> Work:
    """What sort of work an operation is."""
    if isinstance(op, AttentionOp):
        return "attention"
    if not isinstance(op, LinalgStructuredOperation):
        return "move"
    if is_elementwise(op):
        return "move" if _is_move(op) else "map"
    view = structured_view(op)
    if not isinstance(view, str) and is_tensor_product(view):
        return "product"
    if all(kind.data is IteratorType.PARALLEL for kind in op.get_iterator_types()):
        return "map"
    return "rows" if _rows_of(op) is not None else "window"


def _is_move(op: LinalgStructuredOperation) -> bool:
    return len(op.inputs) == 1 and len(list(op.body.block.ops)) == 1 and not op.body.block.args[-1].uses


def _maps(op: LinalgStructuredOperation) -> list[AffineMap]:
    return [attribute.data for attribute in op.get_indexing_maps()]


def _plain(indices: AffineMap) -> tuple[int, ...] | None:
    """The loops that are the indices, each once; None where there are others."""
    dims = [expr.position for expr in indices.results if isinstance(expr, AffineDimExpr)]
    return tuple(dims) if len(dims) == len(indices.results) and len(set(dims)) == len(dims) else None


def _rows_of(op: Operation) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The extents that a reduction of whole rows keeps, and those that it reduces.

    Each point is one element of an operand; what is kept is written in its order.
    """
    if not isinstance(op, LinalgStructuredOperation):
        return None
    *reads, written = _maps(op)
    kept, loops = _plain(written), list(range(written.num_dims))
    if not kept or not any(sorted(_plain(m) or ()) == loops for m in reads):
        return None
    extents = _extents(op)
    reduced = tuple(extent for dim, extent in enumerate(extents) if dim not in kept)
    return tuple(extents[dim] for dim in kept), reduced


def _holds(group: KernelGroup, op: Operation, work: Work) -> bool:
    """Whether the kernel of a group can compute an operation too, which all its users in the group read."""
    readers = [(use.operation, use.index) for result in op.results for use in result.uses]
    if work == "attention" or any(isinstance(reader, AttentionOp) for reader, _ in readers):
        return False
    if any(isinstance(reader, tensor.PadOp) and reader is not op for reader, _ in readers):
        return False
    if work in ("map", "move"):
        return all(_takes(reader, index, op, work) for reader, index in readers) and not _stays(group, op)
    if any(work_of(reader) not in ("map", "move") for reader, _ in readers if work != "rows"):
        return False
    if work == "rows":
        return _joins_rows(group, op, readers)
    return group.anchor is None and group.rows is None and _is_tail(group, op)


def _takes(reader: Operation, index: int, op: Operation, work: Work) -> bool:
    """Whether a reader can compute an elementwise operation where it reads its result."""
    kind = work_of(reader)
    if kind in ("map", "move"):
        return not isinstance(reader, PackOp | UnpackOp) or work == "move"
    if not isinstance(reader, LinalgStructuredOperation):
        return False
    if index >= len(reader.inputs):
        return kind == "product" and op.results[0].uses.get_length() == 1 and not isinstance(op, tensor.PadOp)
    if kind == "product":
        return work == "move" and _pads_zeros(op) and op.results[0].uses.get_length() == 1
    if isinstance(op, tensor.PadOp):
        return kind == "window"
    return (
        work == "move" or _is_read_once(reader, index) or (kind == "rows" and _plain(_maps(reader)[index]) is not None)
    )


def _pads_zeros(op: Operation) -> bool:
    """Whether a move is none of padding, or pads with zeros."""
    if not isinstance(op, tensor.PadOp):
        return True
    last = op.region.block.last_op
    value = last.operands[0].owner if last is not None else None
    number = value.value if isinstance(value, arith.ConstantOp) else None
    return isinstance(number, FloatAttr | IntegerAttr) and number.value.data == 0


def _is_read_once(reader: LinalgStructuredOperation, index: int) -> bool:
    """Whether an operation reads each element of an operand at one point only."""
    return prod(shape_of(reader.inputs[index])) == prod(_extents(reader))


def _extents(op: LinalgStructuredOperation) -> tuple[int, ...]:
    return tuple(op.get_static_loop_ranges())


def _stays(group: KernelGroup, op: Operation) -> bool:
    """Whether an elementwise operation belongs to the product or window that it reads, and the group has no room."""
    return (group.anchor is not None or group.rows is not None) and _reads_anchor(op)


def _reads_anchor(op: Operation) -> bool:
    """Whether an operation is elementwise over what a product or window gives to nothing else."""
    if not is_elementwise(op) or not isinstance(op, LinalgStructuredOperation):
        return False
    for value, indices in zip(op.inputs, _maps(op), strict=False):
        owner = value.owner
        if not isinstance(owner, Operation) or not is_computation(owner) or value.uses.get_length() > 1:
            continue
        dims = _plain(indices)
        if dims is None or len(dims) != indices.num_dims:
            continue
        if work_of(owner) in ("product", "window") or _reads_anchor(owner):
            return True
    return False


def _is_tail(group: KernelGroup, anchor: Operation) -> bool:
    """Whether what follows from an anchor in a group is elementwise over the anchor's shape."""
    following: set[Operation] = {anchor}
    for op in group.operations:
        if not isinstance(op, LinalgStructuredOperation):
            if any(value.owner in following for value in op.operands):
                return False
            continue
        for value, indices in zip(op.inputs, _maps(op), strict=False):
            if value.owner not in following:
                continue
            dims = _plain(indices)
            if dims is None or len(dims) != indices.num_dims:
                return False
            following.add(op)
        if any(value.owner in following for value in op.outputs):
            return False
    return group.root in following


def _joins_rows(group: KernelGroup, op: Operation, readers: Sequence[tuple[Operation, int]]) -> bool:
    """Whether a reduction of rows has the rows of a group, whose operations read it at these rows."""
    rows = _rows_of(op)
    if rows is None or group.anchor is not None or (group.rows is not None and group.rows != rows):
        return False
    kept, reduced = rows
    return all(_is_at_rows(member, kept, reduced) for member in group.operations) and all(
        _reads_rows(reader, index, kept) for reader, index in readers
    )


def _is_at_rows(member: Operation, kept: tuple[int, ...], reduced: tuple[int, ...]) -> bool:
    """Whether an operation runs over rows, over whole rows, or over what lies within a row."""
    if not isinstance(member, LinalgStructuredOperation):
        return False
    extents = _extents(member)
    within = prod(extents) == prod(reduced)
    return extents == kept or prod(extents) == prod(kept) * prod(reduced) or within


def _reads_rows(reader: Operation, index: int, kept: tuple[int, ...]) -> bool:
    """Whether a reader finds what rows have been reduced to at the rows that it is at."""
    if not isinstance(reader, LinalgStructuredOperation) or index >= len(reader.inputs):
        return False
    dims = _plain(_maps(reader)[index])
    if dims is None:
        return False
    extents = _extents(reader)
    return tuple(extents[dim] for dim in dims) == kept and list(dims) == sorted(dims)


def read_values(op: Operation) -> Iterator[SSAValue]:
    """The values from outside that an operation and what it holds read."""
    inside = {result for inner in op.walk() for result in inner.results}
    inside |= {arg for inner in op.walk() for region in inner.regions for block in region.blocks for arg in block.args}
    seen: dict[SSAValue, None] = {}
    for inner in op.walk():
        for operand in inner.operands:
            if operand not in inside:
                seen[operand] = None
    yield from seen
