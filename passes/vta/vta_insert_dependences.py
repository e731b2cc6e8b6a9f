"""vta-insert-dependences: tokens between stages, and the final synchronisation.

Within one thread every stage waits for the one before it, in program order and from one
loop iteration to the next; overlap comes from virtual threads. A loop whose last and first
stage differ hands a token round: one is pushed before the loop and one popped after it.

Where buffers have copies in turn (schedule.double_buffer), no token is placed here: the final
vta.sync asks for tokens that follow the data, instruction by instruction.

    push(store, compute)
    for y:  [pop(store, compute)  compute  push(compute, store)]
            [pop(compute, store)  store    push(store, compute)]
    pop(store, compute)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass

from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.vta.attributes import COPIES
from vtac.dialects.vta.synchronisation import DepPopOp, DepPushOp, StageOp, SyncOp

Pair = tuple[str, str]
"""(producing stage, consuming stage)."""


@dataclass(frozen=True)
class VtaInsertDependences(ModulePass):
    """Order the stages of each thread by tokens.

    requires: vta.stage groups (vta-group-stages).
    ensures:  stages of one thread run in program order; every token pushed is popped; a
              program that uses the VTA ends with vta.sync. Where a load follows a store or
              a store a load, which share no queue, an empty compute stage stands between.
    declines: nothing.
    """

    name = "vta-insert-dependences"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                body = function.body.block
                if follows_data(function):
                    if _ends_of(body) is not None and body.last_op is not None:
                        body.insert_op_before(SyncOp.get(dataflow=True), body.last_op)
                    continue
                _separate(body)
                if _connect_scope(body) is not None and body.last_op is not None:
                    body.insert_op_before(SyncOp(), body.last_op)


def follows_data(function: FuncOp) -> bool:
    """True when some buffer has copies in turn: tokens then follow the data, not the stages."""
    return any(isinstance(op, AllocOp) and COPIES in op.attributes for op in function.walk())


def _ends_of(body: Block) -> Pair | None:
    return next((ends for child in body.ops if (ends := _ends(child)) is not None), None)


def _ends(op: Operation) -> Pair | None:
    """The first and last stage inside an op; None when there is none."""
    if isinstance(op, StageOp):
        return op.stage.data, op.stage.data
    if not isinstance(op, ForOp):
        return None
    inner = [ends for child in op.body.block.ops if (ends := _ends(child)) is not None]
    return (inner[0][0], inner[-1][1]) if inner else None


def _separate(body: Block) -> None:
    """Put an empty compute stage wherever load and store would meet, also round a loop."""
    previous: Pair | None = None
    first: Pair | None = None
    for child in list(body.ops):
        if isinstance(child, ForOp):
            _separate(child.body.block)
        ends = _ends(child)
        if ends is None:
            continue
        if previous is not None and {previous[1], ends[0]} == {"load", "store"}:
            body.insert_op_before(StageOp.get("compute"), child)
        first = first or ends
        previous = ends
    if not isinstance(body.parent_op(), ForOp) or first is None or previous is None:
        return
    if {previous[1], first[0]} == {"load", "store"}:
        body.add_op(StageOp.get("compute"))


@dataclass
class _State:
    """A stage or loop as its neighbours see it."""

    node: Operation
    first: str
    last: str
    pops: list[Pair] = field(default_factory=list[Pair])
    pushes: list[Pair] = field(default_factory=list[Pair])
    end: Operation | None = None

    def before(self, op: Operation) -> None:
        """Put a token op at the very start: inside a stage, in front of a loop."""
        block = self.node.body.block if isinstance(self.node, StageOp) else self.node.parent
        if block is None:
            raise ValueError("the stage stands nowhere")
        if block is self.node.parent:
            block.insert_op_before(op, self.node)
        elif block.first_op is None:
            block.add_op(op)
        else:
            block.insert_op_before(op, block.first_op)

    def after(self, op: Operation) -> None:
        """Put a token op at the very end: inside a stage, behind a loop."""
        if isinstance(self.node, StageOp):
            self.node.body.block.add_op(op)
        elif self.node.parent is not None:
            self.node.parent.insert_op_after(op, self.end or self.node)
            self.end = op


def _connect_scope(body: Block) -> _State | None:
    """Connect a thread's body, and close the tokens that go round its outermost loops."""
    states = _connect(body)
    if not states:
        return None
    first, last = states[0], states[-1]
    for pair in first.pops:
        first.before(DepPushOp.get(*pair))
    for pair in last.pushes:
        last.after(DepPopOp.get(*pair))
    return last


def _connect(body: Block) -> list[_State]:
    """Connect neighbours in a body; their states in order."""
    states: list[_State] = []
    for child in list(body.ops):
        state = _state(child)
        if state is None:
            continue
        if states:
            _join(states[-1], state)
        states.append(state)
    return states


def _state(op: Operation) -> _State | None:
    if isinstance(op, StageOp):
        return _State(op, op.stage.data, op.stage.data)
    if not isinstance(op, ForOp):
        return None
    ends = _ends(op)
    if ends is None:
        return None
    if op.loop_kind is LoopKind.CTHREAD:
        _connect_scope(op.body.block)
        return _State(op, *ends)
    states = _connect(op.body.block)
    pushes, pops = _join(states[-1], states[0])
    return _State(op, *ends, pops=pops, pushes=pushes)


def _join(previous: _State, following: _State) -> tuple[list[Pair], list[Pair]]:
    """Order `following` after `previous`; the tokens that now pass between them.

    Tokens that one side's loop keeps going round but the other does not know are closed.
    """
    pushes, pops = list(previous.pushes), list(following.pops)
    ends: list[Operation] = []
    starts: list[Operation] = []
    if previous.last != following.first:
        pair = (previous.last, following.first)
        if pair not in pushes:
            pushes.append(pair)
            ends.append(DepPushOp.get(*pair))
        if pair not in pops:
            pops.append(pair)
            starts.append(DepPopOp.get(*pair))
    ends += [DepPopOp.get(*pair) for pair in pushes if pair not in pops]
    starts += [DepPushOp.get(*pair) for pair in pops if pair not in pushes]
    for op in ends:
        previous.after(op)
    for op in starts:
        following.before(op)
    passed = [pair for pair in pushes if pair in pops]
    return passed, [pair for pair in pops if pair in pushes]
