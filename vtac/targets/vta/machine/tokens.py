"""The four token queues: which instruction may run when, and what can go wrong with that.

Tokens do not depend on data, so an order of execution is found before anything executes. All
orders that the tokens allow end in the same queues; only races make their results differ.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vtac.errors import ExecutionError
from vtac.targets.vta import rules
from vtac.targets.vta.isa import POP_NEXT, POP_PREV, PUSH_NEXT, PUSH_PREV
from vtac.targets.vta.machine.stream import Stream, UnitIndex
from vtac.targets.vta.rules import MAX_TOKENS


@dataclass(frozen=True, slots=True)
class Queue:
    """One token queue: `producer` pushes with bit `push`, `consumer` pops with bit `pop`."""

    name: str
    producer: UnitIndex
    push: int
    consumer: UnitIndex
    pop: int


QUEUES = (
    Queue("l2g", UnitIndex.LOAD, PUSH_NEXT, UnitIndex.COMPUTE, POP_PREV),
    Queue("g2l", UnitIndex.COMPUTE, PUSH_PREV, UnitIndex.LOAD, POP_NEXT),
    Queue("s2g", UnitIndex.STORE, PUSH_PREV, UnitIndex.COMPUTE, POP_NEXT),
    Queue("g2s", UnitIndex.COMPUTE, PUSH_NEXT, UnitIndex.STORE, POP_PREV),
)


def _pushes(stream: Stream, queue: Queue) -> NDArray[np.bool_]:
    return (stream.units == queue.producer) & (stream.table.dependences & queue.push != 0)


def _pops(stream: Stream, queue: Queue) -> NDArray[np.bool_]:
    return (stream.units == queue.consumer) & (stream.table.dependences & queue.pop != 0)


@lru_cache(maxsize=32)
def tokens_left(stream: Stream) -> dict[str, int]:
    """Tokens that a complete run leaves in each queue."""
    return {queue.name: int(_pushes(stream, queue).sum() - _pops(stream, queue).sum()) for queue in QUEUES}


def stream_order_is_legal(stream: Stream) -> bool:
    """Whether executing the instructions one by one as they stand never pops an empty queue."""
    for queue in QUEUES:
        balance = np.cumsum(_pushes(stream, queue).astype(np.int64) - _pops(stream, queue))
        if len(balance) and balance.min() < 0:
            return False
    return True


class _Units:
    """The three units' queues and tokens while an order is being found."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.bits: list[int] = stream.table.dependences.tolist()
        self.waiting: list[deque[int]] = [deque() for _ in UnitIndex]
        self.tokens = dict.fromkeys((queue.name for queue in QUEUES), 0)
        self.order: list[int] = []
        self._pops = tuple([queue for queue in QUEUES if queue.consumer == unit] for unit in UnitIndex)
        self._pushes = tuple([queue for queue in QUEUES if queue.producer == unit] for unit in UnitIndex)

    def arrive(self, unit: int, index: int) -> None:
        self.waiting[unit].append(index)

    def missing(self, unit: int) -> list[Queue]:
        """The empty queues that the head of `unit` waits for."""
        bits = self.bits[self.waiting[unit][0]]
        return [queue for queue in self._pops[unit] if bits & queue.pop and not self.tokens[queue.name]]

    def ready(self) -> list[int]:
        return [unit for unit in range(3) if self.waiting[unit] and not self.missing(unit)]

    def step(self, unit: int) -> None:
        index = self.waiting[unit].popleft()
        for queue in self._pops[unit]:
            self.tokens[queue.name] -= bool(self.bits[index] & queue.pop)
        for queue in self._pushes[unit]:
            self.tokens[queue.name] += bool(self.bits[index] & queue.push)
        self.order.append(index)

    def stall(self, kind: str, rule: str) -> ExecutionError:
        """The error when no head can run: each waiting unit, its instruction and the empty queues."""
        waits: list[str] = []
        heads: list[int] = []
        for unit in range(3):
            if self.waiting[unit]:
                head = self.waiting[unit][0]
                heads.append(head)
                queues = " and ".join(queue.name for queue in self.missing(unit))
                waits.append(f"{UnitIndex(unit).name.lower()} waits at instruction {head} for a token in {queues}")
        problem = f"{rule} after {len(self.order)} instructions: {'; '.join(waits)}"
        return self.stream.fault(min(heads), kind, problem)


