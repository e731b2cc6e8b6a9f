"""What computes with channels before they are moved: their data, and operands with the channels in that order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    IntegerType,
    TensorType,
    i64,
)
from xdsl.dialects.linalg.ops import FillOp, TransposeOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing import ReshapeOp, UnspecifiedOp
from vtac.partition.channel_moves import ChannelMove, Cut, Joined, Shuffle
from vtac.partition.tile_operations import Made


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
        made = Made()
        if isinstance(owner, tensor.PadOp):
            padded_like(owner, self.before(owner.source, move), made)
        elif isinstance(move, Joined):
            _joined(data, move, made)
        else:
            whole = source_before(move, made)
            if not made:
                return whole
        made[-1].results[0].name_hint = data.name_hint
        for one in made:
            one.location = owner.location
        self.rewriter.insert(made, InsertPoint.after(owner))
        self.made[data, move.dim] = made[-1].results[0]
        return made[-1].results[0]


def source_before(move: Cut | Shuffle, made: Made) -> SSAValue:
    """The channels that a cut or a shuffle takes its own from, in whole tiles."""
    if isinstance(move, Shuffle) or move.width == shape_of(move.source)[move.dim]:
        return move.source
    return made.put(_slice(move.source, move.dim, move.begin, move.width), move.source.name_hint)


def padded_like(pad: tensor.PadOp, inner: SSAValue, made: Made) -> SSAValue:
    """Another tensor, of other channels, with the same padding around it."""
    low, high = pad.static_low.get_values(), pad.static_high.get_values()
    extents = [a + n + z for a, n, z in zip(low, shape_of(inner), high, strict=True)]
    padded = tensor.PadOp.create(
        operands=[inner, *pad.low, *pad.high],
        result_types=[TensorType(element_of(inner), extents)],
        properties=pad.properties,
        attributes=pad.attributes,
        regions=[pad.region.clone()],
    )
    return made.put(padded, pad.result.name_hint)


def channels_of(value: SSAValue, dim: int, begin: int, count: int, made: Made) -> SSAValue:
    """Some channels, along dimension `dim`, of an operand."""
    shape = list(shape_of(value))
    shape[dim] = count
    return _refilled(value, shape, made) or made.put(_slice(value, dim, begin, count), value.name_hint)


def operand_before(value: SSAValue, dim: int, move: ChannelMove, made: Made) -> SSAValue:
    """An operand whose channels, dimension `dim`, are those of the data before the move; zeros at other lanes."""
    if isinstance(move, Shuffle):
        return _shuffled_back(value, dim, move, made)
    extents = list(shape_of(value))
    extents[dim] = move.width
    if (refilled := _refilled(value, extents, made)) is not None:
        return refilled
    kind = cast("TensorType[IntegerType]", TensorType(element_of(value), extents))
    zeros = DenseIntOrFPElementsAttr.from_list(kind, [0])
    whole, begins = made.put(ConstantOp(zeros)), accumulate(move.counts, initial=0)
    for begin, first, count in zip(begins, move.firsts, move.counts, strict=False):
        part = made.put(_slice(value, dim, begin, count))
        whole = _insert(part, whole, dim, first, made)
    whole.name_hint = value.name_hint
    return whole


def moved(value: SSAValue, dim: int, move: Cut | Shuffle, made: Made) -> SSAValue:
    """What a cut or a shuffle makes of a tensor with the channels of the data before it."""
    if isinstance(move, Cut):
        return made.put(_slice(value, dim, move.firsts[0], move.counts[0]))
    grid, groups = _grid(value, dim, move.shape), _groups(len(shape_of(value)), dim, len(move.shape))
    kind: TensorType[Attribute] = TensorType(element_of(value), grid)
    expanded = made.put(tensor.ExpandShapeOp(value, [], groups, grid, kind))
    turned = _transposed(expanded, _around(dim, move.order, len(grid)), made)
    collapse = tensor.CollapseShapeOp(
        operands=[turned], result_types=[value.type], properties={"reassociation": groups}
    )
    return made.put(collapse)


def _groups(rank: int, dim: int, count: int) -> ArrayAttr[ArrayAttr[IntegerAttr]]:
    """For each dimension of a tensor those of it with dimension `dim` as a grid of `count`."""
    groups = [[one + (count - 1 if one > dim else 0)] for one in range(rank)]
    groups[dim] = [*range(dim, dim + count)]
    return ArrayAttr([ArrayAttr([IntegerAttr(one, i64) for one in group]) for group in groups])


def _refilled(value: SSAValue, shape: Sequence[int], made: Made) -> SSAValue | None:
    """A tensor of one number, or of none yet, in another shape."""
    kind = TensorType(element_of(value), list(shape))
    if isinstance(value.owner, tensor.EmptyOp):
        return made.put(tensor.EmptyOp([], kind))
    if isinstance(value.owner, FillOp):
        return made.put(FillOp([value.owner.inputs[0]], [made.put(tensor.EmptyOp([], kind))], [kind]))
    return None


def _joined(data: SSAValue, move: Joined, made: Made) -> SSAValue:
    """Tensors in tiles of their own, with anything in the lanes between."""
    extents = list(shape_of(data))
    extents[move.dim] = move.width
    whole = made.put(UnspecifiedOp(result_types=[TensorType(element_of(data), extents)]))
    for source, first in zip(move.sources, move.firsts, strict=True):
        whole = _insert(source, whole, move.dim, first, made)
    return whole


def _shuffled_back(value: SSAValue, dim: int, move: Shuffle, made: Made) -> SSAValue:
    """Channels of an operand in the order of the shuffle's source."""
    if (refilled := _refilled(value, shape_of(value), made)) is not None:
        return refilled
    wide = _grid(value, dim, [move.shape[one] for one in move.order])
    inverse = [move.order.index(one) for one in range(len(move.order))]
    grid = made.put(ReshapeOp(operands=[value], result_types=[TensorType(element_of(value), wide)]))
    turned = _transposed(grid, _around(dim, inverse, len(wide)), made)
    return made.put(ReshapeOp(operands=[turned], result_types=[value.type]), value.name_hint)


