"""All states that the tokens of a short stream allow, visited one by one: slow, and plainly right."""

from __future__ import annotations

from checker_streams import QUEUE_BITS

from vtac.targets.vta.isa import Instruction, Unit, unit_of

QUEUE_NAMES: dict[tuple[Unit, Unit], str] = {
    (Unit.LOAD, Unit.COMPUTE): "l2g",
    (Unit.COMPUTE, Unit.LOAD): "g2l",
    (Unit.COMPUTE, Unit.STORE): "g2s",
    (Unit.STORE, Unit.COMPUTE): "s2g",
}
_NUMBER = {unit: number for number, unit in enumerate(Unit)}


def explore(instructions: list[Instruction]) -> tuple[set[tuple[int, int]], dict[str, int], set[tuple[int, ...]]]:
    """Every state that the tokens allow, visited one by one.

    Returns the pairs of instructions that can be about to start at the same time, the most tokens
    each queue ever holds, and the states, as instructions done by each unit, in which nothing can run.
    """
    programs = [[i for i, x in enumerate(instructions) if unit_of(x) is unit] for unit in Unit]
    pairs: set[tuple[int, int]] = set()
    most = dict.fromkeys(QUEUE_NAMES.values(), 0)
    ends: set[tuple[int, ...]] = set()
    frontier: list[tuple[int, ...]] = [(0, 0, 0)]
    seen = set(frontier)
    while frontier:
        state = frontier.pop()
        held = _held(instructions, programs, state)
        for name, count in held.items():
            most[name] = max(most[name], count)
        ready = [u for u in range(3) if _ready(instructions, programs, state, u, held)]
        heads = [programs[u][state[u]] for u in ready]
        pairs |= {(min(a, b), max(a, b)) for a in heads for b in heads if a != b}
        if not ready:
            ends.add(state)
        following = {tuple(done + (u == n) for n, done in enumerate(state)) for u in ready}
        frontier += following - seen
        seen |= following
    return pairs, most, ends


def _held(instructions: list[Instruction], programs: list[list[int]], state: tuple[int, ...]) -> dict[str, int]:
    held: dict[str, int] = {}
    for (producer, consumer), (push, pop) in QUEUE_BITS.items():
        pushed = programs[_NUMBER[producer]][: state[_NUMBER[producer]]]
        popped = programs[_NUMBER[consumer]][: state[_NUMBER[consumer]]]
        count = sum(getattr(instructions[i].dependences, push) for i in pushed)
        held[QUEUE_NAMES[producer, consumer]] = count - sum(getattr(instructions[i].dependences, pop) for i in popped)
    return held


def _ready(
    instructions: list[Instruction], programs: list[list[int]], state: tuple[int, ...], unit: int, held: dict[str, int]
) -> bool:
    if state[unit] == len(programs[unit]):
        return False
    dependences = instructions[programs[unit][state[unit]]].dependences
    return all(
        held[name] > 0
        for (producer, consumer), name in QUEUE_NAMES.items()
        if _NUMBER[consumer] == unit and getattr(dependences, QUEUE_BITS[producer, consumer][1])
    )
