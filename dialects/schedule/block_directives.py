"""Directives on blocks and buffers: where a block is computed, and where what it reads and writes lies."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.schedule.attributes import BlockHandleType, BufferHandleType, LoopHandleType
from vtac.dialects.schedule.script import BLOCK, I64, LOOP, DirectiveOp
from vtac.dialects.scopes import scope_problem


def _verify_scope(scope: str) -> None:
    if problem := scope_problem(scope):
        raise VerifyException(problem)


@irdl_op_definition
class ComputeAtOp(DirectiveOp):
    """Compute what the consumers inside a loop need of a block's output right there."""

    name = "schedule.compute_at"
    block = operand_def(BLOCK)
    loop = operand_def(LOOP)
    assembly_format = "$block `,` $loop attr-dict"


@irdl_op_definition
class ReverseComputeAtOp(DirectiveOp):
    """Compute a consumer block inside a loop, on what its producers there have just produced."""

    name = "schedule.reverse_compute_at"
    block = operand_def(BLOCK)
    loop = operand_def(LOOP)
    assembly_format = "$block `,` $loop attr-dict"


@irdl_op_definition
class ComputeInlineOp(DirectiveOp):
    """Replace every read of a block's output by its body, and drop the block."""

    name = "schedule.compute_inline"
    block = operand_def(BLOCK)
    assembly_format = "$block attr-dict"


@irdl_op_definition
class CacheReadOp(DirectiveOp):
    """Copy one input of a block into a new buffer of a scope, and let the block read that.

    With `gather`, dimensions that the block reads in steps are copied without what lies between.
    """

    name = "schedule.cache_read"
    block = operand_def(BLOCK)
    index = prop_def(I64)
    scope = prop_def(StringAttr)
    gather = opt_prop_def(UnitAttr)
    copy = result_def(BLOCK)
    assembly_format = "$block `,` $index `,` $scope (`gather` $gather^)? attr-dict"

    def verify_(self) -> None:
        _verify_scope(self.scope.data)


@irdl_op_definition
class CacheWriteOp(DirectiveOp):
    """Let a block write a new buffer of a scope, and copy that to where it wrote before."""

    name = "schedule.cache_write"
    block = operand_def(BLOCK)
    index = prop_def(I64)
    scope = prop_def(StringAttr)
    copy = result_def(BLOCK)
    assembly_format = "$block `,` $index `,` $scope attr-dict"

    def verify_(self) -> None:
        _verify_scope(self.scope.data)


@irdl_op_definition
class SetScopeOp(DirectiveOp):
    """Place a buffer, or the one that a block writes (output `index`, always 0), in a scope."""

    name = "schedule.set_scope"
    target = operand_def(BlockHandleType | BufferHandleType)
    index = prop_def(I64)
    scope = prop_def(StringAttr)
    assembly_format = "$target `,` $index `,` $scope attr-dict `:` type($target)"

    def verify_(self) -> None:
        _verify_scope(self.scope.data)


@irdl_op_definition
class DecomposeReductionOp(DirectiveOp):
    """Split a reduction's initialisation off into a block of its own, before a loop."""

    name = "schedule.decompose_reduction"
    block = operand_def(BLOCK)
    loop = operand_def(LOOP)
    init = result_def(BLOCK)
    assembly_format = "$block `,` $loop attr-dict"


@irdl_op_definition
class DoubleBufferOp(DirectiveOp):
    """Give a buffer, or the one that a block writes, copies that loop iterations use in turn."""

    name = "schedule.double_buffer"
    target = operand_def(BlockHandleType | BufferHandleType)
    copies = prop_def(I64)
    assembly_format = "$target `,` $copies attr-dict `:` type($target)"

    def verify_(self) -> None:
        if self.copies.value.data < 1:
            raise VerifyException(f"{self.copies.value.data} copies; at least 1 is required")


@irdl_op_definition
class SkipPaddingOp(DirectiveOp):
    """Leave out the iterations of a multiply-accumulate that read padding."""

    name = "schedule.skip_padding"
    block = operand_def(BLOCK)
    assembly_format = "$block attr-dict"


@irdl_op_definition
class AnnotateOp(DirectiveOp):
    """Put an attribute on a loop or block."""

    name = "schedule.annotate"
    target = operand_def(BlockHandleType | LoopHandleType)
    key = prop_def(StringAttr)
    value = prop_def(Attribute)
    assembly_format = "$target `,` $key `=` $value attr-dict `:` type($target)"
