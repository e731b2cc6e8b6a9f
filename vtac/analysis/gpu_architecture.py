"""The GPU architecture that a module is compiled for."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from vtac.dialects.gpu_hardware import GpuArchitecture, gpu_architecture
from vtac.dialects.wmma.declared import ARCHITECTURE


def architecture_of(module: ModuleOp) -> GpuArchitecture | None:
    """The architecture that a module names; None when it may run on any. `ConfigError` for one nobody knows."""
    given = ARCHITECTURE.get(module)
    return gpu_architecture(given) if given is not None else None
