"""Programs prepared for the VTA, and lowered for tensor cores."""

from __future__ import annotations

from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from vtac import compiler, preparation
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.schedule import Schedule
from vtac.targets.registry import find_target


def lower(
    module: ModuleOp | str | Path,
    architecture: GpuArchitecture | None,
    schedule: Schedule | ModuleOp | str | Path | None,
    phase: str | None = None,
) -> ModuleOp:
    """A copy of a module, lowered for tensor cores up to and including a phase."""
    return compiler.lower(module, "cuda", architecture, schedule, phase=phase)


def prepare(
    module: ModuleOp | str | Path, config: object = None, schedule: Schedule | ModuleOp | str | Path | None = None
) -> ModuleOp:
    """A copy of a module with the VTA's configuration and a schedule in place."""
    return preparation.prepare(module, find_target("vta"), config, schedule)
