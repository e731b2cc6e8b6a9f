"""Moves along the channels of a product's data, and the kernel that has the same sums over the data before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseArrayBase, DenseIntOrFPElementsAttr, TensorType, i8, i64
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import FillOp, TransposeOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.analysis.reshapes import RESHAPES
from vtac.analysis.tile_slices import slice_of
from vtac.dialects.packing import BlockDiagonalOp, ReshapeOp, UnspecifiedOp
from vtac.partition.alu_operations import element_of, shape_of
from vtac.partition.moves import is_move, moved_from


@dataclass(frozen=True)
class _Runs:
    """Channels in runs: `counts[i]` of them are those of the data before the move from `firsts[i]` on."""

    dim: int
    firsts: tuple[int, ...]
    counts: tuple[int, ...]
    width: int
    """Channels of the data before the move."""


@dataclass(frozen=True)
class Joined(_Runs):
    """A run from each of several tensors."""

    sources: tuple[SSAValue, ...]


@dataclass(frozen=True)
class Cut(_Runs):
    """One run of a tensor."""

    source: SSAValue


@dataclass(frozen=True)
class Shuffle:
    """Channels as a grid of `shape`, transposed by `order`: channel (i, j, ..) comes from the source's grid."""

    dim: int
    source: SSAValue
    shape: tuple[int, ...]
    order: tuple[int, ...]


ChannelMove = Joined | Cut | Shuffle


def is_given(value: SSAValue) -> bool:
    """Whether a tensor is an argument or a constant, or a layout of one."""
    while isinstance(value.owner, (TransposeOp, BlockDiagonalOp, tensor.ExtractSliceOp, *RESHAPES)):
        value = value.owner.operands[0]
    return isinstance(value, BlockArgument) or isinstance(value.owner, ConstantOp)


def channel_move_of(data: SSAValue, dim: int, block: int) -> ChannelMove | None:
    """How the channels of data, read through padding, come from computed tensors if they lie across tiles of these."""
    inner = _without_pad(data, dim)
    if inner is None or element_of(inner) != i8:
        return None
    match inner.owner:
        case tensor.ConcatOp() as join:
            return _of_concatenation(join, dim, block)
        case tensor.ExtractSliceOp() as cut:
            return _of_slice(cut, dim, block)
        case tensor.CollapseShapeOp() as collapse:
            return _of_shuffle(collapse, dim)
        case _:
            return None


@dataclass
class WideData:
    """Makes the data before moves, once for all that read it."""

    rewriter: PatternRewriter
    made: dict[tuple[SSAValue, int], SSAValue]
    """By the data behind the move, and its dimension of channels."""

    def before(self, data: SSAValue, move: ChannelMove) -> SSAValue:
        """The data before the move, padded as it was; it stands where the moved data does."""
        owner = cast(Operation, data.owner)
        known = self.made.get((data, move.dim))
        if known is not None:
            return known
        if isinstance(owner, tensor.PadOp):
            made = self._padded(owner, move)
        elif isinstance(move, Joined):
            made = _joined(data, move)
        else:
            return move.source
        made[-1].results[0].name_hint = data.name_hint
        for one in made:
            one.location = owner.location
        self.rewriter.insert(made, InsertPoint.after(owner))
        self.made[data, move.dim] = made[-1].results[0]
        return made[-1].results[0]

    def _padded(self, pad: tensor.PadOp, move: ChannelMove) -> list[Operation]:
        inner = self.before(pad.source, move)
        extents = list(shape_of(pad.result))
        extents[move.dim] = shape_of(inner)[move.dim]
        return [
            tensor.PadOp.create(
                operands=[inner, *pad.low, *pad.high],
                result_types=[TensorType(i8, extents)],
                properties=pad.properties,
                attributes=pad.attributes,
                regions=[pad.region.clone()],
            )
        ]


def _joined(data: SSAValue, move: Joined) -> list[Operation]:
    """Tensors in tiles of their own, with anything in the lanes between."""
    extents = list(shape_of(data))
    extents[move.dim] = move.width
    made: list[Operation] = [UnspecifiedOp(result_types=[TensorType(i8, extents)])]
    for source, first in zip(move.sources, move.firsts, strict=True):
        _insert(source, made[-1].results[0], move.dim, first, made)
    return made


