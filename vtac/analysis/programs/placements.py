"""Which tensors of a program are parts of others' buffers.

What is put into a tensor by `tensor.insert_slice` is computed where it is put, so that nothing moves; what is cut
out is read where it lies. The analysis goes from the last insertion back: a value belongs where the last one that
has room for it puts it. It decides nothing else; what it finds no place for is a `Misfit`, which a copy resolves.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.func import CallOp, ReturnOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from vtac.analysis.types.strided_parts import Part
from vtac.analysis.types.tensor_types import shape_of
from vtac.analysis.types.tile_slices import Slice, slice_of
from vtac.dialects.packing import ReshapeOp, TransposeTilesOp, UnspecifiedOp

_NOTHING = (tensor.EmptyOp, UnspecifiedOp)
"""What has no contents that anything may depend on."""


@dataclass(frozen=True)
class Misfit:
    """An operand of an operation that cannot lie where the operation needs it, and why.

    `again` where it would do if what computes it stored it once more.
    """

    op: Operation
    index: int
    reason: str
    again: bool = False


@dataclass
class Placements:
    """The parts of a program's values, of those only that are no buffer of their own."""

    block: Block
    parts: dict[SSAValue, Part] = field(default_factory=dict[SSAValue, Part])
    misfits: list[Misfit] = field(default_factory=list[Misfit])

    def __post_init__(self) -> None:
        ops = list(self.block.ops)
        self.bases: dict[SSAValue, SSAValue] = {}
        for op in ops:
            if isinstance(op, tensor.InsertSliceOp):
                self.bases[op.result] = self.bases.get(op.dest, op.dest)
        for op in reversed(ops):
            if isinstance(op, tensor.InsertSliceOp):
                self._put_in(op)
        for op in ops:
            if isinstance(op, tensor.ExtractSliceOp):
                found = _checked(op)
                self._set(op.result, self.part(op.source).cut(found))
            elif isinstance(op, ReshapeOp) and op.result not in self.parts:
                self._read_reshaped(op)
            elif isinstance(op, TransposeTilesOp) and op.result not in self.parts:
                self._set(op.result, self.part(op.source).permuted(op.order))
        self._check_results(ops[-1])

    def part(self, value: SSAValue) -> Part:
        """Where a value lies."""
        return self.parts.get(value) or Part.whole(value, shape_of(value))

    def _set(self, value: SSAValue, part: Part) -> None:
        if part.root is not value:
            self.parts[value] = part

    def _put_in(self, op: tensor.InsertSliceOp) -> None:
        whole, base = self.part(op.result), self.bases[op.result]
        if not isinstance(op.dest.owner, _NOTHING):
            self._put_dest(op, whole, is_read=not isinstance(base.owner, _NOTHING))
        self._put_source(op, self.part(op.result).cut(_checked(op)), base)

    def _put_dest(self, op: tensor.InsertSliceOp, whole: Part, *, is_read: bool) -> None:
        """Let what is put into lie in the same buffer; `is_read` where it holds something else, too."""
        dest = op.dest
        if dest in self.parts or (is_read and dest.uses.get_length() > 1):
            self.misfits.append(Misfit(op, 1, "something else is put into the same tensor, or reads it as it was"))
        elif isinstance(dest.owner, tensor.InsertSliceOp | CallOp):
            self._set(dest, whole)
        elif _has_a_buffer(dest) and whole.shape == shape_of(whole.root):
            for value, part in list(self.parts.items()):
                if part.root is whole.root:
                    self.parts[value] = replace(part, root=dest)
            self.parts[whole.root] = Part.whole(dest, whole.shape)
        else:
            self.misfits.append(Misfit(op, 1, "it has a buffer of its own already"))

    def _put_source(self, op: tensor.InsertSliceOp, part: Part, base: SSAValue) -> None:
        """Let a value be computed where it is put, and those that it is a reshape of."""
        value: SSAValue = op.source
        chain: dict[SSAValue, Part] = {}
        while True:
            chain[value] = part
            if value in self.parts:
                self.misfits.append(Misfit(op, 0, "it is put elsewhere, too", again=True))
                return
            view = value.owner
            if not isinstance(view, ReshapeOp | TransposeTilesOp):
                break
            before = _source_part(view, part)
            if before is None:
                self.misfits.append(Misfit(op, 0, "it is a reshape that no strides give"))
                return
            value, part = view.source, before
        if self._is_computed_behind(value, base):
            self.parts |= chain
        else:
            self.misfits.append(Misfit(op, 0, "it lies elsewhere already, or is computed before what it is put into"))

    def _is_computed_behind(self, value: SSAValue, base: SSAValue) -> bool:
        """Whether calls compute a value, and only when what it is put into is there."""
        if not isinstance(base.owner, CallOp):
            return isinstance(value.owner, CallOp | tensor.InsertSliceOp)
        return isinstance(value.owner, CallOp) and base.owner.is_before_in_block(value.owner)

    def _read_reshaped(self, op: ReshapeOp) -> None:
        part = self.part(op.source).reshaped(shape_of(op.result))
        if part is None:
            self.misfits.append(Misfit(op, 0, "no strides give its elements in this order", again=True))
        else:
            self._set(op.result, part)

    def _check_results(self, last: Operation) -> None:
        """A result is a whole buffer, which no other result and no argument is."""
        if not isinstance(last, ReturnOp):
            return
        taken: set[SSAValue] = set()
        for index, value in enumerate(last.operands):
            part = self.part(value)
            if part.root in taken or _has_a_buffer(part.root) or part.shape != shape_of(part.root):
                self.misfits.append(Misfit(last, index, "a result is a buffer of its own", again=True))
            taken.add(part.root)


def _source_part(view: ReshapeOp | TransposeTilesOp, part: Part) -> Part | None:
    """Where the source of a view lies that lies at `part`; None where no strides give that."""
    if isinstance(view, TransposeTilesOp):
        return part.permuted([view.order.index(dim) for dim in range(len(view.order))])
    return part.reshaped(shape_of(view.source))


def _has_a_buffer(value: SSAValue) -> bool:
    """Whether a value has a buffer that the program does not choose: an argument, or a constant."""
    return isinstance(value, BlockArgument) or isinstance(value.owner, ConstantOp)


def _checked(op: tensor.InsertSliceOp | tensor.ExtractSliceOp) -> Slice:
    found = slice_of(op)
    if found is None:
        raise ValueError(f"'{op.name}' of tiles has numbers that are no constants, or another rank")
    return found
