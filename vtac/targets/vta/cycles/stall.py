"""Why a run does not come to its end."""

from __future__ import annotations

from vtac.errors import CycleError
from vtac.targets.vta.cycles.fetch import Fetch
from vtac.targets.vta.cycles.plan import Plan
from vtac.targets.vta.cycles.timing import Timing
from vtac.targets.vta.cycles.units import TokenQueue, Unit
from vtac.targets.vta.isa import POP_NEXT, POP_PREV


def _wait_of(unit: Unit, plan: Plan) -> tuple[int, str] | None:
    """The instruction that a unit cannot pass, and what it waits for."""
    position = len(unit.ends)
    if position == len(unit.instructions):
        return None
    index = unit.instructions[position]
    if unit.loading:
        return index, "executes a LOAD with y_size 0 and x_size not 0, which never ends"
    missing = [
        queue.name
        for bit, queue in ((POP_PREV, unit.prev_in), (POP_NEXT, unit.next_in))
        if plan.tokens[index] & bit and queue and queue.head is None
    ]
    return index, f"waits for a token in queue {' and '.join(missing)}"


def deadlock(plan: Plan, units: list[Unit], fetch: Fetch) -> CycleError:
    """The error of a run in which nothing moves any more, saying who waits for what."""
    waits = [(unit, wait) for unit in units if (wait := _wait_of(unit, plan))]
    lines = [f"{unit.name} at instruction {index} {reason}" for unit, (index, reason) in waits]
    blocker = fetch.blocker()
    if blocker:
        lines.append(
            f"fetch waits for room in the queue of {blocker.name}, to hand over instruction {fetch.dispatched}"
        )
    hangs = [index for unit, (index, _) in waits if unit.loading]
    cycle = max((unit.free for unit in units), default=0)
    return CycleError(
        f"FINISH is never reached; after cycle {cycle} nothing moves: {'; '.join(lines)}. "
        + (
            "The hardware cannot load rows of nothing: give the block a row, or make x_size 0."
            if hangs
            else "Each pop needs a push by the neighbouring unit that comes earlier in every order of execution."
        ),
        hangs[0] if hangs else min(index for _, (index, _) in waits),
        "hang" if hangs else "deadlock",
    )


def token_overflow(queue: TokenQueue, cycles: int, timing: Timing) -> CycleError | None:
    """The error of the first token that a queue's counter cannot hold, within the run's cycles."""
    limit = timing.token_limit
    for number, available in enumerate(queue.available[limit:], limit):
        posted, place = available - 1, number - limit
        # A token taken in the very cycle of the post makes room for it.
        if posted < cycles and (place >= len(queue.taken) or queue.taken[place] > posted):
            index = queue.producers[number]
            return CycleError(
                f"instruction {index} posts to queue {queue.name} in cycle {posted}, when it holds {limit} tokens; "
                "the hardware's counter ends there and the token is lost: let the other unit pop tokens before more "
                "are pushed",
                index,
                "tokens",
            )
    return None
