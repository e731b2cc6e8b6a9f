"""What stands in programs that were lowered before: loops over single elements, and buffers in memory."""

from __future__ import annotations

from typing import Final

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from vtac.analysis.ir.walks import operations_under

_LOWERED: Final = frozenset(
    (
        *(f"affine.{name}" for name in ("for", "if", "load", "parallel", "store")),
        *(f"bufferization.{name}" for name in ("to_buffer", "to_tensor")),
        *(f"memref.{name}" for name in ("copy", "load", "store", "subview")),
        "scf.parallel",
    )
)


def lowered_operation(function: FuncOp) -> Operation | None:
    """The first operation of a function on tensors that bufferisation or lowering to loops has made; None for none."""
    return next((op for op in operations_under(function) if op.name in _LOWERED), None)
