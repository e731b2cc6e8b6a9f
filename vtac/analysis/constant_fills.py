"""Blocks that store one constant everywhere: what reductions start from."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.ir import Block, Operation

from vtac.analysis.nest import blocks_under
from vtac.dialects.schedule.attributes import Number
from vtac.dialects.schedule.payload import BlockOp, ForOp


def fold_constant_fills(body: Block) -> None:
    """A constant fill right before a reduction over the same buffer becomes the block's init."""
    previous: BlockOp | None = None
    for block in blocks_under(body):
        if (
            previous is not None
            and block.has_reduction
            and block.init is None
            and previous.output is block.output
            and (value := filled_value(previous)) is not None
        ):
            block.init = value
            _erase_nest(previous)
        previous = block


def filled_value(block: BlockOp) -> Number | None:
    """The constant that a block stores everywhere in its output, if it is such a block."""
    constant = block.yielded.owner
    if block.inputs or block.has_reduction or not isinstance(constant, arith.ConstantOp):
        return None
    return constant.value if isinstance(constant.value, IntegerAttr | FloatAttr) else None


def _erase_nest(block: BlockOp) -> None:
    outermost: Operation = block
    while isinstance(parent := outermost.parent_op(), ForOp):
        outermost = parent
    outermost.detach()
    outermost.erase()
