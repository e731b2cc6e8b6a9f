"""Who is who in a module that is packed for a device: host functions, programs, device functions, kernels."""

from __future__ import annotations

from collections.abc import Collection

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp

from vtac.analysis.ir.walks import operations_of, operations_under
from vtac.dialects.packing.declared import DEVICE, PROGRAM


def host_functions(module: ModuleOp) -> list[FuncOp]:
    """Functions that run on the host."""
    found = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    return [function for function in found if not (DEVICE.is_on(function) or PROGRAM.is_on(function))]


def program_functions(module: ModuleOp) -> list[FuncOp]:
    """Functions whose calls of device functions become one instruction stream."""
    return [op for op in module.ops if isinstance(op, FuncOp) and PROGRAM.is_on(op)]


def device_functions(module: ModuleOp) -> list[FuncOp]:
    """Functions on packed tensors that run on the device."""
    return [op for op in module.ops if isinstance(op, FuncOp) and DEVICE.is_on(op)]


def kernel_modules(module: ModuleOp) -> list[ModuleOp]:
    """The modules within a module: each holds what becomes one kernel, or one stream of linked kernels."""
    return [op for op in module.ops if isinstance(op, ModuleOp)]


def kernel_of(module: ModuleOp) -> FuncOp | None:
    """The one function of a module within a module that no other function in it calls; None where it holds no such."""
    functions = [op for op in module.ops if isinstance(op, FuncOp)]
    called = {op.callee.string_value() for op in operations_of(CallOp, module)}
    entries = [function for function in functions if function.sym_name.data not in called]
    return entries[0] if len(entries) == 1 else None


def calls_of(module: ModuleOp, names: Collection[str]) -> list[CallOp]:
    """The calls of functions of these names by host functions and programs, in program order."""
    callers = [*host_functions(module), *program_functions(module)]
    calls = (op for caller in callers for op in operations_under(caller) if isinstance(op, CallOp))
    return [call for call in calls if call.callee.string_value() in names]
