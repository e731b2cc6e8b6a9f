"""Tensors that the host has before the VTA computes anything: what a caller gives, and what is made of that alone."""

from __future__ import annotations

from xdsl.dialects import tensor
from xdsl.dialects.builtin import AnyFloat, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import BroadcastOp, TransposeOp
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.utils.type import get_element_type_or_self

from vtac.analysis.operations.reshapes import RESHAPES

_LAYOUTS = (tensor.PadOp, tensor.ExtractSliceOp, TransposeOp, BroadcastOp, *RESHAPES)


def is_from_caller(value: SSAValue) -> bool:
    """Whether a tensor is an argument of a function, in whatever layout, or computed from such in floats.

    Elementwise operations on floats are the host's; those on integers may be the VTA's.
    """
    seen: set[SSAValue] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if isinstance(one, BlockArgument):
            if not isinstance(one.owner.parent_op(), FuncOp):
                return False
            continue
        owner = one.owner
        if not isinstance(owner, Operation) or not (isinstance(owner, _LAYOUTS) or _is_float(owner)):
            return False
        waiting.extend(owner.operands[:1] if isinstance(owner, _LAYOUTS) else _inputs(owner))
    return True


def _is_float(op: Operation) -> bool:
    """Whether an operation computes elements of floats, without a reduction."""
    if not isinstance(op, LinalgStructuredOperation):
        return False
    if any(kind.data is not IteratorType.PARALLEL for kind in op.get_iterator_types()):
        return False
    return any(isinstance(get_element_type_or_self(value.type), AnyFloat) for value in (*op.inputs, *op.res))


def _inputs(op: Operation) -> list[SSAValue]:
    values = op.inputs if isinstance(op, LinalgStructuredOperation) else op.operands
    return [value for value in values if isinstance(value.type, TensorType)]
