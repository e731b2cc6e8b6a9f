"""Cycle simulation: how long the hardware takes for an instruction stream, and where the time goes."""

from vtac.interpreter.cycles.errors import CycleError
from vtac.interpreter.cycles.report import BusSpan, CycleReport, Roof, Span, TokenFlow, UnitReport, Wait
from vtac.interpreter.cycles.simulate import simulate_cycles
from vtac.interpreter.cycles.summary import summary_table
from vtac.interpreter.cycles.timing import Timing

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
