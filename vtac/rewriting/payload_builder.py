"""A function on tensors on its way to buffers: which buffer a tensor has, and nests that compute into it."""

from __future__ import annotations

from typing import cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr, MemRefType, NameLoc, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import FillOp
from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import shape_of
from vtac.analysis.operations.computations import is_computation
from vtac.analysis.operations.tensor_views import view_of
from vtac.dialects.schedule.attributes import AccessAttr, Number
from vtac.dialects.schedule.declared import LOOPS, NAME
from vtac.dialects.schedule.payload import BlockOp
from vtac.errors import CompileError
from vtac.rewriting.linalg_bodies import Constants, clone_body, inline_scalar
from vtac.rewriting.linalg_statements import Statement, copy_statement, iteration_domain
from vtac.rewriting.made_operations import allocated
from vtac.rewriting.payload_arguments import PayloadArguments, as_memref


def is_computed(value: SSAValue) -> bool:
    """Whether an op computes a tensor as a whole: no fill, slice, constant, empty tensor or argument."""
    return isinstance(value.owner, Operation) and is_computation(value.owner)


def stated_name(op: Operation) -> str | None:
    """What an operation is called: its `schedule.name`, else a named location."""
    return NAME.get(op) or (op.location.desc.data if isinstance(op.location, NameLoc) else None)


