"""Refusal of what neither the VTA nor the host can execute."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Operation

from vtac.analysis.locations import location_of
from vtac.dialects.packing import HostOp, YieldOp
from vtac.dialects.packing.declared import DEVICE
from vtac.errors import CompileError, EvaluationError, JointCompileError
from vtac.evaluate.buffers import element_type
from vtac.evaluate.executable import why_not_executable
from vtac.evaluate.numbers import dtype_of


def check_host(function: FuncOp) -> None:
    """Raise what numpy cannot execute of a packed function's host operations, all of it at once."""
    _check_types(function)
    module = function.parent_op()
    functions = [op for op in module.ops if isinstance(op, FuncOp)] if isinstance(module, ModuleOp) else []
    devices = {op.sym_name.data for op in functions if DEVICE.is_on(op)}
    errors = [
        CompileError(f"'{op.name}' can run neither on the VTA nor on the host: {reason}", location_of(op))
        for op in _steps(function)
        if (reason := _why_not(op, devices)) is not None
    ]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise JointCompileError(errors)


def _check_types(function: FuncOp) -> None:
    """Arguments and results are arrays of numpy."""
    types = [*function.function_type.inputs, *function.function_type.outputs]
    for number, kind in enumerate(types):
        inputs = len(function.function_type.inputs)
        what = f"argument {number}" if number < inputs else f"result {number - inputs}"
        try:
            dtype_of(element_type(kind))
        except EvaluationError as error:
            raise CompileError(f"{what} of '{function.sym_name.data}': {error}", location_of(function)) from None


def _steps(function: FuncOp) -> Iterator[Operation]:
    for op in function.body.block.ops:
        if isinstance(op, HostOp):
            yield from (inner for inner in op.body.block.ops if not isinstance(inner, YieldOp))
        elif not isinstance(op, ReturnOp):
            yield op


def _why_not(op: Operation, devices: set[str]) -> str | None:
    if isinstance(op, CallOp):
        name = op.callee.string_value()
        return None if name in devices else f"a program is one function, and '{name}' is another"
    return why_not_executable(op)
