"""What a LOAD takes at least beside its beats: with the memory to itself, and behind a burst of another unit.

    start s   command accepted   first beat     last beat         the unit's next start
      |          a >= s + 2        begin + 1   begin + beats    begin + beats + delay + 2

A burst begins 17 cycles after its command was accepted; but where one accepted before has yet to begin, directly
behind that one. All of a unit's own are over when its LOAD starts, so that is another unit's, or fetch's: of `b` beats,
it begins at `a` or later and ends at `a + b` or later. So beside its beats a LOAD takes 21 + delay, or 4 + b + delay.
"""

from __future__ import annotations

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BURST_BEATS
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.isa import WORD_BYTES

BUS = 8
FIRST = 17
"""Cycles from a command to the burst with nothing before it: so much, less `b`, each unit's first LOAD takes longer.

No burst is asked for between the first fetch, which is over when the first instruction begins, and two cycles later.
"""


class Starts:
    """Cycles beside beats on `Timing.de10()`: of LOADs of inputs, weights and micro-ops, and more of a unit's first."""

    def __init__(self, config: VTAConfig) -> None:
        loaded = config.inp_element_bytes, config.wgt_element_bytes
        micro_ops, others = _beats(config.uop_element_bytes), min(map(_beats, (WORD_BYTES, *loaded)))
        delay = Timing.de10().beat_delay
        self.inputs, self.weights = (4 + micro_ops + delay(nbytes) for nbytes in loaded)
        self.first_load = FIRST - micro_ops
        self.micro_ops = 4 + others + delay(config.uop_element_bytes)
        self.first_micro_ops = FIRST - others


def _beats(nbytes: int) -> int:
    """Beats of the shortest burst of elements: those of one, as bursts end where elements do."""
    return max(1, min(BURST_BEATS, nbytes // BUS))
