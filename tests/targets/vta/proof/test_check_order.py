"""The order that the checker computes, against every state that the tokens allow."""

from __future__ import annotations

import random

import numpy as np
import pytest
from checker_states import explore
from checker_streams import CONFIG, NOPS, QUEUE_BITS, with_bit

from vtac.targets.vta.isa import Instruction, Unit, encode, unit_of
from vtac.targets.vta.machine.stream import UnitIndex
from vtac.targets.vta.machine.tokens import QUEUES
from vtac.targets.vta.proof.order import token_order
from vtac.targets.vta.proof.stream import Stream, stream_of
from vtac.targets.vta.proof.tokens import tokens_in_flight


def random_tokens(seed: int) -> list[Instruction]:
    """NOPs with token bits: mostly matched pairs in stream order, some bits at random."""
    rng = random.Random(seed)
    instructions = [NOPS[rng.choice(list(Unit))] for _ in range(rng.randint(1, 16))]
    for _ in range(rng.randint(0, 8)):
        (producer, consumer), (push, pop) = rng.choice(list(QUEUE_BITS.items()))
        pushes = [i for i, x in enumerate(instructions) if unit_of(x) is producer]
        pops = [i for i, x in enumerate(instructions) if unit_of(x) is consumer]
        if not pushes or not pops:
            continue
        pair = sorted((rng.choice(pushes), rng.choice(pops)))
        early, late = pair if rng.random() < 0.2 or pair[0] in pushes else (None, None)
        for index in (early, late):
            if index is not None:
                bit = push if unit_of(instructions[index]) is producer else pop
                instructions[index] = with_bit(instructions[index], bit, True)
    return instructions


def unordered_pairs(stream: Stream) -> set[tuple[int, int]]:
    """The pairs of executing instructions of different units that the checker holds to be unordered."""
    order = token_order(stream)
    pairs: set[tuple[int, int]] = set()
    for one in UnitIndex:
        for other in UnitIndex:
            positions = np.arange(order.executed[one], dtype=np.int64)
            starts, ends = order.unordered(one, positions, other)
            for position, start, end in zip(positions.tolist(), starts.tolist(), ends.tolist(), strict=True):
                mine = stream.programs[one][position]
                theirs = [stream.programs[other][p] for p in range(start, end) if one != other]
                pairs |= {(min(mine, index), max(mine, index)) for index in theirs}
    return pairs


@pytest.mark.parametrize("block", range(4))
def test_order_matches_every_interleaving(block: int) -> None:
    deadlocks = 0
    for seed in range(100 * block, 100 * block + 100):
        instructions = random_tokens(seed)
        stream = stream_of(encode(instructions, CONFIG), CONFIG)
        order = token_order(stream)
        pairs, most, ends = explore(instructions)
        assert ends == {order.executed}
        assert unordered_pairs(stream) == pairs
        for number, queue in enumerate(QUEUES):
            assert tokens_in_flight(stream, order, number).max(initial=0) == most[queue.name]
        deadlocks += sum(order.executed) < len(instructions)
    assert 0 < deadlocks < 100


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_short_instruction_queues_match_a_plain_simulation(depth: int) -> None:
    """Fetch hands over in stream order and stops at a full queue; the head counts while it waits."""
    stalls = 0
    for seed in range(150):
        stream = stream_of(encode(random_tokens(seed), CONFIG), CONFIG)
        order = token_order(stream, depth)
        assert (order.executed, order.fetched) == _simulate(stream, depth)
        stalls += sum(order.executed) < sum(token_order(stream).executed)
    assert stalls > 0


def _simulate(stream: Stream, depth: int) -> tuple[tuple[int, ...], int]:
    """One instruction at a time, in arbitrary order of the units."""
    queues: list[list[int]] = [[], [], []]
    held = [0] * len(QUEUES)
    done = [0, 0, 0]
    fetched = 0
    while True:
        if fetched < len(stream.unit) and len(queues[stream.unit[fetched]]) < depth:
            queues[stream.unit[fetched]].append(fetched)
            fetched += 1
            continue
        ready = [u for u in range(3) if queues[u] and _can_run(stream, queues[u][0], held)]
        if not ready:
            return tuple(done), fetched
        unit = ready[-1]
        index = queues[unit].pop(0)
        done[unit] += 1
        for number, queue in enumerate(QUEUES):
            held[number] -= queue.consumer == unit and bool(stream.bits[index] & queue.pop)
            held[number] += queue.producer == unit and bool(stream.bits[index] & queue.push)


def _can_run(stream: Stream, index: int, held: list[int]) -> bool:
    unit, bits = stream.unit[index], stream.bits[index]
    return all(held[n] for n, queue in enumerate(QUEUES) if queue.consumer == unit and bits & queue.pop)
