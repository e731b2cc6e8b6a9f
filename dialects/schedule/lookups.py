"""Lookups: directives that give handles and change nothing."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def, var_result_def

from vtac.dialects.schedule.script import BLOCK, BUFFER, I64, LOOP, DirectiveOp


@irdl_op_definition
class GetBlockOp(DirectiveOp):
    """Handle to the block of that name; with a position, to that one of the blocks that come from an operation.

    Positions count from 0 in program order.
    """

    name = "schedule.get_block"
    block_name = prop_def(StringAttr)
    position = opt_prop_def(I64)
    block = result_def(BLOCK)
    assembly_format = "$block_name (`at` $position^)? attr-dict"


@irdl_op_definition
class GetLoopsOp(DirectiveOp):
    """Handles to all loops around a block, outermost first."""

    name = "schedule.get_loops"
    block = operand_def(BLOCK)
    loops = var_result_def(LOOP)
    assembly_format = "$block attr-dict `:` type($loops)"


@irdl_op_definition
class GetLoopOp(DirectiveOp):
    """Handle to the innermost loop of that name around a block.

    A name such as `#2` counts the loops around the block from the outermost, 0; `#-1` is the innermost. A
    dimension of the block's named operation (`m`, `kh`, ...) names the one loop that runs over it.
    """

    name = "schedule.get_loop"
    block = operand_def(BLOCK)
    loop_name = prop_def(StringAttr)
    loop = result_def(LOOP)
    assembly_format = "$block $loop_name attr-dict"


@irdl_op_definition
class GetBufferOp(DirectiveOp):
    """Handle to the buffer of that name."""

    name = "schedule.get_buffer"
    buffer_name = prop_def(StringAttr)
    buffer = result_def(BUFFER)
    assembly_format = "$buffer_name attr-dict"
