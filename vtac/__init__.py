"""vtac: a compiler from linalg to the VTA accelerator and to tensor cores.

Names are loaded when first used: importing `vtac`, or a dialect from it, loads neither
numpy nor the interpreter.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vtac.dialects.diagnostics import CompileError, ConfigError, ScheduleError, VtacError
    from vtac.dialects.hardware import VTAConfig

_HOMES = {
    "CompileError": "vtac.dialects.diagnostics",
    "ConfigError": "vtac.dialects.diagnostics",
    "ScheduleError": "vtac.dialects.diagnostics",
    "VTAConfig": "vtac.dialects.hardware",
    "VtacError": "vtac.dialects.diagnostics",
}

__all__ = ["CompileError", "ConfigError", "ScheduleError", "VTAConfig", "VtacError"]  # noqa: F822


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'vtac' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