def find_order(stream: Stream, choose: random.Random | None = None) -> list[int]:
    """An order of execution that the tokens allow: a permutation of the instruction positions.

    Without `choose`, the earliest instruction in the stream that can run always runs next; with it,
    one of the units that can run is drawn each time. Raises `ExecutionError` `deadlock`.
    """
    if choose is None and stream_order_is_legal(stream):
        return list(range(len(stream)))
    units = _Units(stream)
    for index, unit in enumerate(stream.units.tolist()):
        units.arrive(unit, index)
    while len(units.order) < len(stream):
        ready = units.ready()
        if not ready:
            raise units.stall("deadlock", "deadlock")
        if choose is None:
            units.step(min(ready, key=lambda unit: units.waiting[unit][0]))
        else:
            units.step(choose.choice(ready))
    return units.order


def check_fetch(stream: Stream) -> None:
    """Refuse a stream that stalls because fetch is in order and a unit's queue holds so many instructions.

    The head counts while it executes; fetch blocks on a full queue. Raises `ExecutionError` `fetch`.
    """
    if stream_order_is_legal(stream):
        return
    units = _Units(stream)
    unit_of: list[int] = stream.units.tolist()
    fetched, depth = 0, stream.config.queue_depth
    while len(units.order) < len(stream):
        while fetched < len(stream) and len(units.waiting[unit_of[fetched]]) < depth:
            units.arrive(unit_of[fetched], fetched)
            fetched += 1
        ready = units.ready()
        if not ready:
            raise units.stall("fetch", f"{rules.fetch_stops(f'instruction {fetched}', depth)},")
        for unit in ready:
            units.step(unit)


def _clocks(stream: Stream, order: list[int]) -> list[tuple[int, int, int]]:
    """For each instruction, how many of each unit's instructions have begun or ended before it ends, in any order."""
    bits: list[int] = stream.table.dependences.tolist()
    unit_of: list[int] = stream.units.tolist()
    now = [(0, 0, 0)] * 3
    in_flight: dict[str, deque[tuple[int, int, int]]] = {queue.name: deque() for queue in QUEUES}
    taken = [[(queue.pop, in_flight[queue.name]) for queue in QUEUES if queue.consumer == unit] for unit in UnitIndex]
    given = [[(queue.push, in_flight[queue.name]) for queue in QUEUES if queue.producer == unit] for unit in UnitIndex]
    clocks: list[tuple[int, int, int]] = [(0, 0, 0)] * len(stream)
    for index in order:
        unit, tokens = unit_of[index], bits[index]
        load, compute, store = now[unit]
        for pop, waiting in taken[unit] if tokens else ():
            if tokens & pop:
                other = waiting.popleft()
                load, compute, store = max(load, other[0]), max(compute, other[1]), max(store, other[2])
        clock = (load + (unit == 0), compute + (unit == 1), store + (unit == 2))
        now[unit] = clocks[index] = clock
        for push, waiting in given[unit] if tokens else ():
            if tokens & push:
                waiting.append(clock)
    return clocks


def check_token_limit(stream: Stream, order: list[int]) -> None:
    """Refuse a stream in which some allowed order puts more than 255 tokens into one queue.

    The count is at its highest when the producer has run as far as the consumer's own tokens let
    it. `order` is any legal order. Raises `ExecutionError` `token-limit`.
    """
    crowded = [queue for queue in QUEUES if _pushes(stream, queue).sum() > MAX_TOKENS]
    if not crowded:
        return
    clocks = np.array(_clocks(stream, order), np.int64).reshape(-1, 3)
    for queue in crowded:
        producers = np.flatnonzero(_pushes(stream, queue))
        consumed = clocks[producers, queue.consumer]
        pops = np.concatenate([[0], np.cumsum(_pops(stream, queue)[stream.units == queue.consumer])])
        in_flight = np.arange(1, len(producers) + 1) - pops[consumed]
        worst = int(np.argmax(in_flight > MAX_TOKENS))
        if in_flight[worst] > MAX_TOKENS:
            raise stream.fault(
                int(producers[worst]),
                "token-limit",
                rules.too_many_tokens(queue.name, int(in_flight[worst])),
            )


def check_leftover(stream: Stream) -> None:
    """Refuse a stream that leaves tokens behind. Raises `ExecutionError` `tokens`, naming the last push."""
    for queue in QUEUES:
        left = tokens_left(stream)[queue.name]
        if left > 0:
            last = int(np.flatnonzero(_pushes(stream, queue))[-1])
            problem = f"{rules.tokens_kept(queue.name, left)}; this is the last push"
            raise stream.fault(last, "tokens", problem)
