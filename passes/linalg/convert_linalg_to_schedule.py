"""convert-linalg-to-schedule: linalg on tensors or memrefs -> loop nests over blocks."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, memref, tensor
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.branches import refuse_branches
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.layout_accesses import fills, inside_guards
from vtac.analysis.nests.nest import shape_of
from vtac.analysis.operations.tensor_views import view_of
from vtac.dialects.packing.layout import PackOp, UnpackOp
from vtac.errors import CompileError
from vtac.passes.linalg.normalize_linalg import ReduceAsGeneric
from vtac.rewriting.block_edits import rebind
from vtac.rewriting.constant_fills import FoldConstantFill
from vtac.rewriting.linalg_statements import (
    Statement,
    broadcast_indices,
    copy_statement,
    layout_statement,
    pad_statement,
)
from vtac.rewriting.payload_builder import PayloadBuilder, is_computed, stated_name
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once

_VALUES = (arith.ConstantOp, tensor.EmptyOp, tensor.ExtractSliceOp, FillOp)
"""Ops that compute nothing of their own where they stand: what reads them does."""


@dataclass
class ConvertPad(RewritePattern):
    """tensor.pad: a copy that reads the pad value outside of its source."""

    builder: PayloadBuilder

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.PadOp, rewriter: PatternRewriter) -> None:
        builder = self.builder
        statement = pad_statement(op, builder.buffer_of(op.source, op, rewriter), builder.constants)
        output = builder.result_buffer(op.result, op, rewriter)
        builder.emit_op(op, statement, output, op, rewriter)
        rewriter.replace(op, [], [output])


@dataclass
class ConvertBroadcast(RewritePattern):
    """linalg.broadcast of tensors: a copy that leaves the added dimensions out."""

    builder: PayloadBuilder

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BroadcastOp, rewriter: PatternRewriter) -> None:
        if not op.result:
            return
        builder = self.builder
        output = builder.result_buffer(op.result[0], op, rewriter)
        indices = broadcast_indices(op, len(shape_of(output)))
        statement = copy_statement(builder.buffer_of(op.input, op, rewriter), output, indices)
        builder.emit_op(op, statement, output, op, rewriter)
        rewriter.replace(op, [], [output])


@dataclass
class ConvertLayout(RewritePattern):
    """packing.pack and packing.unpack: a copy, with a guard where tiles are incomplete."""

    builder: PayloadBuilder

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp | UnpackOp, rewriter: PatternRewriter) -> None:
        builder = self.builder
        source = builder.buffer_of(op.source, op, rewriter)
        output = builder.result_buffer(op.result, op, rewriter)
        block = builder.emit_op(op, layout_statement(op, source), output, op, rewriter)
        if isinstance(op, UnpackOp) and fills(op):
            loops = [Linear.variable(loop) for loop in block.loops]
            rebind(block, loops, inside_guards(op, loops))
        rewriter.replace(op, [], [output])


@dataclass
class ConvertStructured(RewritePattern):
    """One linalg operation; a constant fill of a tensor waits for what reads it."""

    builder: PayloadBuilder
    updates: frozenset[Operation]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        builder = self.builder
        if builder.constant_fill(op) is not None:
            return
        outputs, results = op.outputs, op.results
        if len(outputs) != 1:
            raise CompileError(
                f"{op.name}: {len(outputs)} outputs; one is required: write one op per output", location_of(op)
            )
        destination, name = outputs[0], None
        if not results:
            output = builder.buffer_of(destination, op, rewriter)
        elif self._works_in(op, destination):
            output, name = destination, results[0].name_hint
        else:
            output = builder.result_buffer(results[0], op, rewriter)
        statement = builder.statement(op, output, op, rewriter)
        if output is not destination and op.body.block.args[-1].uses:
            self._start(op, destination, output, statement, rewriter)
        builder.emit_op(op, statement, output, op, rewriter, name)
        rewriter.replace(op, [], [output] if results else [])

    def _works_in(self, op: LinalgStructuredOperation, destination: SSAValue) -> bool:
        """Whether a reduction goes on in the buffer of the value that it goes on from."""
        return (
            op in self.updates
            and op.res[0] not in self.builder.destinations
            and isinstance(destination.owner, memref.AllocOp)
        )

    def _start(
        self,
        op: LinalgStructuredOperation,
        destination: SSAValue,
        output: SSAValue,
        statement: Statement,
        rewriter: PatternRewriter,
    ) -> None:
        """A destination whose old value counts: a fill is a reduction's init, else it is copied to the output."""
        owner = destination.owner
        if statement.reduces and isinstance(owner, Operation):
            statement.init = self.builder.constant_fill(owner)
        if statement.init is not None:
            return
        if isinstance(owner, tensor.EmptyOp):
            raise CompileError(
                f"{op.name}: its body reads the output, which tensor.empty leaves undefined: fill it first",
                location_of(op),
            )
        source = self.builder.buffer_of(destination, op, rewriter)
        name = f"{stated_name(op) or output.name_hint or 'out'}_init"
        self.builder.emit(op, copy_statement(source, output), output, op, rewriter, name)


