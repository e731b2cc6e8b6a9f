"""Which tokens order the stages of a thread, and where they stand.

    push(store, compute)
    for y:  [pop(store, compute)  compute  push(compute, store)]
            [pop(compute, store)  store    push(store, compute)]
    pop(store, compute)

The loop begins with compute and ends with store: from one iteration to the next a token goes
from store to compute, so one is pushed before the loop for the first iteration, and the one
that the last iteration leaves is popped after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.ir import Block, Operation
from xdsl.rewriter import InsertPoint

from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.vta.synchronisation import DepPopOp, DepPushOp, StageOp

Pair = tuple[str, str]
"""(producing stage, consuming stage)."""


def plan_tokens(body: Block) -> list[tuple[InsertPoint, list[Operation]]]:
    """The token operations that order the stages of a function's body, and the places that they go to, in order."""
    plan = _Plan()
    plan.connect_thread(body)
    return [place for unit in plan.units for place in unit.places()]


def stage_ends(op: Operation) -> Pair | None:
    """The first and last stage inside a stage or loop; None when there is none."""
    first = _outer_stage(op, backwards=False)
    last = None if first is None else _outer_stage(op, backwards=True)
    return None if first is None or last is None else (first, last)


def stage_ends_in(body: Block) -> Pair | None:
    """The first and last stage inside a body; None when there is none."""
    first = _outer_stage_in(body, backwards=False)
    last = None if first is None else _outer_stage_in(body, backwards=True)
    return None if first is None or last is None else (first, last)


def _outer_stage(op: Operation, *, backwards: bool) -> str | None:
    """The first stage inside a stage or loop, or the last one."""
    if type(op) is StageOp:
        return op.stage.data
    return _outer_stage_in(op.body.block, backwards=backwards) if type(op) is ForOp else None


def _outer_stage_in(body: Block, *, backwards: bool) -> str | None:
    for child in reversed(body.ops) if backwards else body.ops:
        found = _outer_stage(child, backwards=backwards)
        if found is not None:
            return found
    return None


@dataclass
class _Unit:
    """A stage or loop as its neighbours see it."""

    op: StageOp | ForOp
    first: str
    last: str
    pops: list[Pair] = field(default_factory=list[Pair])
    """Tokens that a loop takes when it starts: those that go round it."""
    pushes: list[Pair] = field(default_factory=list[Pair])
    """Tokens that it leaves when it ends: the same ones."""
    starts: list[Operation] = field(default_factory=list[Operation])
    ends: list[Operation] = field(default_factory=list[Operation])

    def places(self) -> list[tuple[InsertPoint, list[Operation]]]:
        """Starts and ends stand inside a stage, but around a loop: there they count once, not per iteration."""
        if isinstance(self.op, StageOp):
            body = self.op.body.block
            return [(InsertPoint.at_start(body), self.starts[::-1]), (InsertPoint.at_end(body), self.ends)]
        return [(InsertPoint.before(self.op), self.starts), (InsertPoint.after(self.op), self.ends)]


@dataclass
class _Plan:
    """The stages and loops of a function, in the order in which they were connected."""

    units: list[_Unit] = field(default_factory=list[_Unit])

    def connect_thread(self, body: Block) -> None:
        """Connect a thread's body; what goes round its outermost loops begins and ends with the thread."""
        found = self._connect(body)
        if found:
            found[0].starts += [DepPushOp.get(*pair) for pair in found[0].pops]
            found[-1].ends += [DepPopOp.get(*pair) for pair in found[-1].pushes]

    def _connect(self, body: Block) -> list[_Unit]:
        """Connect the neighbours in a body; returns them in order."""
        found: list[_Unit] = []
        for child in body.ops:
            ends = stage_ends(child)
            if ends is None or not isinstance(child, StageOp | ForOp):
                continue
            unit = self._unit(child, ends)
            if found:
                _join(found[-1], unit)
            found.append(unit)
        self.units += found
        return found

    def _unit(self, op: StageOp | ForOp, ends: Pair) -> _Unit:
        unit = _Unit(op, *ends)
        if isinstance(op, StageOp):
            return unit
        if op.loop_kind is LoopKind.CTHREAD:
            # Each virtual thread is a thread of its own: no token passes from one to the next.
            self.connect_thread(op.body.block)
            return unit
        inner = self._connect(op.body.block)
        unit.pushes, unit.pops = _join(inner[-1], inner[0])
        return unit


def _join(previous: _Unit, following: _Unit) -> tuple[list[Pair], list[Pair]]:
    """Let `following` start after `previous` has ended; returns the tokens that now pass between them.

    Three kinds of tokens meet here. The one of the join itself: pushed by the stage that ends,
    popped by the one that starts, unless a loop on that side leaves or takes it already. What the
    loop before leaves and nobody takes: popped right behind it. What the loop behind takes and
    nobody leaves: pushed right before it, for its first iteration.

    A loop's last stage and its first one are joined in the same way; what passes between them
    is what goes round the loop.
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
    ends += _tokens(DepPopOp, pushes, pops)
    starts += _tokens(DepPushOp, pops, pushes)
    previous.ends += ends
    following.starts += starts
    return [pair for pair in pushes if pair in pops], [pair for pair in pops if pair in pushes]


def _tokens(kind: type[DepPopOp | DepPushOp], pairs: Sequence[Pair], closed: Sequence[Pair]) -> list[Operation]:
    """An operation for each token of which only one side knows."""
    return [kind.get(*pair) for pair in pairs if pair not in closed]