class PayloadBuilder:
    """What patterns that convert the operations of one function, in program order, share.

    The result of a converted operation is its buffer, and whoever reads it finds the buffer as
    an operand. Constants, constant fills and slices get a buffer only where something reads
    them as a whole (`buffer_of`): a reduction takes a fill as its init, a linalg operation
    reads a slice where it is taken from.
    """

    def __init__(self, function: FuncOp) -> None:
        """Turns the function's arguments into buffers, and adds one for each result that it returns."""
        body = function.body.block
        self.function = function
        self.constants: Constants = {op.result: op.value for op in body.ops if isinstance(op, arith.ConstantOp)}
        self.results: list[BlockArgument] = []
        self.destinations: dict[SSAValue, SSAValue] = {}
        self._arguments = PayloadArguments(body, function)
        self._held: dict[SSAValue, SSAValue] = {}
        self._names: set[str] = set()
        given = list(body.args)
        for old in given:
            old.replace_all_uses_with(self._arguments.add_given(old))
        for value in body.last_op.operands if isinstance(body.last_op, ReturnOp) else ():
            buffer = self._arguments.add_result(value)
            self.results.append(buffer)
            if is_computed(value):
                self.destinations.setdefault(value, buffer)
        for old in reversed(given):
            body.erase_arg(old)

    def describe(self) -> None:
        """Give the function the type that its arguments have now, and no results."""
        self._arguments.describe()

    def buffer_of(self, value: SSAValue, reader: Operation, rewriter: PatternRewriter) -> SSAValue:
        """The buffer of a value for an op that reads it. Raises `CompileError` for a value without contents."""
        if isinstance(value.type, MemRefType):
            return value
        if value not in self._held:
            buffer = self._materialise(value, reader, rewriter)
            if buffer is None:
                raise CompileError(
                    f"{reader.name}: operand {value.name_hint or ''} has no contents here: it is not a function "
                    "argument, a linalg result, a padded tensor or an allocation",
                    location_of(reader),
                )
            self._held[value] = buffer
        return self._held[value]

    def _materialise(self, value: SSAValue, reader: Operation, rewriter: PatternRewriter) -> SSAValue | None:
        dense, owner = self.constants.get(value), value.owner
        if isinstance(dense, DenseIntOrFPElementsAttr):
            contents = cast("DenseIntOrFPElementsAttr", dense)
            return self._arguments.add_constant(value.type, contents, value.name_hint)
        if isinstance(owner, FillOp):
            output = self.result_buffer(owner.res[0], reader, rewriter)
            self.emit_op(owner, self.statement(owner, output, reader, rewriter), output, reader, rewriter)
            return output
        if isinstance(owner, tensor.ExtractSliceOp):
            output = self.result_buffer(owner.result, reader, rewriter)
            source, indices = self._viewed(value, AffineMap.identity(len(shape_of(output))))
            statement = copy_statement(self.buffer_of(source, reader, rewriter), output, indices)
            self.emit(reader, statement, output, reader, rewriter, output.name_hint or "slice")
            return output
        return None

    def result_buffer(self, result: OpResult, before: Operation, rewriter: PatternRewriter) -> SSAValue:
        """Where a result goes: the argument of the function that it is returned in, else a new allocation."""
        if result in self.destinations:
            return self.destinations[result]
        allocation = allocated(as_memref(result.type, result.owner))
        allocation.memref.name_hint = result.name_hint
        NAME.copy(result.owner, allocation)
        allocation.location = result.owner.location
        rewriter.insert(allocation, InsertPoint.before(before))
        return allocation.memref

    def emit_op(
        self,
        op: Operation,
        statement: Statement,
        output: SSAValue,
        before: Operation,
        rewriter: PatternRewriter,
        name: str | None = None,
    ) -> BlockOp:
        """Put all that an operation computes into a nest, under the names that the operation states."""
        statement.source, statement.loops = op.name, LOOPS.get(op) or ()
        return self.emit(op, statement, output, before, rewriter, stated_name(op) or name)

    def emit(
        self,
        like: Operation,
        statement: Statement,
        output: SSAValue,
        before: Operation,
        rewriter: PatternRewriter,
        name: str | None = None,
    ) -> BlockOp:
        """Put a statement into a nest of its own, located like one op, in front of another."""
        unique = self._unique(name or output.name_hint or like.name.split(".")[-1])
        nest, block = statement.build(unique, output, like)
        rewriter.insert(nest, InsertPoint.before(before))
        return block

    def statement(
        self, op: LinalgStructuredOperation, output: SSAValue, reader: Operation, rewriter: PatternRewriter
    ) -> Statement:
        """What a linalg op computes into an output; what it reads is materialised in front of the reader."""
        domain = iteration_domain(op)
        maps = [attr.data for attr in op.get_indexing_maps()]
        body = clone_body(op, self.constants)
        inputs: list[SSAValue] = []
        accesses: list[AccessAttr] = []
        for position, value in reversed(list(enumerate(op.inputs))):
            argument = body.block.args[position]
            if isinstance(value.owner, tensor.EmptyOp) and not argument.uses:
                body.block.erase_arg(argument)  # a window, of which the shape alone counts
            elif isinstance(value.type, TensorType | MemRefType):
                source, indices = self._viewed(value, maps[position])
                inputs.insert(0, self.buffer_of(source, reader, rewriter))
                accesses.insert(0, AccessAttr.get(indices))
            else:
                inline_scalar(body, position, value, self.constants, op)
        statement = Statement(domain, inputs, [*accesses, AccessAttr.get(maps[-1])], body)
        if not statement.reduces:
            statement.read_output(output)
        return statement

    def constant_fill(self, op: Operation) -> Number | None:
        """The constant that a fill of a tensor stores everywhere; None for any other op."""
        value = self.constants.get(op.inputs[0]) if isinstance(op, FillOp) and op.res else None
        return cast(Number, value) if isinstance(value, IntegerAttr | FloatAttr) else None

    def _viewed(self, value: SSAValue, indices: AffineMap) -> tuple[SSAValue, AffineMap]:
        """What a slice is taken from, and where there its elements lie."""
        while isinstance(value.owner, tensor.ExtractSliceOp):
            view = view_of(value.owner)
            value, indices = view.source, view.through(indices)
        return value, indices

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self._names:
            candidate, count = f"{name}_{count}", count + 1
        self._names.add(candidate)
        return candidate
