"""Blocks that store one constant everywhere: what reductions start from."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, IntegerAttr

from vtac.dialects.schedule.attributes import Number
from vtac.dialects.schedule.payload import BlockOp


def filled_value(block: BlockOp) -> Number | None:
    """The constant that a block stores everywhere in its output, if it is such a block."""
    constant = block.yielded.owner
    if block.inputs or block.has_reduction or not isinstance(constant, arith.ConstantOp):
        return None
    return constant.value if isinstance(constant.value, IntegerAttr | FloatAttr) else None
