"""Execution of a program at the level of its IR, whichever that is, on numpy arrays.

By level:

    arguments, results, limits        functions, work, executable, refusals, frame
    scalars and arrays                numbers, bfloat16, affine, masks, buffers, arith, arith_tables, extrema,
                                      scalar_functions
    linalg                            linalg, structured, sums, gathers, loops, moves, slices, attention, host
    tensors, buffers, loops, choices  tensors, memory, strided, control, reductions
    loops and blocks of the schedule dialect
                                      payload, blocks
    kernels of GPUs                   kernel, kernel_blocks, kernel_threads, kernel_memory
      warps and warpgroups            kernel_warps, kernel_warp_threads, kernel_tiles, kernel_warpgroups
      bulk copies                     kernel_bulk, boxes, bulk_stores, turns
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp

from vtac.analysis.nests.stage import stage_of
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import EvaluationError
from vtac.evaluate.functions import function_of
from vtac.evaluate.linalg import evaluate_linalg
from vtac.evaluate.numbers import Array
from vtac.evaluate.payload import evaluate_payload
from vtac.evaluate.refusals import refused
from vtac.lazily import members_of, submodules_of

if TYPE_CHECKING:
    from vtac.evaluate.kernel import KernelRun, evaluate_kernel

__all__ = ["EvaluationError", "KernelRun", "evaluate", "evaluate_kernel", "evaluate_linalg", "evaluate_payload"]
_of_kernels = members_of(f"{__name__}.kernel")
_submodule = submodules_of(__name__)


def __getattr__(name: str) -> object:
    return _of_kernels(name) if name in ("KernelRun", "evaluate_kernel") else _submodule(name)


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
    stage = stage_of(function)
    if stage is None:
        payload = any(isinstance(op, ForOp | BlockOp) for op in function.walk())
        results = evaluate_linalg(function, arrays) if not payload else evaluate_payload(function, arrays)
        return results[0] if len(results) == 1 else results
    if not stage.is_whole:
        raise refused(f"cannot execute '{function.sym_name.data}': {stage.whereabouts}", stage.op)
    return stage.level.evaluate(module, arrays)
