"""The GPU architecture that a module is compiled for."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from vtac.dialects.gpu_hardware import GpuArchitecture, gpu_architecture
from vtac.dialects.wmma.declared import ALLOW_TF32, ARCHITECTURE


def allows_tf32(op: Operation) -> bool:
    """Whether the module of an operation lets tensor cores multiply f32 as tf32, and its architecture has that."""
    module = op.get_toplevel_object()
    if not isinstance(module, ModuleOp) or not ALLOW_TF32.is_on(module):
        return False
    record = architecture_of(module)
    return record is None or any(operation.operand == "tf32" for operation in record.operations)


def architecture_of(module: ModuleOp) -> GpuArchitecture | None:
    """The architecture that a module names; None when it may run on any. `ConfigError` for one nobody knows."""
    given = ARCHITECTURE.get(module)
    return gpu_architecture(given) if given is not None else None


def architecture_for(module: ModuleOp, given: GpuArchitecture | str | None, default: str) -> GpuArchitecture:
    """The architecture that is given, as a record or by name, else the module's, else the default.

    `ConfigError` for a name that is no architecture's.
    """
    if isinstance(given, str):
        return gpu_architecture(given)
    return given or architecture_of(module) or gpu_architecture(default)