@dataclass
class ConvertReturn(RewritePattern):
    """func.return: what no op has computed into its argument is copied there."""

    builder: PayloadBuilder

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReturnOp, rewriter: PatternRewriter) -> None:
        function = self.builder.function
        for value, buffer in zip(op.operands, self.builder.results, strict=True):
            source = self.builder.buffer_of(value, op, rewriter)
            if source is not buffer:
                statement = copy_statement(source, buffer)
                self.builder.emit(function, statement, buffer, op, rewriter, buffer.name_hint or "result")
        rewriter.replace(op, ReturnOp())


@dataclass
class RefuseOthers(RewritePattern):
    """Every op of the function that is none of those above, and slices that are no plain views."""

    function: FuncOp

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if isinstance(op, tensor.ExtractSliceOp):
            view_of(op)
        if op.parent is self.function.body.block and not isinstance(op, (*_VALUES, memref.AllocOp, ReturnOp)):
            raise CompileError(
                f"convert-linalg-to-schedule: op '{op.name}' is not supported; it takes linalg ops, tensor.pad, "
                "tensor.extract_slice, packing.pack, packing.unpack, tensor.empty, memref.alloc, arith.constant and "
                "func.return: rewrite it as one of these",
                location_of(op),
            )


def _updates(function: FuncOp) -> frozenset[Operation]:
    """Reductions that go on from what another op has computed and nothing else reads."""
    return frozenset(
        op
        for op in function.body.block.ops
        if isinstance(op, LinalgStructuredOperation)
        and op.res
        and op.body.block.args[-1].uses
        and any(kind.data is IteratorType.REDUCTION for kind in op.get_iterator_types())
        and is_computed(op.outputs[0])
        and op.outputs[0].uses.get_length() == 1
    )


def _needs_conversion(function: FuncOp) -> bool:
    return any(
        isinstance(op, LinalgStructuredOperation | tensor.PadOp | PackOp | UnpackOp)
        or (isinstance(op, ReturnOp) and bool(op.operands))
        for op in function.body.block.ops
    )


def _convert(function: FuncOp) -> None:
    rewrite_once(function, ReduceAsGeneric())
    updates, builder = _updates(function), PayloadBuilder(function)
    rewrite_once(
        function,
        ConvertPad(builder),
        ConvertBroadcast(builder),
        ConvertLayout(builder),
        ConvertStructured(builder, updates),
        ConvertReturn(builder),
        RefuseOthers(function),
    )
    rewrite_once(function, DropUnread(_VALUES), FoldConstantFill(), backwards=True)
    builder.describe()


@dataclass(frozen=True)
class ConvertLinalgToSchedule(ModulePass):
    """Give every linalg op a loop nest of its own over one block.

    requires: functions of one region on static shapes; linalg ops with one result.
    ensures:  functions on memrefs without results (each result becomes a last argument
              marked `schedule.result`), loops in the order of the op's iterators, a
              reduction over a constant fill turned into the block's `init`, one that goes on
              from a value that nothing else reads an update of its buffer; blocks called by the op's
              `schedule.name`, a named location, or the SSA name of what they compute; each dense constant that is
              read a last argument with its contents, `schedule.constant`.
    declines: branches, any other op, dynamic shapes, several results, non-constant padding.
    """

    name = "convert-linalg-to-schedule"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        refuse_branches(op)
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks and _needs_conversion(function):
                _convert(function)
