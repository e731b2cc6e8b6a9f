"""vtac: a compiler from linalg to the VTA accelerator and to tensor cores.

Names are loaded when first used: importing `vtac`, or a dialect from it, loads neither
numpy nor the interpreter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtac.lazily import installed_version, load_module, submodules_of

if TYPE_CHECKING:
    from vtac import devices

    __version__: str
    from vtac.binding import bind
    from vtac.compiler import compile
    from vtac.dialects.hardware import VTAConfig
    from vtac.errors import (
        CompileError,
        ConfigError,
        EvaluationError,
        ExecutionError,
        KernelFault,
        ModelError,
        ProgramError,
        ScheduleError,
        VtacError,
    )
    from vtac.loading import load_program
    from vtac.models.model import Model
    from vtac.models.onnx_reader.reader import from_onnx
    from vtac.models.torch_reader.reader import from_torch
    from vtac.report.page.document import report
    from vtac.schedule import Schedule
    from vtac.targets.cuda.network import CudaNetwork
    from vtac.targets.cuda.program import CudaProgram
    from vtac.targets.vta.cycles import Timing, simulate_cycles
    from vtac.targets.vta.exploring.entry import explore
    from vtac.targets.vta.exploring.sweep import Sweep
    from vtac.targets.vta.machine import execute
    from vtac.targets.vta.programs.host_program import HostProgram
    from vtac.targets.vta.programs.program import Program
    from vtac.targets.vta.programs.vta_program import VtaProgram
    from vtac.targets.vta.proof import Finding, check
    from vtac.targets.vta.tuning.entry import tune
    from vtac.targets.vta.tuning.result import TuneResult
    from vtac.text.source import parse

_HOMES = {
    "CompileError": "vtac.errors",
    "ConfigError": "vtac.errors",
    "CudaNetwork": "vtac.targets.cuda.network",
    "CudaProgram": "vtac.targets.cuda.program",
    "EvaluationError": "vtac.errors",
    "ExecutionError": "vtac.errors",
    "Finding": "vtac.targets.vta.proof",
    "HostProgram": "vtac.targets.vta.programs.host_program",
    "KernelFault": "vtac.errors",
    "Model": "vtac.models.model",
    "ModelError": "vtac.errors",
    "Program": "vtac.targets.vta.programs.program",
    "ProgramError": "vtac.errors",
    "Schedule": "vtac.schedule",
    "ScheduleError": "vtac.errors",
    "Sweep": "vtac.targets.vta.exploring.sweep",
    "Timing": "vtac.targets.vta.cycles",
    "TuneResult": "vtac.targets.vta.tuning.result",
    "VTAConfig": "vtac.dialects.hardware",
    "VtaProgram": "vtac.targets.vta.programs.vta_program",
    "VtacError": "vtac.errors",
    "bind": "vtac.binding",
    "check": "vtac.targets.vta.proof",
    "compile": "vtac.compiler",
    "execute": "vtac.targets.vta.machine",
    "explore": "vtac.targets.vta.exploring.entry",
    "from_onnx": "vtac.models.onnx_reader.reader",
    "from_torch": "vtac.models.torch_reader.reader",
    "load_program": "vtac.loading",
    "parse": "vtac.text.source",
    "simulate_cycles": "vtac.targets.vta.cycles",
    "tune": "vtac.targets.vta.tuning.entry",
}

__all__ = [
    "CompileError",
    "ConfigError",
    "CudaNetwork",
    "CudaProgram",
    "EvaluationError",
    "ExecutionError",
    "Finding",
    "HostProgram",
    "KernelFault",
    "Model",
    "ModelError",
    "Program",
    "ProgramError",
    "Schedule",
    "ScheduleError",
    "Sweep",
    "Timing",
    "TuneResult",
    "VTAConfig",
    "VtaProgram",
    "VtacError",
    "bind",
    "check",
    "compile",
    "devices",
    "execute",
    "explore",
    "from_onnx",
    "from_torch",
    "load_program",
    "parse",
    "report",
    "simulate_cycles",
    "tune",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return installed_version("vtac")
    if name not in _HOMES:
        return submodules_of("vtac")(name)
    value: object = getattr(load_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
