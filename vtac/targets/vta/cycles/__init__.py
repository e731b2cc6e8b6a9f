"""Cycle simulation: how long the hardware takes for an instruction stream, and where the time goes."""

from vtac.errors import CycleError
from vtac.targets.vta.cycles.report import BusSpan, CycleReport, Roof, Span, TokenFlow, UnitReport, Wait
from vtac.targets.vta.cycles.simulate import simulate_cycles
from vtac.targets.vta.cycles.summary import summary_table
from vtac.targets.vta.cycles.timing import Timing

__all__ = [
    "BusSpan",
    "CycleError",
    "CycleReport",
    "Roof",
    "Span",
    "Timing",
    "TokenFlow",
    "UnitReport",
    "Wait",
    "simulate_cycles",
    "summary_table",
]
