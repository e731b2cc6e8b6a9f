"""Where the threads of a block have to wait for each other: before which statements of a kernel.

Between a write of shared memory and another statement's access of the same buffer all threads pass
a barrier, also from one iteration of a loop to the next. A statement is what stands in one body, with
all it holds: barriers inside of a loop are planned there before those around it are judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from xdsl.dialects import gpu, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.gpu import BarrierOp
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.gpu_indices import Access, own_accesses
from vtac.analysis.kernels.shared_memory import buffer_bytes, lifetimes, shared_buffers
from vtac.analysis.nests.nest import buffer_name, scope_of
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.tma.declared import BY_WARPS
from vtac.dialects.wmma.declared import SHARED_OFFSET, STAGED
from vtac.errors import CompileError

_DIVERGENT = (
    "threads exchange {} under a condition that differs between the threads of a block: a barrier there would wait "
    "for threads that never come; guard by block indices and serial loops only, or guard the copies and not the loop "
    "around them"
)


def plan_barriers(kernel: FuncOp) -> list[Operation]:
    """The statements of a kernel that a barrier is missing before, in the order in which they were found.

    Barriers that are there already count; those of pipelines guard the pipelines' own buffers. Raises
    `CompileError` where a barrier stands, or would have to stand, under a condition that the threads of a
    block may disagree on.
    """
    _check_pipelines(kernel)
    plan = _Plan()
    for statement in _first_of_shared_places(kernel):
        plan.places[statement] = None
    plan.separate(kernel.body.block, _Accesses(), repeats=False, condition=None)
    return list(plan.places)


def _first_of_shared_places(kernel: FuncOp) -> list[Operation]:
    """The statements that are the first to touch a buffer where another one lay before, in order."""
    buffers = [op for op in shared_buffers(kernel) if SHARED_OFFSET.is_on(op)]
    times = lifetimes(kernel, buffers)
    spans = [range(SHARED_OFFSET.get(op) or 0, (SHARED_OFFSET.get(op) or 0) + buffer_bytes(op)) for op in buffers]
    statements = list(kernel.body.block.ops)
    found = {
        later.start
        for later, own in zip(times, spans, strict=True)
        for earlier, other in zip(times, spans, strict=True)
        if earlier.stop <= later.start and own.start < other.stop and other.start < own.stop
    }
    return [statements[number] for number in sorted(found)]


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

    @property
    def is_empty(self) -> bool:
        return not self.reads and not self.writes

    def meets(self, later: _Accesses) -> bool:
        """Whether two threads may touch one place, one of them to write it; one op orders itself."""
        if self.writes.keys() & later.reads or self.reads & later.writes.keys():
            return True
        return any(self.writes[buffer] != later.writes[buffer] for buffer in self.writes.keys() & later.writes.keys())

    def add(self, later: _Accesses) -> None:
        self.reads |= later.reads
        for buffer, ops in later.writes.items():
            self.writes.setdefault(buffer, set()).update(ops)


class _Plan:
    """The barriers found so far, and what each operation does to shared memory."""

    def __init__(self) -> None:
        self.places: dict[Operation, None] = {}
        self._known: dict[Operation, _Accesses] = {}

    def separate(self, body: Block, before: _Accesses, *, repeats: bool, condition: scf.IfOp | None) -> None:
        """Plan barriers in a body that starts with some accesses still open.

        `condition` is the innermost one around that threads of a block may disagree on. A body that
        repeats is gone through twice: what its end leaves open meets its beginning.
        """
        state = before
        for _ in range(2 if repeats else 1):
            for child in body.ops:
                if isinstance(child, BarrierOp) or child in self.places:
                    state = _Accesses()
                state = self._pass(child, state, condition)

    def _pass(self, child: Operation, state: _Accesses, condition: scf.IfOp | None) -> _Accesses:
        """What is open after a statement, from what was open before it."""
        accesses = self._collect(child)
        if accesses.is_empty:
            return state
        if state.meets(accesses) and not self._starts_with_barrier(child):
            _refuse_divergence(condition, child, state, accesses)
            self.places[child] = None
            state = _Accesses()
        self._enter(child, condition)
        if self._starts_with_barrier(child):
            state = _Accesses()
        state.add(accesses)
        return state

    def _enter(self, child: Operation, condition: scf.IfOp | None) -> None:
        """Plan barriers inside of a statement."""
        if isinstance(child, ForOp):
            self.separate(child.body.block, _Accesses(), repeats=child.trip_count > 1, condition=condition)
        elif isinstance(child, scf.IfOp):
            inner = condition if _is_uniform(child.cond) else child
            for region in child.regions:
                for block in region.blocks:
                    self.separate(block, _Accesses(), repeats=False, condition=inner)

    def _collect(self, op: Operation) -> _Accesses:
        """What an operation does to shared memory, with all it holds; worked out once, as nothing changes meanwhile."""
        if op not in self._known:
            found = self._known[op] = _Accesses()
            for access in _shared_accesses(op):
                if access.writes:
                    found.writes.setdefault(access.buffer, set()).add(access.op)
                else:
                    found.reads.add(access.buffer)
            for region in op.regions:
                for block in region.blocks:
                    for child in block.ops:
                        found.add(self._collect(child))
        return self._known[op]

    def _starts_with_barrier(self, op: Operation) -> bool:
        """Whether the first thing that a loop does about shared memory is a barrier."""
        if not isinstance(op, ForOp):
            return False
        for child in op.body.block.ops:
            if isinstance(child, BarrierOp) or child in self.places or self._starts_with_barrier(child):
                return True
            if not self._collect(child).is_empty:
                return False
        return False


def _refuse_divergence(condition: scf.IfOp | None, child: Operation, before: _Accesses, accesses: _Accesses) -> None:
    if condition is None:
        return
    earlier = {*before.reads, *before.writes}
    names = sorted(buffer_name(buffer) for buffer in earlier & {*accesses.reads, *accesses.writes})
    raise CompileError(_DIVERGENT.format(", ".join(names)), location_of(child) or location_of(condition))


def _is_uniform(value: SSAValue) -> bool:
    """Whether all threads of a block agree on a value: it comes from constants, block indices and loops."""
    owner = value.owner
    if not isinstance(owner, Operation):
        return True
    pure = isinstance(owner, ApplyOp | gpu.BlockIdOp) or owner.name.startswith("arith.")
    return pure and all(_is_uniform(operand) for operand in owner.operands)


def _shared_accesses(op: Operation) -> Iterator[Access]:
    """An operation's own accesses of shared memory that no pipeline guards, nor has each warp to itself."""
    for access in own_accesses(op):
        owner = access.buffer.owner
        is_staged = isinstance(owner, Operation) and (STAGED.is_on(owner) or BY_WARPS.is_on(owner))
        if scope_of(access.buffer) == "shared" and not is_staged:
            yield access
