"""Execution of a program at the level of its IR, whichever that is, on numpy arrays."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import EvaluationError
from vtac.evaluate.functions import function_of
from vtac.evaluate.kernel import KernelRun, evaluate_kernel, is_kernel
from vtac.evaluate.linalg import evaluate_linalg
from vtac.evaluate.numbers import Array
from vtac.evaluate.payload import evaluate_payload
from vtac.evaluate.refusals import refused

__all__ = ["EvaluationError", "KernelRun", "evaluate", "evaluate_kernel", "evaluate_linalg", "evaluate_payload"]


def evaluate(module: ModuleOp, *arrays: Array) -> Array | tuple[Array, ...]:
    """Execute a module's function at the level that its ops belong to.

    A linalg function and a schedule payload are executed directly; a function of the vta
    dialect under host loops runs as the instruction stream that it stands for, and a kernel of
    the wmma dialect block by block (bfloat16 arrays as uint16). Schedule
    scripts beside the function have no part in it. Returns the result's array, or a tuple
    when there are several; the arrays passed stay untouched.

    Raises `EvaluationError`, and the errors of `vtac.Program` for the vta dialect.
    """
    function = function_of(module)
    if is_kernel(function):
        return _evaluate_kernel(function, arrays)
    ops = list(function.walk())
    payload = any(isinstance(op, ForOp | BlockOp) for op in ops)
    hardware = next((op for op in ops if op.name.startswith("vta.")), None)
    if hardware is not None and payload:
        raise refused(
            f"cannot execute '{hardware.name}' among schedule loops: run the pipeline to its end, or execute the "
            "payload before it",
            hardware,
        )
    if hardware is not None:
        return _evaluate_vta(module, arrays)
    results = evaluate_payload(function, arrays) if payload else evaluate_linalg(function, arrays)
    return results[0] if len(results) == 1 else results


def _evaluate_kernel(function: FuncOp, arrays: tuple[Array, ...]) -> Array | tuple[Array, ...]:
    run = evaluate_kernel(function, arrays)
    if not all(written.all() for written in run.written):
        raise refused("the kernel leaves elements of a result unwritten", function)
    return run.outputs[0] if len(run.outputs) == 1 else run.outputs


def _evaluate_vta(module: ModuleOp, arrays: tuple[Array, ...]) -> Array | tuple[Array, ...]:
    from vtac.targets.vta.stream.build import build_program

    return build_program(module)(*arrays)  # pyright: ignore[reportArgumentType]
