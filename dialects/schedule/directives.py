"""Directives: the operations of a schedule script, over handles to the payload.

Each names one rewrite of the payload; its legality is checked when it is applied.
"""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerAttr, StringAttr, SymbolNameConstraint, UnitAttr, i64
from xdsl.ir import Attribute, Block, Region
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import HasParent, NoTerminator
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.schedule.attributes import (
    BlockHandleType,
    BufferHandleType,
    LoopHandleType,
    LoopKind,
    Tail,
)
from vtac.dialects.scopes import scope_problem

BLOCK = BlockHandleType()
LOOP = LoopHandleType()
BUFFER = BufferHandleType()

I64 = IntegerAttr.constr(i64)


@irdl_op_definition
class ScriptOp(IRDLOperation):
    """A schedule: directives applied in order to the function of that name."""

    name = "schedule.script"

    target = prop_def(SymbolNameConstraint())
    body = region_def("single_block")

    traits = traits_def(NoTerminator())

    @staticmethod
    def get(target: str, body: Region) -> ScriptOp:
        return ScriptOp(properties={"target": StringAttr(target)}, regions=[body])

    @classmethod
    def parse(cls, parser: Parser) -> ScriptOp:
        target = parser.parse_symbol_name()
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parser.parse_region()
        script = cls.get(target.data, body if body.blocks else Region(Block()))
        if attributes is not None:
            script.attributes |= attributes.data
        return script

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.target.data)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_empty_block=False)


class DirectiveOp(IRDLOperation):
    """Base of all directives, which stand in scripts and nowhere else."""

    traits = traits_def(HasParent(ScriptOp))

    @property
    def directive(self) -> str:
        """The directive's name as users write it."""
        return self.name.removeprefix("schedule.")


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


@irdl_op_definition
class SplitOp(DirectiveOp):
    """Split a loop in two, by the inner extent (`factor`) or the outer one (`nparts`)."""

    name = "schedule.split"
    loop = operand_def(LOOP)
    factor = opt_prop_def(I64)
    nparts = opt_prop_def(I64)
    tail = prop_def(StringAttr, default_value=StringAttr(Tail.ERROR.value))
    outer = result_def(LOOP)
    inner = result_def(LOOP)
    assembly_format = "$loop (`factor` $factor^)? (`nparts` $nparts^)? (`tail` $tail^)? attr-dict"

    def verify_(self) -> None:
        if (self.factor is None) == (self.nparts is None):
            raise VerifyException("split takes either a factor or nparts")
        if self.tail.data not in [tail.value for tail in Tail]:
            raise VerifyException(f"unknown tail strategy '{self.tail.data}'; it is one of error, guard, peel")

    @property
    def tail_strategy(self) -> Tail:
        return Tail(self.tail.data)


@irdl_op_definition
class FuseOp(DirectiveOp):
    """Fuse perfectly nested loops, outermost first, into one."""

    name = "schedule.fuse"
    loops = var_operand_def(LOOP)
    fused = result_def(LOOP)
    assembly_format = "$loops attr-dict"


@irdl_op_definition
class ReorderOp(DirectiveOp):
    """Put loops of one nest in the order given; other loops keep their places."""

    name = "schedule.reorder"
    loops = var_operand_def(LOOP)
    assembly_format = "$loops attr-dict"


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


def _verify_scope(scope: str) -> None:
    if problem := scope_problem(scope):
        raise VerifyException(problem)


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
class BindOp(DirectiveOp):
    """Run a loop's iterations side by side: as virtual threads or on a GPU index."""

    name = "schedule.bind"
    loop = operand_def(LOOP)
    thread = prop_def(StringAttr)
    assembly_format = "$loop `,` $thread attr-dict"

    def verify_(self) -> None:
        kinds = [kind.value for kind in LoopKind if kind.is_bound]
        if self.thread.data not in kinds:
            virtual = "; TVM's virtual threads are cthread here" if self.thread.data.startswith("vthread") else ""
            found = f"unknown thread '{self.thread.data}'"
            raise VerifyException(f"{found}; a loop binds to one of {', '.join(kinds)}{virtual}")


@irdl_op_definition
class VectorizeOp(DirectiveOp):
    """Run a loop's iterations as one vector operation."""

    name = "schedule.vectorize"
    loop = operand_def(LOOP)
    assembly_format = "$loop attr-dict"


@irdl_op_definition
class UnrollOp(DirectiveOp):
    """Repeat a loop's body instead of looping."""

    name = "schedule.unroll"
    loop = operand_def(LOOP)
    assembly_format = "$loop attr-dict"


@irdl_op_definition
class DecomposeReductionOp(DirectiveOp):
    """Split a reduction's initialisation off into a block of its own, before a loop."""

    name = "schedule.decompose_reduction"
    block = operand_def(BLOCK)
    loop = operand_def(LOOP)
    init = result_def(BLOCK)
    assembly_format = "$block `,` $loop attr-dict"


@irdl_op_definition
class TensorizeOp(DirectiveOp):
    """Compute a loop and all it holds by one hardware intrinsic."""

    name = "schedule.tensorize"
    loop = operand_def(LOOP)
    intrinsic = prop_def(StringAttr)
    assembly_format = "$loop `,` $intrinsic attr-dict"


@irdl_op_definition
class DmaCopyOp(DirectiveOp):
    """Move what a loop copies by the DMA engine."""

    name = "schedule.dma_copy"
    loop = operand_def(LOOP)
    assembly_format = "$loop attr-dict"


@irdl_op_definition
class AluOp(DirectiveOp):
    """Compute a loop's elementwise block on the vector ALU."""

    name = "schedule.alu"
    loop = operand_def(LOOP)
    assembly_format = "$loop attr-dict"


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
class RotateOp(DirectiveOp):
    """Start a loop `step` iterations later, modulo its extent, for each iteration of an outer loop."""

    name = "schedule.rotate"
    loop = operand_def(LOOP)
    outer = operand_def(LOOP)
    step = prop_def(I64)
    assembly_format = "$loop `,` $outer `,` $step attr-dict"


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
