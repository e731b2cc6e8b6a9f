"""gpu-insert-barriers: __syncthreads wherever one thread's shared memory meets another's.

before: for step                          after: for step
          copy -> tile                             barrier   (the last step's readers are done)
          use tile                                 copy -> tile
                                                   barrier   (every writer is done)
                                                   use tile
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects import gpu, memref, scf, vector
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.gpu import BarrierOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from vtac.analysis.locations import location_of
from vtac.analysis.nest import buffer_name, scope_of
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.wmma import AsyncCopyOp, LoadMatrixSyncOp, StoreMatrixSyncOp
from vtac.dialects.wmma.declared import KERNEL, STAGED
from vtac.errors import CompileError

_DIVERGENT = (
    "threads exchange {} under a condition that differs between the threads of a block: a barrier there would wait "
    "for threads that never come; guard by block indices and serial loops only, or guard the copies and not the loop "
    "around them"
)


@dataclass(frozen=True)
class GpuInsertBarriers(ModulePass):
    """Separate conflicting accesses to shared memory, also from one loop iteration to the next.

    requires: kernels (convert-loops-to-gpu) whose shared memory is accessed by loads, stores
              and warp operations.
    ensures:  between a write and an access of the same buffer by another statement every
              thread passes a barrier; under a condition only where a block's threads agree on it.
    declines: statements that need a barrier between them under a condition on thread indices
              or on data.
    """

    name = "gpu-insert-barriers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and KERNEL.is_on(function):
                _check_pipelines(function)
                _separate(function.body.block, _Accesses(), repeats=False, condition=None)


def _check_pipelines(kernel: FuncOp) -> None:
    """The barriers of pipelines, which are there already, are met by all threads of a block."""
    for choice in [op for op in kernel.walk() if isinstance(op, scf.IfOp) and not _is_uniform(op.cond)]:
        if any(isinstance(op, BarrierOp) for op in choice.walk()):
            raise CompileError(_DIVERGENT.format("copies of a pipeline"), location_of(choice))


@dataclass
class _Accesses:
    """Shared buffers read and written since the last barrier, with the writing ops."""

    reads: set[SSAValue] = field(default_factory=set[SSAValue])
    writes: dict[SSAValue, set[Operation]] = field(default_factory=dict[SSAValue, set[Operation]])

    def meets(self, later: _Accesses) -> bool:
        if self.writes.keys() & later.reads or self.reads & later.writes.keys():
            return True
        return any(self.writes[buffer] != later.writes[buffer] for buffer in self.writes.keys() & later.writes.keys())

    def add(self, later: _Accesses) -> None:
        self.reads |= later.reads
        for buffer, ops in later.writes.items():
            self.writes.setdefault(buffer, set()).update(ops)


def _separate(body: Block, before: _Accesses, *, repeats: bool, condition: scf.IfOp | None) -> _Accesses:
    """Insert barriers in a body; what is still open at its end.

    `condition` is the innermost one around that threads of a block may disagree on.
    """
    state = before
    for _ in range(2 if repeats else 1):
        for child in list(body.ops):
            if isinstance(child, BarrierOp):
                state = _Accesses()
                continue
            accesses = _collect(child)
            if not accesses.reads and not accesses.writes:
                continue
            if state.meets(accesses) and not _starts_with_barrier(child):
                _refuse_divergence(condition, child, state, accesses)
                body.insert_op_before(BarrierOp(), child)
                state = _Accesses()
            if isinstance(child, ForOp):
                _separate(child.body.block, _Accesses(), repeats=child.trip_count > 1, condition=condition)
            elif isinstance(child, scf.IfOp):
                inner = condition if _is_uniform(child.cond) else child
                for region in child.regions:
                    for block in region.blocks:
                        _separate(block, _Accesses(), repeats=False, condition=inner)
            if _starts_with_barrier(child):
                state = _Accesses()
            state.add(accesses)
    return state


def _refuse_divergence(condition: scf.IfOp | None, child: Operation, before: _Accesses, accesses: _Accesses) -> None:
    if condition is None:
        return
    earlier = {*before.reads, *before.writes}
    names = sorted(buffer_name(buffer) for buffer in earlier & {*accesses.reads, *accesses.writes})
    raise CompileError(
        _DIVERGENT.format(", ".join(names)),
        location_of(child) or location_of(condition),
    )


def _is_uniform(value: SSAValue) -> bool:
    """Whether all threads of a block agree on a value: it comes from constants, block indices and loops."""
    owner = value.owner
    if not isinstance(owner, Operation):
        return True
    pure = isinstance(owner, ApplyOp | gpu.BlockIdOp) or owner.name.startswith("arith.")
    return pure and all(_is_uniform(operand) for operand in owner.operands)


def _starts_with_barrier(op: Operation) -> bool:
    """The first thing an op does about shared memory is a barrier."""
    if not isinstance(op, ForOp):
        return False
    for child in op.body.block.ops:
        if isinstance(child, BarrierOp):
            return True
        if isinstance(child, ForOp) and _starts_with_barrier(child):
            return True
        accesses = _collect(child)
        if accesses.reads or accesses.writes:
            return False
    return False


def _collect(root: Operation) -> _Accesses:
    found = _Accesses()
    for op in root.walk():
        for buffer, written in _touched(op):
            base = _base(buffer)
            if scope_of(base) != "shared" or _is_staged(base):
                continue
            if written:
                found.writes.setdefault(base, set()).add(op)
            else:
                found.reads.add(base)
    return found


def _is_staged(buffer: SSAValue) -> bool:
    """A pipeline guards its own buffers."""
    owner = buffer.owner
    return isinstance(owner, Operation) and STAGED.is_on(owner)


def _touched(op: Operation) -> Iterator[tuple[SSAValue, bool]]:
    """(memory, written) of each memory an op accesses."""
    if isinstance(op, memref.LoadOp):
        yield op.memref, False
    elif isinstance(op, memref.StoreOp):
        yield op.memref, True
    elif isinstance(op, vector.LoadOp | vector.StoreOp):
        yield op.base, isinstance(op, vector.StoreOp)
    elif isinstance(op, LoadMatrixSyncOp | StoreMatrixSyncOp):
        yield op.memory, isinstance(op, StoreMatrixSyncOp)
    elif isinstance(op, AsyncCopyOp):
        yield op.target, True


def _base(buffer: SSAValue) -> SSAValue:
    """The buffer that a flat view looks at."""
    owner = buffer.owner
    return owner.source if isinstance(owner, memref.ReinterpretCastOp) else buffer
