"""Which operations on tensors compute something."""

from __future__ import annotations

from xdsl.dialects import tensor
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp
from xdsl.ir import Operation

from vtac.dialects.computations import ComputesTensor


def is_computation(op: Operation) -> bool:
    """Whether an operation computes a tensor as a whole: it is no fill, slice, constant, or empty tensor."""
    if isinstance(op, FillOp):
        return False
    return isinstance(op, LinalgStructuredOperation | BroadcastOp | tensor.PadOp) or op.has_trait(
        ComputesTensor, value_if_unregistered=False
    )
