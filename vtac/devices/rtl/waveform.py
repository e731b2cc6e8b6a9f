"""Which cycles of a run are around some of its instructions.

The bench sees which instructions a design has asked for, and not when it executes them: it may ask long before. When
they are executed the cycle model says, which is exact where memory answers without stalls. So a waveform begins when
both hold, that the first instruction was asked for and that its time has come, and ends when the one behind the last
was asked for and the last one's time is over: a design of another timing is slower than the model, if anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vtac.devices.agent.faults import Refusal
from vtac.devices.rtl.surroundings import Surroundings, Window
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ExecutionError
from vtac.targets.vta.cycles import Timing, simulate_cycles
from vtac.targets.vta.isa import WORD_BYTES

MARGIN = 64
"""Cycles before and behind what is asked for."""


@dataclass(frozen=True, slots=True)
class Span:
    """Positions of the first instruction and of the one behind the last; cycles since the launch, the end exclusive."""

    first: int
    behind: int
    begin: int
    end: int


def span_of(window: Window, instructions: bytes, config: VTAConfig, around: Surroundings) -> Span:
    """Where a window lies. Raises `Refusal` for instructions that the stream does not have, or that hang."""
    count = len(instructions) // WORD_BYTES
    last = count - 1 if window.last is None else window.last
    if last >= count or window.first > last:
        raise Refusal(
            "rtl",
            f"a waveform from instruction {window.first} to {last} is not of a stream of {count}",
            f"choose from 0 to {count - 1}; vtac disasm lists them",
        )
    try:
        report = simulate_cycles(instructions, config, replace(Timing.de10(), memory_latency=around.latency))
    except ExecutionError as error:
        raise Refusal(error.kind, str(error)) from None
    spans = [span for unit in report.units.values() for span in unit.spans if window.first <= span.instruction <= last]
    begin = min((span.begin for span in spans), default=0)
    end = max((span.end for span in spans), default=report.cycles) * 100 // (100 - max(around.stalls))
    return Span(window.first, last + 1, max(0, begin - MARGIN), end + MARGIN)
