"""check-host-operations: refuse what neither the VTA nor the host can execute."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from vtac.analysis.ir.device_functions import device_functions, host_functions, program_functions
from vtac.analysis.ir.locations import location_of
from vtac.dialects.packing import HostOp, YieldOp
from vtac.errors import CompileError, EvaluationError, JointCompileError
from vtac.evaluate.buffers import element_type
from vtac.evaluate.executable import why_not_executable
from vtac.evaluate.numbers import dtype_of


def _check_types(function: FuncOp) -> None:
    """Arguments and results are arrays of numpy."""
    types = [*function.function_type.inputs, *function.function_type.outputs]
    inputs = len(function.function_type.inputs)
    for number, kind in enumerate(types):
        what = f"argument {number}" if number < inputs else f"result {number - inputs}"
        try:
            dtype_of(element_type(kind))
        except EvaluationError as error:
            raise CompileError(f"{what} of '{function.sym_name.data}': {error}", location_of(function)) from None


def _check_steps(function: FuncOp, devices: Collection[str]) -> None:
    errors = [
        CompileError(f"'{op.name}' can run neither on the VTA nor on the host: {reason}", location_of(op))
        for op in _steps(function)
        if (reason := _why_not(op, devices)) is not None
    ]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise JointCompileError(errors)


def _steps(function: FuncOp) -> Iterator[Operation]:
    for op in function.body.block.ops:
        if isinstance(op, HostOp):
            yield from (inner for inner in op.body.block.ops if not isinstance(inner, YieldOp))
        elif not isinstance(op, ReturnOp):
            yield op


def _why_not(op: Operation, devices: Collection[str]) -> str | None:
    if isinstance(op, CallOp):
        name = op.callee.string_value()
        return None if name in devices else f"a program is one function, and '{name}' is another"
    return why_not_executable(op)


@dataclass(frozen=True)
class CheckHostOperations(ModulePass):
    """Only checks: nothing changes.

    requires: functions as pack-for-vta leaves them.
    ensures:  numpy can execute every operation of the host functions, and holds what goes in and out.
    declines: operations and types that it cannot, all operations of a function at once.
    """

    name = "check-host-operations"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        devices = {f.sym_name.data for f in (*device_functions(op), *program_functions(op))}
        for function in host_functions(op):
            _check_types(function)
            _check_steps(function, devices)
