"""convert-linalg-to-schedule: linalg on tensors or memrefs -> loop nests over blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, memref, tensor
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    TensorType,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.passes import ModulePass

from vtac.analysis.accesses import rebind
from vtac.analysis.constant_fills import fold_constant_fills
from vtac.analysis.layout_accesses import fills, inside_guards
from vtac.analysis.linear import Linear
from vtac.analysis.locations import location_of
from vtac.analysis.nest import shape_of
from vtac.analysis.tensor_views import View, view_of
from vtac.dialects.packing import PackOp, UnpackOp
from vtac.dialects.schedule.attributes import AccessAttr, Number
from vtac.dialects.schedule.payload import BlockOp
from vtac.errors import CompileError
from vtac.rewriting.linalg_bodies import clone_body, inline_scalar
from vtac.rewriting.linalg_statements import (
    Statement,
    broadcast_indices,
    copy_statement,
    iteration_domain,
    layout_statement,
    pad_statement,
)
from vtac.rewriting.payload_arguments import PayloadArguments, as_memref


@dataclass(frozen=True)
class ConvertLinalgToSchedule(ModulePass):
    """Give every linalg op a loop nest of its own over one block.

    requires: functions of one region on static shapes; linalg ops with one result.
    ensures:  functions on memrefs without results (each result becomes a last argument
              marked `schedule.result`), loops in the order of the op's iterators, a
              reduction over a constant fill turned into the block's `init`, one that goes on
              from a value that nothing else reads an update of its buffer; each dense constant that is
              read a last argument with its contents, `schedule.constant`.
    declines: any other op, dynamic shapes, several results, non-constant padding.
    """

    name = "convert-linalg-to-schedule"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks and _needs_conversion(function):
                _FunctionBuilder(function).convert()


def _needs_conversion(function: FuncOp) -> bool:
    return any(_is_linalg_level(op) for op in function.body.block.ops)


def _is_linalg_level(op: Operation) -> bool:
    return isinstance(op, LinalgStructuredOperation | tensor.PadOp | PackOp | UnpackOp) or bool(
        isinstance(op, ReturnOp) and op.operands
    )


class _FunctionBuilder:
    def __init__(self, function: FuncOp) -> None:
        self.function = function
        self.old = function.body.block
        self.new = Block()
        self.arguments = PayloadArguments(self.new, function)
        self.buffers: dict[SSAValue, SSAValue] = {}
        self.views: dict[SSAValue, View] = {}
        self.constants: dict[SSAValue, Attribute] = {}
        self.names: set[str] = set()

    def convert(self) -> None:
        results = self._convert_arguments()
        for op in self.old.ops:
            self._convert_op(op)
        self._copy_returned_buffers(results)
        self.arguments.describe()
        self.new.add_op(ReturnOp())
        fold_constant_fills(self.new)
        self.function.body.detach_block(self.old)
        self.old.erase(safe_erase=False)
        self.function.body.add_block(self.new)

    def _convert_arguments(self) -> list[tuple[SSAValue, BlockArgument]]:
        """Arguments as memrefs, then one per result; which value each result takes."""
        for argument in self.old.args:
            self.buffers[argument] = self.arguments.add_given(argument)
        returned = self.old.last_op
        results: list[tuple[SSAValue, BlockArgument]] = []
        for value in returned.operands if isinstance(returned, ReturnOp) else ():
            buffer = self.arguments.add_result(value)
            if value not in self.buffers and _is_computed(value):
                self.buffers[value] = buffer
            results.append((value, buffer))
        return results

    def _convert_op(self, op: Operation) -> None:
        if isinstance(op, arith.ConstantOp):
            self.constants[op.result] = op.value
        elif isinstance(op, tensor.ExtractSliceOp):
            self.views[op.result] = view_of(op)
        elif isinstance(op, tensor.PadOp):
            statement = pad_statement(op, self._buffer(op.source, op), self.constants)
            self._emit(op, statement, self._result_buffer(op.result))
        elif isinstance(op, BroadcastOp) and op.result:
            output = self._result_buffer(op.result[0])
            indices = broadcast_indices(op, len(shape_of(output)))
            self._emit(op, copy_statement(self._buffer(op.input, op), output, indices), output)
        elif isinstance(op, PackOp | UnpackOp):
            self._change_layout(op)
        elif isinstance(op, memref.AllocOp):
            clone = op.clone()
            self.new.add_op(clone)
            self.buffers[op.memref] = clone.memref
        elif isinstance(op, LinalgStructuredOperation):
            self._convert_structured(op)
        elif not isinstance(op, ReturnOp | tensor.EmptyOp):
            raise CompileError(
                f"convert-linalg-to-schedule: op '{op.name}' is not supported; it takes linalg ops, tensor.pad, "
                "tensor.extract_slice, packing.pack, packing.unpack, tensor.empty, memref.alloc, arith.constant and "
                "func.return: rewrite it as one of these",
                location_of(op),
            )

    def _convert_structured(self, op: LinalgStructuredOperation) -> None:
        if isinstance(op, FillOp) and op.res and self._constant_fill(op) is not None:
            return  # materialised where it is read; a reduction takes it as its init
        if len(op.outputs) != 1:
            raise CompileError(
                f"{op.name}: {len(op.outputs)} outputs; one is required: write one op per output", location_of(op)
            )
        destination = op.outputs[0]
        updates = self._updates(op)
        output = self._result_buffer(op.res[0]) if op.res and not updates else self._buffer(destination, op)
        statement = self._statement(op, output)
        if updates:
            self.buffers[op.res[0]] = output
            self._emit(op, statement, output, op.res[0].name_hint)
            return
        reads_destination = bool(op.body.block.args[-1].uses)
        if op.res and reads_destination and not self._starts_from_fill(destination, statement):
            self._carry_in(op, destination, output, statement)
        self._emit(op, statement, output)

    def _updates(self, op: LinalgStructuredOperation) -> bool:
        """A reduction that goes on from a value that nothing else reads: it works in that value's buffer."""
        if not op.res or op.res[0] in self.buffers or not op.body.block.args[-1].uses:
            return False
        destination = op.outputs[0]
        is_reduction = any(kind.data is IteratorType.REDUCTION for kind in op.get_iterator_types())
        if not is_reduction or not _is_computed(destination) or destination.uses.get_length() > 1:
            return False
        return isinstance(self._buffer(destination, op).owner, memref.AllocOp)

    def _statement(self, op: LinalgStructuredOperation, output: SSAValue) -> Statement:
        domain = iteration_domain(op)
        maps = [attr.data for attr in op.get_indexing_maps()]
        body = clone_body(op, self.constants)
        inputs: list[SSAValue] = []
        accesses: list[AccessAttr] = []
        for position in reversed(range(len(op.inputs))):
            value = op.inputs[position]
            if isinstance(value.type, TensorType | MemRefType):
                source, indices = self._viewed(value, maps[position])
                inputs.insert(0, self._buffer(source, op))
                accesses.insert(0, AccessAttr.get(indices))
            else:
                inline_scalar(body, position, value, self.constants, op)
        statement = Statement(domain, inputs, [*accesses, AccessAttr.get(maps[-1])], body)
        if not statement.reduces:
            _read_output(statement, output)
        return statement

    def _viewed(self, value: SSAValue, indices: AffineMap) -> tuple[SSAValue, AffineMap]:
        """What a slice is taken from, and where there its elements lie."""
        while (view := self.views.get(value)) is not None:
            value, indices = view.source, view.through(indices)
        return value, indices

    def _change_layout(self, op: PackOp | UnpackOp) -> None:
        """A copy, with a guard where tiles are incomplete."""
        source, output = self._buffer(op.source, op), self._result_buffer(op.result)
        block = self._emit(op, layout_statement(op, source), output)
        if isinstance(op, UnpackOp) and fills(op):
            loops = [Linear.variable(loop) for loop in block.loops]
            rebind(block, loops, inside_guards(op, loops))

    def _constant_fill(self, op: FillOp) -> Number | None:
        value = self.constants.get(op.inputs[0])
        return cast(Number, value) if isinstance(value, IntegerAttr | FloatAttr) else None

    def _starts_from_fill(self, destination: SSAValue, statement: Statement) -> bool:
        fill = destination.owner
        if not isinstance(fill, FillOp) or not statement.reduces:
            return False
        statement.init = self._constant_fill(fill)
        return statement.init is not None

    def _carry_in(self, op: Operation, destination: SSAValue, output: SSAValue, statement: Statement) -> None:
        """A destination whose old value counts is copied to where the op writes."""
        if isinstance(destination.owner, tensor.EmptyOp):
            raise CompileError(
                f"{op.name}: its body reads the output, which tensor.empty leaves undefined: fill it first",
                location_of(op),
            )
        source = self._buffer(destination, op)
        if source is not output:
            self._emit(op, copy_statement(source, output), output, f"{output.name_hint or 'out'}_init")

    def _copy_slice(self, value: SSAValue, op: Operation) -> None:
        """A slice that is not only read by linalg operations has a buffer of its own."""
        output = self._result_buffer(cast(OpResult, value))
        source, indices = self._viewed(value, AffineMap.identity(len(shape_of(output))))
        statement = copy_statement(self._buffer(source, op), output, indices)
        self._emit(op, statement, output, output.name_hint or "slice")

    def _copy_returned_buffers(self, results: list[tuple[SSAValue, BlockArgument]]) -> None:
        for value, buffer in results:
            source = self._buffer(value, self.function)
            if source is not buffer:
                self._emit(self.function, copy_statement(source, buffer), buffer, buffer.name_hint or "result")

    def _buffer(self, value: SSAValue, op: Operation) -> SSAValue:
        fill = value.owner
        dense = self.constants.get(value)
        if value not in self.buffers and isinstance(dense, DenseIntOrFPElementsAttr):
            contents = cast("DenseIntOrFPElementsAttr", dense)
            self.buffers[value] = self.arguments.add_constant(value.type, contents, value.name_hint)
        if value not in self.buffers and isinstance(fill, FillOp):
            output = self._result_buffer(fill.res[0])
            self._emit(fill, self._statement(fill, output), output)
        if value not in self.buffers and value in self.views:
            self._copy_slice(value, op)
        if value not in self.buffers:
            raise CompileError(
                f"{op.name}: operand {value.name_hint or ''} has no contents here: it is not a function argument, "
                "a linalg result, a padded tensor or an allocation",
                location_of(op),
            )
        return self.buffers[value]

    def _result_buffer(self, result: OpResult) -> SSAValue:
        if result not in self.buffers:
            kind = as_memref(result.type, result.owner)
            allocation = memref.AllocOp([], [], kind)
            allocation.memref.name_hint = result.name_hint
            allocation.location = result.owner.location
            self.new.add_op(allocation)
            self.buffers[result] = allocation.memref
        return self.buffers[result]

    def _emit(self, op: Operation, statement: Statement, output: SSAValue, name: str | None = None) -> BlockOp:
        unique = self._unique(name or output.name_hint or op.name.split(".")[-1])
        return statement.append_to(self.new, unique, output, op)

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self.names:
            candidate, count = f"{name}_{count}", count + 1
        self.names.add(candidate)
        return candidate


def _read_output(statement: Statement, output: SSAValue) -> None:
    """An elementwise body's last argument is another input, where the body reads it."""
    accumulator = statement.body.block.args[-1]
    if accumulator.uses:
        statement.inputs.append(output)
        statement.accesses.insert(-1, statement.accesses[-1])
    else:
        statement.body.block.erase_arg(accumulator)


def _is_computed(value: SSAValue) -> bool:
    owner = value.owner
    computed = LinalgStructuredOperation | BroadcastOp | tensor.PadOp | PackOp | UnpackOp
    return isinstance(owner, computed) and not isinstance(owner, FillOp)
