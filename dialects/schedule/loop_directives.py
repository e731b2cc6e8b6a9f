"""Directives on loops: their extents, their order, and the hardware that runs them."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def, var_operand_def
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.schedule.attributes import LoopKind, Tail
from vtac.dialects.schedule.script import I64, LOOP, DirectiveOp


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
class RotateOp(DirectiveOp):
    """Start a loop `step` iterations later, modulo its extent, for each iteration of an outer loop."""

    name = "schedule.rotate"
    loop = operand_def(LOOP)
    outer = operand_def(LOOP)
    step = prop_def(I64)
    assembly_format = "$loop `,` $outer `,` $step attr-dict"


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
