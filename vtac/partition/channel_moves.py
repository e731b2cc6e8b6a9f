"""Moves along the channels of data: joined, cut within tiles, shuffled."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import i8
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import FillOp, TransposeOp
from xdsl.ir import BlockArgument, SSAValue

from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.types.tile_slices import slice_of
from vtac.dialects.packing import BlockDiagonalOp, ReshapeOp
from vtac.partition.convolutions import Convolution, match_convolution
from vtac.partition.moves import is_move, moved_from

MOVES = tensor.ConcatOp | tensor.InsertSliceOp | tensor.ExtractSliceOp | tensor.CollapseShapeOp | ReshapeOp
"""The last operation of what may move channels."""


@dataclass(frozen=True)
class _Runs:
    """Channels in runs: `counts[i]` of them are those of the data before the move from `firsts[i]` on."""

    dim: int
    firsts: tuple[int, ...]
    counts: tuple[int, ...]
    width: int
    """Channels of the data before the move."""

    @property
    def places(self) -> tuple[object, ...]:
        """Where the channels come from, in whichever tensors."""
        return self.firsts, self.counts, self.width


@dataclass(frozen=True)
class Joined(_Runs):
    """A run from each of several tensors."""

    sources: tuple[SSAValue, ...]


@dataclass(frozen=True)
class Cut(_Runs):
    """One run of the tiles of a tensor from channel `begin` on, which are no more than the run has channels in."""

    source: SSAValue
    begin: int

    @property
    def places(self) -> tuple[object, ...]:
        return *super().places, self.begin


@dataclass(frozen=True)
class Shuffle:
    """Channels as a grid of `shape`, transposed by `order`: channel (i, j, ..) comes from the source's grid."""

    dim: int
    source: SSAValue
    shape: tuple[int, ...]
    order: tuple[int, ...]

    @property
    def places(self) -> tuple[object, ...]:
        return self.shape, self.order


ChannelMove = Joined | Cut | Shuffle


def is_like(one: ChannelMove, other: ChannelMove) -> bool:
    """Whether two tensors have their channels from the same places of their sources."""
    return type(one) is type(other) and one.places == other.places


