"""Operations that compute each channel alone: the same of the channels as they are before a move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from xdsl.dialects import tensor
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Region, SSAValue

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.partition.channel_dims import channel_dim, channels_along
from vtac.partition.channel_moves import (
    ChannelMove,
    Cut,
    Joined,
    Shuffle,
    channel_move_of,
    is_computed,
    is_like,
    may_be_moved,
)
from vtac.partition.moved_channels import channels_of, moved, operand_before, padded_like, source_before
from vtac.partition.moves import is_move
from vtac.partition.tile_operations import Made

_Operand = Callable[[SSAValue, int, ChannelMove | None, Made], SSAValue]
"""What an operation reads in place of an operand: its dimension of channels and its move, None if it is given."""


@dataclass(frozen=True)
class PerChannel:
    """An operation whose computed operands have channels that are all moved alike."""

    op: LinalgStructuredOperation
    dims: tuple[int | None, ...]
    """For each operand, the dimension of its channels, if it has them; the last one is that of the result."""
    moves: tuple[ChannelMove | None, ...]
    """For each operand, how its channels are moved; None for what is given."""
    move: ChannelMove

    @classmethod
    def match(cls, op: LinalgStructuredOperation, block: int) -> PerChannel | None:
        """What an operation of one result computes by channel; None if it reads no channels moved within tiles.

        An operation that itself only moves elements is none.
        """
        if len(op.res) != 1 or is_move(op):
            return None
        for place, value in enumerate(op.inputs):
            if not may_be_moved(value) or (dim := channel_dim(value)) is None:
                continue
            move = channel_move_of(value, dim, block)
            dims = None if move is None else channels_along(op, place, dim)
            if move is None or dims is None or dims[-1] is None or _is_cut_of_moved(move, block):
                continue
            moves = _moves(op.operands, dims, block)
            if all(one is not None and is_like(one, move) for one in moves.values()):
                return cls(op, dims, tuple(moves.get(number) for number in range(len(dims))), move)
        return None

    def before_move(self) -> Made:
        """The operation before the move, and the move of its result.

        Raises `ValueError` for a result without channels.
        """
        made, dim = Made(), self.dims[-1]
        if dim is None:
            raise ValueError("a result without channels")
        if isinstance(self.move, Joined):
            begins = list(accumulate(self.move.counts, initial=0))
            parts = [self._put(_Part(number, *run), made) for number, run in enumerate(pairwise(begins))]
            made.put(tensor.ConcatOp(parts, dim, self.op.res[0].type))
        else:
            moved(self._put(_Before(self.move), made), dim, self.move, made)
        return made

    def _put(self, read: _Operand, made: Made) -> SSAValue:
        """The operation with what `read` makes of its operands."""
        operands = [
            value if dim is None else read(value, dim, move, made)
            for value, dim, move in zip(self.op.operands, self.dims, self.moves, strict=True)
        ]
        kind = TensorType(element_of(self.op.res[0]), shape_of(operands[-1]))
        body = Region()
        self.op.body.clone_into(body)
        new = type(self.op).create(
            operands=operands,
            result_types=[kind],
            properties=self.op.properties,
            attributes=self.op.attributes,
            regions=[body],
        )
        return made.put(new, self.op.res[0].name_hint)


@dataclass(frozen=True)
class _Part:
    """Reads one of the tensors that are joined, and channels `begin` to `end` of what is given."""

    number: int
    begin: int
    end: int

    def __call__(self, value: SSAValue, dim: int, move: ChannelMove | None, made: Made) -> SSAValue:
        if not isinstance(move, Joined):
            return channels_of(value, dim, self.begin, self.end - self.begin, made)
        return _padded(value, move.sources[self.number], made)


@dataclass(frozen=True)
class _Before:
    """Reads what is cut or shuffled, and what is given with its channels as they are there."""

    move: Cut | Shuffle

    def __call__(self, value: SSAValue, dim: int, move: ChannelMove | None, made: Made) -> SSAValue:
        if move is None or isinstance(move, Joined):
            return operand_before(value, dim, self.move, made)
        return _padded(value, source_before(move, made), made)


def _padded(value: SSAValue, inner: SSAValue, made: Made) -> SSAValue:
    """A tensor with the padding, if any, that another has."""
    return padded_like(value.owner, inner, made) if isinstance(value.owner, tensor.PadOp) else inner


def _is_cut_of_moved(move: ChannelMove, block: int) -> bool:
    """Whether a cut is of channels that are moved themselves: all of them would be computed for the few it keeps."""
    return isinstance(move, Cut) and channel_move_of(move.source, move.dim, block) is not None


def _moves(operands: Sequence[SSAValue], dims: Sequence[int | None], block: int) -> dict[int, ChannelMove | None]:
    """How the channels of computed operands are moved, by the operands' numbers."""
    return {
        number: channel_move_of(value, dim, block)
        for number, (value, dim) in enumerate(zip(operands, dims, strict=True))
        if dim is not None and is_computed(value)
    }