def moved_kernel(kernel: SSAValue, dim: int, move: ChannelMove, made: list[Operation]) -> SSAValue:
    """The kernel whose channels, dimension `dim`, are those of the data before the move."""
    if isinstance(move, Shuffle):
        return _shuffled_back(kernel, dim, move, made)
    extents = list(shape_of(kernel))
    extents[dim] = move.width
    made.append(ConstantOp(DenseIntOrFPElementsAttr.from_list(TensorType(i8, extents), [0])))
    whole, begins = made[-1].results[0], accumulate(move.counts, initial=0)
    for begin, first, count in zip(begins, move.firsts, move.counts, strict=False):
        sizes = list(shape_of(kernel))
        sizes[dim] = count
        offsets = [begin if one == dim else 0 for one in range(len(sizes))]
        made.append(tensor.ExtractSliceOp.from_static_parameters(kernel, offsets, sizes, [1] * len(sizes)))
        whole = _insert(made[-1].results[0], whole, dim, first, made)
    whole.name_hint = kernel.name_hint
    return whole


def _without_pad(data: SSAValue, dim: int) -> SSAValue | None:
    """What is padded, along other dimensions than `dim`."""
    if not isinstance(data.owner, tensor.PadOp):
        return data
    source = data.owner.source
    return source if shape_of(source)[dim] == shape_of(data)[dim] else None


def _of_concatenation(join: tensor.ConcatOp, dim: int, block: int) -> Joined | None:
    parts = _parts(join, dim)
    if join.dim.value.data != dim or not any(map(_is_computed, parts)):
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
    if part is None or part.strides[dim] != 1 or not _is_computed(cut.source):
        return None
    if any(part.sizes[other] != whole[other] for other in range(len(whole)) if other != dim):
        return None
    first, count = part.offsets[dim], part.sizes[dim]
    if first % block == 0 and (count % block == 0 or first + count == whole[dim]):
        return None
    return Cut(dim, (first,), (count,), whole[dim], cut.source)


def _of_shuffle(collapse: tensor.CollapseShapeOp, dim: int) -> Shuffle | None:
    """Channels expanded to a grid, that transposed, and collapsed again."""
    moved = moved_from(collapse.src)
    groups = [[int(one.value.data) for one in group.data] for group in collapse.reassociation.data]
    if moved is None or len(groups[dim]) < 2 or any(len(group) > 1 for group in groups if group is not groups[dim]):
        return None
    grid, places = moved
    expand = grid.owner
    if not isinstance(expand, tensor.ExpandShapeOp) or not _is_computed(expand.src):
        return None
    own = groups[dim]
    before = [[int(one.value.data) for one in group.data] for group in expand.reassociation.data]
    if before != groups or len(places) != len(shape_of(collapse.src)):
        return None
    if any(place != one for one, place in enumerate(places) if one not in own):
        return None
    # Dimension d of the grid is dimension places[d] of the transposed one.
    order = tuple(places.index(one) - own[0] for one in own)
    return Shuffle(dim, expand.src, tuple(shape_of(grid)[one] for one in own), order)


def _shuffled_back(kernel: SSAValue, dim: int, move: Shuffle, made: list[Operation]) -> SSAValue:
    """Channels of a kernel in the order of the shuffle's source."""
    shape, count = shape_of(kernel), len(move.shape)
    shuffled = [move.shape[one] for one in move.order]
    wide = (*shape[:dim], *shuffled, *shape[dim + 1 :])
    inverse = [move.order.index(one) for one in range(count)]
    order = [*range(dim), *(dim + one for one in inverse), *range(dim + count, len(wide))]
    grid = ReshapeOp(operands=[kernel], result_types=[TensorType(i8, wide)])
    kind: TensorType[Attribute] = TensorType(i8, [wide[one] for one in order])
    empty = tensor.EmptyOp([], kind)
    turned = TransposeOp(grid.result, empty.tensor, DenseArrayBase.from_list(i64, order), kind)
    flat = ReshapeOp(operands=[turned.results[0]], result_types=[kernel.type])
    flat.result.name_hint = kernel.name_hint
    made += [grid, empty, turned, flat]
    return flat.result


def _is_computed(value: SSAValue) -> bool:
    """Whether a tensor is the result of an operation that a machine computes, or a part or padding of one."""
    op = value.owner
    if isinstance(op, LinalgStructuredOperation):
        return not isinstance(op, FillOp) and (not is_move(op) or _is_computed(op.operands[0]))
    if isinstance(op, (tensor.ConcatOp, tensor.ExtractSliceOp, tensor.PadOp, *RESHAPES)):
        return any(_is_computed(one) for one in op.operands)
    return isinstance(op, tensor.InsertSliceOp) and _is_computed(op.source)


def _insert(part: SSAValue, whole: SSAValue, dim: int, first: int, made: list[Operation]) -> SSAValue:
    sizes: Sequence[int] = shape_of(part)
    offsets = [first if one == dim else 0 for one in range(len(sizes))]
    made.append(tensor.InsertSliceOp.from_static_parameters(part, whole, offsets, sizes, [1] * len(sizes)))
    return made[-1].results[0]