def _grid(value: SSAValue, dim: int, shape: Sequence[int]) -> list[int]:
    """The shape of a tensor with its channels as a grid."""
    extents = shape_of(value)
    return [*extents[:dim], *shape, *extents[dim + 1 :]]


def _around(dim: int, order: Sequence[int], count: int) -> list[int]:
    """A permutation of `count` dimensions that orders those from `dim` on."""
    return [*range(dim), *(dim + one for one in order), *range(dim + len(order), count)]


def _transposed(value: SSAValue, order: Sequence[int], made: Made) -> SSAValue:
    shape = shape_of(value)
    kind: TensorType[Attribute] = TensorType(element_of(value), [shape[one] for one in order])
    empty = made.put(tensor.EmptyOp([], kind))
    return made.put(TransposeOp(value, empty, DenseArrayBase.from_list(i64, order), kind))


def _slice(value: SSAValue, dim: int, begin: int, count: int) -> tensor.ExtractSliceOp:
    sizes = list(shape_of(value))
    sizes[dim] = count
    offsets = [begin if one == dim else 0 for one in range(len(sizes))]
    return tensor.ExtractSliceOp.from_static_parameters(value, offsets, sizes, [1] * len(sizes))


def _insert(part: SSAValue, whole: SSAValue, dim: int, first: int, made: Made) -> SSAValue:
    sizes: Sequence[int] = shape_of(part)
    offsets = [first if one == dim else 0 for one in range(len(sizes))]
    return made.put(tensor.InsertSliceOp.from_static_parameters(part, whole, offsets, sizes, [1] * len(sizes)))
