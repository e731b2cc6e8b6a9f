"""What is left behind when channels are no longer moved."""

from __future__ import annotations

from xdsl.dialects import tensor
from xdsl.dialects.linalg.ops import FillOp, GenericOp, TransposeOp

from vtac.analysis.operations.reshapes import RESHAPES

UNREAD_MOVES = (
    tensor.PadOp,
    tensor.ConcatOp,
    tensor.ExtractSliceOp,
    tensor.InsertSliceOp,
    tensor.EmptyOp,
    FillOp,
    TransposeOp,
    GenericOp,
    *RESHAPES,
)
"""What may be read by nothing now."""
