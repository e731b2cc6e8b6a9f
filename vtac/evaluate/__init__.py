"""Execution of a program at the level of its IR, whichever that is, on numpy arrays."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import EvaluationError
from vtac.evaluate.functions import function_of
from vtac.evaluate.kernel import KernelRun, evaluate_kernel
from vtac.evaluate.linalg import evaluate_linalg
from vtac.evaluate.numbers import Array
from vtac.evaluate.payload import evaluate_payload
from vtac.evaluate.refusals import refused
from vtac.lazily import submodules_of
from vtac.targets.registry import all_targets
from vtac.targets.target import Level

__all__ = ["EvaluationError", "KernelRun", "evaluate", "evaluate_kernel", "evaluate_linalg", "evaluate_payload"]
__getattr__ = submodules_of(__name__)


def evaluate(module: ModuleOp, *arrays: Array) -> Array | tuple[Array, ...]:
    """Execute a module's function at the level that its ops belong to.

    A linalg function and a schedule payload are executed directly, a level of a target's own
    dialect as the target says: a function of the vta dialect under host loops runs as the
    instruction stream that it stands for, a kernel of the wmma dialect block by block (bfloat16
    arrays as uint16). Schedule scripts beside the function have no part in it. Returns the
    result's array, or a tuple when there are several; the arrays passed stay untouched.

    Raises `EvaluationError`, and what a target's level raises.
    """
    function = function_of(module)
    payload = next((op for op in function.walk() if isinstance(op, ForOp | BlockOp)), None)
    found = _level(function)
    if found is None:
        results = evaluate_linalg(function, arrays) if payload is None else evaluate_payload(function, arrays)
        return results[0] if len(results) == 1 else results
    level, op = found
    if payload is not None and op is not function:
        raise refused(
            f"cannot execute '{op.name}' among schedule loops: run the pipeline to its end, or execute the payload "
            "before it",
            op,
        )
    return level.evaluate(module, arrays)


def _level(function: FuncOp) -> tuple[Level, Operation] | None:
    """The level of a target's dialect that a function is at, and the operation that tells."""
    for target in all_targets():
        for level in target.levels:
            op = level.find(function)
            if op is not None:
                return level, op
    return None
