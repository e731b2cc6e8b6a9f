"""Which of a kernel's arguments are inputs and which are outputs."""

from __future__ import annotations

from xdsl.dialects import memref, vector
from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import buffer_name
from vtac.dialects.mma import LoadPairOp, StorePairOp
from vtac.dialects.schedule.declared import RESULT
from vtac.dialects.tma import CopyOp, LoadOp, StoreOp
from vtac.dialects.wmma import AsyncCopyOp, LoadMatrixSyncOp, StoreMatrixSyncOp
from vtac.errors import CompileError


def is_result(kernel: FuncOp, argument: BlockArgument) -> bool:
    """Whether an argument is written: a tensor result of the original function, or a memref it stores to."""
    return _is_tensor_result(kernel, argument) or argument in _written(kernel)


def in_place_arguments(kernel: FuncOp) -> tuple[str, ...]:
    """Names of the memref arguments that the kernel writes: its caller passes them too.

    Raises `CompileError` for an argument that is read and written.
    """
    written, read = _written(kernel), _read(kernel)
    names: list[str] = []
    for argument in kernel.body.block.args:
        if argument not in written or _is_tensor_result(kernel, argument):
            continue
        if argument in read:
            raise CompileError(
                f"'{buffer_name(argument)}' is read and written by kernel '{kernel.sym_name.data}': write another "
                "argument, or return a tensor",
                location_of(kernel),
            )
        names.append(buffer_name(argument))
    return tuple(names)


def _is_tensor_result(kernel: FuncOp, argument: BlockArgument) -> bool:
    return RESULT.of_argument(kernel, argument.index) is not None


def _written(kernel: FuncOp) -> set[SSAValue]:
    found: set[SSAValue] = set()
    for op in kernel.walk():
        if isinstance(op, memref.StoreOp | StoreMatrixSyncOp | StorePairOp):
            found.add(_base(op.memref if isinstance(op, memref.StoreOp) else op.memory))
        elif isinstance(op, vector.StoreOp):
            found.add(_base(op.base))
        elif isinstance(op, StoreOp):
            found.add(_base(op.target))
    return found


def _read(kernel: FuncOp) -> set[SSAValue]:
    found: set[SSAValue] = set()
    for op in kernel.walk():
        if isinstance(op, memref.LoadOp | LoadMatrixSyncOp | LoadPairOp):
            found.add(_base(op.memref if isinstance(op, memref.LoadOp) else op.memory))
        elif isinstance(op, vector.LoadOp):
            found.add(_base(op.base))
        elif isinstance(op, AsyncCopyOp | LoadOp | CopyOp):
            found.add(_base(op.source))
    return found


def _base(buffer: SSAValue) -> SSAValue:
    """The buffer that a flat view looks at."""
    owner = buffer.owner
    if isinstance(owner, memref.ReinterpretCastOp):
        return _base(owner.source)
    return _base(owner.src) if isinstance(owner, memref.CollapseShapeOp) else buffer
