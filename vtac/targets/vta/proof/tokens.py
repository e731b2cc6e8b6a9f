"""Findings about tokens, the instruction queues and the end of the run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta import rules
from vtac.targets.vta.isa import POP_NEXT, POP_PREV, PUSH_NEXT, PUSH_PREV, Finish, is_nop
from vtac.targets.vta.machine.tokens import QUEUES, Queue
from vtac.targets.vta.proof.finding import Report
from vtac.targets.vta.proof.order import Order, token_order
from vtac.targets.vta.proof.stream import (
    BIT_NAMES,
    COMPUTE,
    LOAD,
    STORE,
    UNIT_NAMES,
    Stream,
    pops,
    pushes,
)
from vtac.targets.vta.rules import MAX_TOKENS

Positions = NDArray[np.int64]

_LEGAL_BITS: dict[int, int] = {LOAD: POP_NEXT | PUSH_NEXT, STORE: POP_PREV | PUSH_PREV}


def check_tokens(stream: Stream, report: Report) -> Order:
    """Report everything that is wrong with the tokens; the result is the order they enforce."""
    _check_bits(stream, report)
    order = token_order(stream, stream.config.queue_depth)
    if sum(order.executed) < len(stream):
        order = _explain_stop(stream, order, report)
    for number, queue in enumerate(QUEUES):
        _check_queue(stream, order, number, queue, report)
    _check_finish(stream, order, report)
    return order


def _check_bits(stream: Stream, report: Report) -> None:
    for unit, legal in _LEGAL_BITS.items():
        for index in stream.programs[unit]:
            illegal = stream.bits[index] & ~legal
            if illegal:
                report.add(
                    "dependence",
                    f"{stream.name(index)}: {rules.no_such_queue(UNIT_NAMES[unit])}",
                    index,
                )


class _Wait(NamedTuple):
    """A unit that waits at `index` for token number `ordinal` of a queue; `awaited` pushes it, if anything does."""

    blocked: int
    queue: Queue
    ordinal: int
    awaited: int | None


def _waits(stream: Stream, order: Order) -> list[_Wait]:
    """What each stopped unit waits for; a unit out of fetched instructions waits for no token."""
    waits: list[_Wait] = []
    for unit, program in enumerate(stream.programs):
        if order.executed[unit] == len(program) or program[order.executed[unit]] >= order.fetched:
            continue
        index = program[order.executed[unit]]
        for number in pops(unit, stream.bits[index]):
            pushers = _positions(stream, number, QUEUES[number].producer, pushing=True)
            ordinal = order.taken[number]
            producer = QUEUES[number].producer
            if ordinal >= len(pushers):
                waits.append(_Wait(index, QUEUES[number], ordinal, None))
            elif pushers[ordinal] >= order.executed[producer]:
                waits.append(_Wait(index, QUEUES[number], ordinal, stream.programs[producer][int(pushers[ordinal])]))
    return sorted(waits, key=lambda wait: wait.awaited is not None)


def _describe(stream: Stream, wait: _Wait) -> str:
    queue = wait.queue
    who = f"{stream.name(wait.blocked)} waits on queue {queue.name} for token {wait.ordinal + 1}"
    producer = UNIT_NAMES[queue.producer]
    if wait.awaited is None:
        return (
            f"{who}, which nothing pushes: the {producer} unit pushes {wait.ordinal} in all, "
            f"a {BIT_NAMES[queue.push]} on a {producer} instruction is missing"
        )
    return f"{who}, which {stream.name(wait.awaited)} would push"


def _explain_stop(stream: Stream, limited: Order, report: Report) -> Order:
    """Report a deadlock, or a stall that only the limited instruction queues cause."""
    order = token_order(stream)
    if sum(order.executed) == len(stream):
        blocked = limited.fetched
        waits = _waits(stream, limited)
        listed = "; ".join(_describe(stream, wait) for wait in waits)
        report.add(
            "fetch",
            f"{rules.fetch_stops(stream.name(blocked), stream.config.queue_depth)}, and {listed}, which lies behind "
            "it in the stream; it must come earlier",
            waits[0].blocked,
            blocked,
        )
        return order
    waits = _waits(stream, order)
    report.add(
        "deadlock",
        "; ".join(_describe(stream, wait) for wait in waits),
        waits[0].blocked,
        waits[0].awaited,
        buffer=waits[0].queue.name,
    )
    return order


def _positions(stream: Stream, queue: int, unit: int, *, pushing: bool) -> Positions:
    """Where in its program a unit pushes to, or pops from, a queue."""
    touched = pushes if pushing else pops
    touching = np.array([queue in touched(unit, bits) for bits in range(16)], np.bool_)
    return np.flatnonzero(touching[stream.bits_of(unit)])


def _check_queue(stream: Stream, order: Order, number: int, queue: Queue, report: Report) -> None:
    pushers = _positions(stream, number, queue.producer, pushing=True)
    poppers = _positions(stream, number, queue.consumer, pushing=False)
    if len(pushers) > len(poppers):
        index = stream.programs[queue.producer][int(pushers[len(poppers)])]
        report.add(
            "tokens",
            f"{rules.tokens_kept(queue.name, len(pushers) - len(poppers))}: of {len(pushers)}, the one that "
            f"{stream.name(index)} pushes is taken by no {BIT_NAMES[queue.pop]} of the {UNIT_NAMES[queue.consumer]} "
            "unit",
            index,
            buffer=queue.name,
        )
    _check_in_flight(stream, order, number, report)


def tokens_in_flight(stream: Stream, order: Order, number: int) -> Positions:
    """After each push to queue `number`, the most tokens that any interleaving can leave in it.

    Of the consumer's pops only those have happened for certain that are ordered before the push.
    """
    queue = QUEUES[number]
    pushers = _positions(stream, number, queue.producer, pushing=True)
    pushers = pushers[pushers < order.executed[queue.producer]]
    complete: Positions = order.before[queue.producer][pushers, queue.consumer]
    popped = np.searchsorted(_positions(stream, number, queue.consumer, pushing=False), complete, side="left")
    return np.arange(1, len(pushers) + 1, dtype=np.int64) - popped


def _check_in_flight(stream: Stream, order: Order, number: int, report: Report) -> None:
    held = tokens_in_flight(stream, order, number)
    over = np.flatnonzero(held > MAX_TOKENS)
    if not len(over):
        return
    queue = QUEUES[number]
    push = int(over[0])
    index = stream.programs[queue.producer][int(_positions(stream, number, queue.producer, pushing=True)[push])]
    poppers = _positions(stream, number, queue.consumer, pushing=False)
    late = push + 1 - int(held[push])
    second = stream.programs[queue.consumer][int(poppers[late])] if late < len(poppers) else None
    lag = f" while {stream.name(second)} has not taken its token" if second is not None else ""
    report.add(
        "token-limit",
        f"{rules.too_many_tokens(queue.name, int(held.max()))}: {stream.name(index)} pushes number {MAX_TOKENS + 1} "
        f"in flight{lag}, so the {UNIT_NAMES[queue.producer]} unit must wait earlier",
        index,
        second,
        buffer=queue.name,
    )


def _check_finish(stream: Stream, order: Order, report: Report) -> None:
    finishes = [i for i, first in enumerate(stream.alike) if isinstance(stream.firsts[first], Finish)]
    last = len(stream) - 1
    if not finishes:
        report.add("finish", rules.no_finish())
        return
    for index in finishes:
        if index != last:
            report.add(
                "finish",
                f"{stream.name(index + 1)} {rules.follows_finish(index)}",
                index,
                index + 1,
            )
    position = stream.programs[COMPUTE].index(finishes[-1])
    if finishes[-1] == last and position < order.executed[COMPUTE]:
        for unit in (LOAD, STORE):
            _check_complete(stream, order, unit, position, report)


def _check_complete(stream: Stream, order: Order, unit: int, position: int, report: Report) -> None:
    """FINISH is compute's, so the other units' last effects must be ordered before it by tokens."""
    complete = int(order.before[COMPUTE][position, unit])
    rest = stream.programs[unit][complete : order.executed[unit]]
    # A NOP that nothing waits for may well run after the end.
    late = [i for i in rest if not is_nop(stream.at(i))]
    if late:
        finish = stream.programs[COMPUTE][position]
        report.add(
            "finish",
            f"{stream.name(finish)} may end the run before {stream.name(late[-1])} is done: a token from "
            f"{UNIT_NAMES[unit]} to compute after #{late[-1]} and before #{finish} is missing",
            late[-1],
            finish,
        )
