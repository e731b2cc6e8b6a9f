"""What a value in a nest depends on: the loops bound to GPU indices, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects import memref, scf, vector
from xdsl.dialects.affine import ApplyOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.nests.nest import enclosing_loops
from vtac.dialects.mma import LdmatrixOp, LoadPairOp, StmatrixOp, StorePairOp
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.wgmma import DescriptorOp
from vtac.dialects.wmma import AsyncCopyOp, LoadMatrixSyncOp, StoreMatrixSyncOp


@dataclass(frozen=True)
class Access:
    """One access of memory: the operation, the whole buffer, the place in it, and whether it writes."""

    op: Operation
    buffer: SSAValue
    place: SSAValue
    writes: bool

    def profile(self, kind: LoopKind) -> tuple[int, ...] | None:
        """The place as the index alone makes it, at each of its values; None where no loop has the index."""
        return profile_of(self.place, self.op, kind)


def accesses_under(root: Operation) -> Iterator[Access]:
    """Every access of memory at flat offsets, in program order."""
    for op in root.walk():
        yield from own_accesses(op)


def own_accesses(op: Operation) -> Iterator[Access]:
    """The accesses of an operation itself, without what it holds."""
    if isinstance(op, memref.LoadOp | memref.StoreOp):
        yield Access(op, whole(op.memref), op.indices[0], isinstance(op, memref.StoreOp))
    elif isinstance(op, vector.LoadOp | vector.StoreOp):
        yield Access(op, whole(op.base), op.indices[0], isinstance(op, vector.StoreOp))
    elif isinstance(op, LoadMatrixSyncOp | StoreMatrixSyncOp):
        yield Access(op, whole(op.memory), op.offset, isinstance(op, StoreMatrixSyncOp))
    elif isinstance(op, LdmatrixOp | LoadPairOp | StorePairOp | StmatrixOp):
        yield Access(op, whole(op.memory), op.offset, isinstance(op, StorePairOp | StmatrixOp))
    elif isinstance(op, DescriptorOp):
        yield Access(op, whole(op.memory), op.offset, False)
    elif isinstance(op, AsyncCopyOp):
        yield Access(op, whole(op.source), op.source_offset, False)
        yield Access(op, whole(op.target), op.target_offset, True)


def whole(buffer: SSAValue) -> SSAValue:
    """The buffer that a flat view looks at."""
    owner = buffer.owner
    return owner.source if isinstance(owner, memref.ReinterpretCastOp) else buffer


def profile_of(value: SSAValue, op: Operation, kind: LoopKind) -> tuple[int, ...] | None:
    """A value as one GPU index makes it while all other loops stand at 0; None where no loop around has the index."""
    loops = [loop for loop in enclosing_loops(op) if loop.loop_kind is kind]
    if not loops:
        return None
    variables = [loop.induction_variable for loop in loops]
    if not _depends(value, variables):
        return (_at(value, {}),) * loops[0].trip_count
    return tuple(_at(value, dict.fromkeys(variables, step)) for step in range(loops[0].trip_count))


def _depends(value: SSAValue, variables: Sequence[SSAValue]) -> bool:
    owner = value.owner
    if isinstance(owner, ApplyOp):
        return any(_depends(operand, variables) for operand in owner.mapOperands)
    return value in variables


def _at(value: SSAValue, steps: Mapping[SSAValue, int]) -> int:
    owner = value.owner
    if isinstance(owner, ApplyOp):
        return owner.map.data.eval([_at(operand, steps) for operand in owner.mapOperands], [])[0]
    number = number_of(value)
    return steps.get(value, 0) if number is None else number


def loaded_behind(value: SSAValue) -> Iterator[Operation]:
    """The loads that a value is computed from."""
    owner = value.owner
    if not isinstance(owner, Operation) or isinstance(owner, ForOp):
        return
    if isinstance(owner, memref.LoadOp | vector.LoadOp):
        yield owner
    for inner in owner.walk() if isinstance(owner, scf.IfOp) else ():
        if isinstance(inner, scf.YieldOp):
            for operand in inner.operands:
                yield from loaded_behind(operand)
    for operand in owner.operands:
        yield from loaded_behind(operand)
