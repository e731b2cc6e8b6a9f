"""What a function of the vec level means, in numpy: independent of the text that is emitted for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import arith, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, SSAValue

from vtac.analysis.kernels.kernel_roles import is_result
from vtac.analysis.nests.nest import shape_of
from vtac.evaluate.functions import function_of
from vtac_vec.dialect import AxpyOp, LoadOp, StoreOp, VecOp, ZeroOp
from vtac_vec.machine import LANES

Array = NDArray[np.generic]
Int32 = NDArray[np.int32]


def evaluate_vec(module: ModuleOp, arrays: Sequence[Array]) -> Array | tuple[Array, ...]:
    """Execute a module's function on int32 arrays, which it leaves as they are."""
    function = function_of(module)
    given = iter(arrays)
    memory: dict[SSAValue, Int32] = {
        argument: np.zeros(shape_of(argument), np.int32)
        if is_result(function, argument)
        else cast(Int32, next(given)).astype(np.int32, casting="safe")
        for argument in function.body.block.args
    }
    _run(function.body.block, memory, {})
    outputs = tuple(memory[argument] for argument in function.body.block.args if is_result(function, argument))
    return outputs[0] if len(outputs) == 1 else outputs


def vec_operation(function: FuncOp) -> VecOp | None:
    """An instruction of a function, None where there is none."""
    return next((op for op in function.walk() if isinstance(op, VecOp)), None)


def _run(block: Block, memory: dict[SSAValue, Int32], numbers: dict[SSAValue, int]) -> None:
    def lanes(buffer: SSAValue, at: SSAValue | None = None, count: int = LANES) -> Int32:
        start = 0 if at is None else numbers[at]
        return memory[buffer].reshape(-1)[start : start + count]

    for op in block.ops:
        match op:
            case arith.ConstantOp():
                numbers[op.result] = cast("IntegerAttr", op.value).value.data
            case ApplyOp():
                operands = [numbers[value] for value in op.mapOperands]
                numbers[op.results[0]] = op.map.data.eval(operands, [])[0]
            case AllocOp():
                memory[op.memref] = np.zeros(shape_of(op.memref), np.int32)
            case scf.ForOp():
                for number in range(numbers[op.lb], numbers[op.ub], numbers[op.step]):
                    _run(op.body.block, memory, {**numbers, op.body.block.args[0]: number})
            case ZeroOp():
                lanes(op.register)[:] = 0
            case LoadOp():
                lanes(op.register)[:] = lanes(op.buffer, op.at)
            case StoreOp():
                lanes(op.buffer, op.at)[:] = lanes(op.register)
            case AxpyOp():
                lanes(op.sum)[:] += lanes(op.buffer, op.at, 1) * lanes(op.vector)
            case _:
                pass
