"""vtac: a compiler from linalg to the VTA accelerator and to tensor cores.

Names are loaded when first used: importing `vtac`, or a dialect from it, loads neither
numpy nor the interpreter.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vtac.binding import bind
    from vtac.compiler import compile
    from vtac.cuda.program import CudaProgram
    from vtac.dialects.diagnostics import CompileError, ConfigError, ScheduleError, VtacError
    from vtac.dialects.hardware import VTAConfig
    from vtac.frontend import parse
    from vtac.interpreter import ExecutionError, execute
    from vtac.interpreter.check import Finding, check
    from vtac.interpreter.cycles import Timing, simulate_cycles
    from vtac.runtime.errors import ProgramError
    from vtac.runtime.host_program import HostProgram
    from vtac.runtime.program import Program
    from vtac.runtime.saved_program import load_program
    from vtac.schedule import Schedule

_HOMES = {
    "CompileError": "vtac.dialects.diagnostics",
    "ConfigError": "vtac.dialects.diagnostics",
    "CudaProgram": "vtac.cuda.program",
    "ExecutionError": "vtac.interpreter",
    "Finding": "vtac.interpreter.check",
    "HostProgram": "vtac.runtime.host_program",
    "Program": "vtac.runtime.program",
    "ProgramError": "vtac.runtime.errors",
    "Schedule": "vtac.schedule",
    "ScheduleError": "vtac.dialects.diagnostics",
    "Timing": "vtac.interpreter.cycles",
    "VTAConfig": "vtac.dialects.hardware",
    "VtacError": "vtac.dialects.diagnostics",
    "bind": "vtac.binding",
    "check": "vtac.interpreter.check",
    "compile": "vtac.compiler",
    "execute": "vtac.interpreter",
    "load_program": "vtac.runtime.saved_program",
    "parse": "vtac.frontend",
    "simulate_cycles": "vtac.interpreter.cycles",
}

__all__ = [
    "CompileError",
    "ConfigError",
    "CudaProgram",
    "ExecutionError",
    "Finding",
    "HostProgram",
    "Program",
    "ProgramError",
    "Schedule",
    "ScheduleError",
    "Timing",
    "VTAConfig",
    "VtacError",
    "bind",
    "check",
    "compile",
    "execute",
    "load_program",
    "parse",
    "simulate_cycles",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'vtac' has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
