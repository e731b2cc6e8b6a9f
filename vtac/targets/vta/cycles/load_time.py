"""When a LOAD ends: all its data has been written, and so have its pads, in the cycles that data leaves free."""

from __future__ import annotations

from collections.abc import Sequence

from vtac.targets.vta.cycles.bus import COMMAND_DELAY
from vtac.targets.vta.cycles.plan import LoadShape
from vtac.targets.vta.cycles.timing import Timing


def _fill(cycle: int, count: int, busy: Sequence[tuple[int, int]]) -> int:
    """The cycle after the last of `count` writes from `cycle` on, none of them in the spans `busy`."""
    if not count:
        return cycle
    for begin, end in busy:
        if cycle + count <= begin:
            break
        count -= max(0, begin - cycle)
        cycle = max(cycle, end)
    return cycle + count


def _padding_end(shape: LoadShape, start: int, data: Sequence[tuple[int, int]]) -> int:
    """The cycle after the last pad write of a LOAD that begins to pad in cycle `start`.

    `data` are the ascending spans [first, end) of cycles in which the LOAD's data is written. Top and
    sides come first; then, when there are bottom pads only, the data rows are passed at one per
    cycle, data or not; then the bottom.
    """
    cycle = _fill(start, shape.leading_pads, data) + shape.skipped_rows
    return _fill(cycle, shape.bottom_pads, data)


def load_end(shape: LoadShape, start: int, beats: Sequence[tuple[int, int]]) -> int:
    """The first cycle in which the unit can start its next instruction after a LOAD.

    `start` is the cycle in which the LOAD starts, `beats` the ascending spans [first, end) of cycles
    in which its beats are on the bus.
    """
    done = beats[-1][1] + shape.delay
    if shape.is_padded:
        written = [(begin + shape.delay, end + shape.delay) for begin, end in beats]
        done = max(done, _padding_end(shape, start + shape.delay, written))
    return done + 1


def uncontended_cycles(shape: LoadShape, timing: Timing) -> int:
    """Cycles of a LOAD, from its start to the unit's next, whose beats come without a gap."""
    first = COMMAND_DELAY + shape.top + timing.memory_latency + 2
    return load_end(shape, 0, [(first, first + sum(shape.bursts))])
