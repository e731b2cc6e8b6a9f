"""The three units: each executes its own instructions in order, between token pops and token posts."""

from __future__ import annotations

from dataclasses import dataclass, field

from vtac.targets.vta.cycles.bus import CLIENTS, COMMAND_DELAY, ReadBus, Transfer
from vtac.targets.vta.cycles.load_time import load_end
from vtac.targets.vta.cycles.plan import TRANSFER, LoadShape, Plan
from vtac.targets.vta.isa import POP_NEXT, POP_PREV, PUSH_NEXT, PUSH_PREV, Memory

_CLIENT_OF = {
    memory: (client, CLIENTS.index(client))
    for memory, client in (
        (Memory.UOP, "uop"),
        (Memory.INP, "inp"),
        (Memory.WGT, "wgt"),
        (Memory.ACC, "acc"),
        (Memory.ACC_8BIT, "acc"),
    )
}
_POPS, _PUSHES = POP_PREV | POP_NEXT, PUSH_PREV | PUSH_NEXT
_NO_ARRIVAL = (0, 0)


@dataclass(eq=False, slots=True)
class TokenQueue:
    """One token queue: when each token can first be taken, who posted it, who took it and when."""

    name: str
    available: list[int] = field(default_factory=list[int])
    producers: list[int] = field(default_factory=list[int])
    consumers: list[int] = field(default_factory=list[int])
    taken: list[int] = field(default_factory=list[int])

    @property
    def head(self) -> int | None:
        """The cycle from which the next token can be taken, or None when nobody has posted it."""
        taken = len(self.taken)
        return self.available[taken] if taken < len(self.available) else None


@dataclass(eq=False, slots=True)
class Unit:
    """A unit and what has happened in it. The lists have one entry per instruction, in the unit's order.

    `visible[k]`: the first cycle in which instruction k can be the queue's head. `starts[k]`: the
    cycle in which it takes its tokens. `ends[k]`: the first cycle in which the next can start, and
    in which its tokens can be taken. `arrivals[k]`: when its tokens from prev and next could be taken
    (0: none wanted).
    """

    name: str
    prev_in: TokenQueue | None
    next_in: TokenQueue | None
    prev_out: TokenQueue | None
    next_out: TokenQueue | None
    instructions: list[int] = field(default_factory=list[int])
    visible: list[int] = field(default_factory=list[int])
    starts: list[int] = field(default_factory=list[int])
    ends: list[int] = field(default_factory=list[int])
    arrivals: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    free: int = 0
    loading: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether an instruction is there that waits for no data."""
        return not self.loading and len(self.starts) < len(self.instructions)

    def run(self, plan: Plan, bus: ReadBus) -> bool:
        """Execute until something is missing: an instruction, a token, or data. Whether any started or ended."""
        begun = position = len(self.starts)
        instructions, tokens, costs, count = self.instructions, plan.tokens, plan.costs, len(self.instructions)
        while position < count and not self.loading:
            index = instructions[position]
            bits = tokens[index]
            start = max(self.free, self.visible[position])
            if bits & _POPS:
                taken = self._take(index, bits, start)
                if taken is None:
                    break
                start = taken
            else:
                self.arrivals.append(_NO_ARRIVAL)
            self.starts.append(start)
            position += 1
            cost = costs[index]
            if cost == TRANSFER:
                self._request(index, start, plan.loads[index], bus)
            else:
                self._finish(index, bits, start + cost)
        return position != begun

    def _take(self, index: int, bits: int, start: int) -> int | None:
        """Take the tokens that an instruction pops: its start, or None when one is missing."""
        prev_in = self.prev_in if bits & POP_PREV else None
        next_in = self.next_in if bits & POP_NEXT else None
        prev_token = prev_in.head if prev_in else 0
        next_token = next_in.head if next_in else 0
        if prev_token is None or next_token is None:
            return None
        start = max(start, prev_token, next_token)
        for queue in (prev_in, next_in):
            if queue:
                queue.consumers.append(index)
                queue.taken.append(start)
        self.arrivals.append((prev_token, next_token))
        return start

    def _request(self, index: int, start: int, shape: LoadShape, bus: ReadBus) -> None:
        self.loading = True
        if shape.bursts:
            client, priority = _CLIENT_OF[shape.memory]
            bus.request(Transfer(client, priority, index, shape.bursts, start + COMMAND_DELAY + shape.top))

    def loaded(self, transfer: Transfer, plan: Plan) -> None:
        """The bus has accepted the last command of this unit's LOAD: its end is known."""
        self.loading = False
        self.finish(load_end(plan.loads[transfer.index], self.starts[-1], transfer.spans), plan)

    def finish(self, end: int, plan: Plan) -> None:
        """The executing instruction posts its tokens and leaves the queue."""
        index = self.instructions[len(self.starts) - 1]
        self._finish(index, plan.tokens[index], end)

    def _finish(self, index: int, bits: int, end: int) -> None:
        self.free = end
        self.ends.append(end)
        if not bits & _PUSHES:
            return
        for bit, queue in ((PUSH_PREV, self.prev_out), (PUSH_NEXT, self.next_out)):
            if bits & bit and queue:
                queue.available.append(end)
                queue.producers.append(index)