def is_given(value: SSAValue) -> bool:
    """Whether a tensor is an argument or a constant, or a layout of such."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        op = one.owner
        if isinstance(op, tensor.InsertSliceOp):
            waiting += (op.source, op.dest)
        elif isinstance(op, (TransposeOp, BlockDiagonalOp, tensor.ExtractSliceOp, *RESHAPES)):
            waiting.append(op.operands[0])
        elif not isinstance(one, BlockArgument) and not isinstance(op, ConstantOp):
            return False
    return True


def with_given_kernel(op: LinalgStructuredOperation) -> Convolution | None:
    """The product that an operation is, if channels of its kernel can be put at other places before it runs."""
    found = match_convolution(op)
    if isinstance(found, str) or found.kernel is None or found.depthwise or found.zero_points:
        return None
    given = is_given(found.kernel) and found.data is not found.kernel and element_of(found.kernel) == i8
    return found if given else None


def channel_move_of(data: SSAValue, dim: int, block: int) -> ChannelMove | None:
    """How the channels of data, read through padding, come from computed tensors if they lie across tiles of these."""
    inner = without_pad(data, dim)
    if inner is None:
        return None
    match inner.owner:
        case tensor.ConcatOp() as join:
            return _of_concatenation(join, dim, block)
        case tensor.InsertSliceOp() as last:
            return _of_insertions(last, dim, block)
        case tensor.ExtractSliceOp() as cut:
            return _of_slice(cut, dim, block)
        case _:
            return shuffled_from(inner, dim)


def may_be_moved(value: SSAValue) -> bool:
    """Whether a tensor, or what it is with padding around, comes from an operation that may move channels."""
    inner = value.owner.source if isinstance(value.owner, tensor.PadOp) else value
    return isinstance(inner.owner, MOVES)


def without_pad(data: SSAValue, dim: int) -> SSAValue | None:
    """What is padded, along other dimensions than `dim`."""
    if not isinstance(data.owner, tensor.PadOp):
        return data
    source = data.owner.source
    return source if shape_of(source)[dim] == shape_of(data)[dim] else None


def _of_concatenation(join: tensor.ConcatOp, dim: int, block: int) -> Joined | None:
    return _joined(_parts(join, dim), dim, block) if join.dim.value.data == dim else None


def _of_insertions(last: tensor.InsertSliceOp, dim: int, block: int) -> Joined | None:
    """Tensors put side by side into another, of which nothing is left."""
    parts, value, whole = dict[int, SSAValue](), last.result, shape_of(last.result)
    while isinstance(op := value.owner, tensor.InsertSliceOp):
        part = slice_of(op)
        if part is None or part.strides[dim] != 1 or part.offsets[dim] in parts:
            return None
        if any(size != extent for at, (size, extent) in enumerate(zip(part.sizes, whole, strict=True)) if at != dim):
            return None
        parts[part.offsets[dim]] = op.source
        value = op.dest
    ordered = [parts[begin] for begin in sorted(parts)]
    begins = list(accumulate((shape_of(part)[dim] for part in ordered), initial=0))
    return _joined(ordered, dim, block) if begins == [*sorted(parts), whole[dim]] else None


def _joined(parts: list[SSAValue], dim: int, block: int) -> Joined | None:
    if not any(map(is_computed, parts)):
        return None
    counts = [shape_of(part)[dim] for part in parts]
    if all(count % block == 0 for count in counts[:-1]):
        return None
    firsts = list(accumulate((-(-count // block) * block for count in counts), initial=0))
    return Joined(dim, tuple(firsts[:-1]), tuple(counts), firsts[-1], tuple(parts))


def _parts(join: tensor.ConcatOp, dim: int) -> list[SSAValue]:
    """What is joined along a dimension, in order, and what is joined before along the same one."""
    waiting, found = list(reversed(join.operands)), list[SSAValue]()
    while waiting:
        part = waiting.pop()
        if isinstance(part.owner, tensor.ConcatOp) and part.owner.dim.value.data == dim:
            waiting += reversed(part.owner.operands)
        else:
            found.append(part)
    return found


def _of_slice(cut: tensor.ExtractSliceOp, dim: int, block: int) -> Cut | None:
    part = slice_of(cut)
    whole = shape_of(cut.source)
    if part is None or part.strides[dim] != 1 or not is_computed(cut.source):
        return None
    if any(part.sizes[other] != whole[other] for other in range(len(whole)) if other != dim):
        return None
    first, count = part.offsets[dim], part.sizes[dim]
    if first % block == 0 and (count % block == 0 or first + count == whole[dim]):
        return None
    if channel_move_of(cut.source, dim, block) is not None:
        return Cut(dim, (first,), (count,), whole[dim], cut.source, 0)
    begin, end = first // block * block, min(-(-(first + count) // block) * block, whole[dim])
    return Cut(dim, (first - begin,), (count,), end - begin, cut.source, begin)


def shuffled_from(value: SSAValue, dim: int) -> Shuffle | None:
    """Channels reshaped to a grid, that transposed, and reshaped to channels again."""
    turned = _reshaped(value)
    moved = None if turned is None else _all_moved_from(turned)
    if turned is None or moved is None:
        return None
    grid, places = moved
    source = _reshaped(grid)
    count = len(shape_of(grid)) - len(shape_of(value)) + 1
    own = range(dim, dim + count)
    if source is None or len(places) != len(shape_of(grid)) or count < 2 or not is_computed(source):
        return None
    if any(shape_of(one)[at] != shape_of(value)[at] for one in (source, grid, turned) for at in range(dim)):
        return None
    behind = shape_of(value)[dim + 1 :]
    if shape_of(source)[dim:] != shape_of(value)[dim:] or any(
        shape_of(one)[own.stop :] != behind for one in (grid, turned)
    ):
        return None
    if any(place != one for one, place in enumerate(places) if one not in own):
        return None
    # Dimension d of the grid is dimension places[d] of the transposed one.
    order = tuple(places.index(one) - dim for one in own)
    return Shuffle(dim, source, tuple(shape_of(grid)[one] for one in own), order)


def _reshaped(value: SSAValue) -> SSAValue | None:
    """What a tensor is in another shape."""
    return value.owner.operands[0] if isinstance(value.owner, RESHAPES) else None


def _all_moved_from(value: SSAValue) -> tuple[SSAValue, tuple[int, ...]] | None:
    """What a tensor is before all moves that follow one another, and the dimension of it that each of those is."""
    found = moved_from(value)
    while found is not None and (before := moved_from(found[0])) is not None:
        found = before[0], tuple(found[1][place] for place in before[1])
    return found


def is_computed(value: SSAValue) -> bool:
    """Whether a tensor is the result of an operation that a machine computes, or a part or padding of one."""
    op = value.owner
    if isinstance(op, LinalgStructuredOperation):
        return not isinstance(op, FillOp) and (not is_move(op) or is_computed(op.operands[0]))
    if isinstance(op, (tensor.ConcatOp, tensor.ExtractSliceOp, tensor.PadOp, *RESHAPES)):
        return any(is_computed(one) for one in op.operands)
    while isinstance(op, tensor.InsertSliceOp):
        if is_computed(op.source):
            return True
        op = op.dest.owner
    return False
