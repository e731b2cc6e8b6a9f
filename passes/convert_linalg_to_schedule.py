"""convert-linalg-to-schedule: linalg on tensors or memrefs -> loop nests over blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, memref, tensor
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    FloatAttr,
    FunctionType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    TensorType,
    UnitAttr,
    i32,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import FillOp, IndexOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass

from vtac.dialects.diagnostics import CompileError
from vtac.dialects.packing import PackOp, UnpackOp
from vtac.dialects.schedule.attributes import AccessAttr, IterationVariable, Number
from vtac.dialects.schedule.payload import BlockOp, ForOp, YieldOp
from vtac.passes.analysis.accesses import rebind
from vtac.passes.analysis.linear import Linear
from vtac.passes.analysis.locations import location_of
from vtac.passes.analysis.nest import element_type_of
from vtac.passes.constant_fills import fold_constant_fills
from vtac.passes.layout_accesses import fills, inside_guards, plain_indices, zero_of
from vtac.passes.tensor_views import View, view_of

RESULT = "schedule.result"
"""Argument attribute of the buffers that stand for a function's tensor results."""

CONSTANT = "schedule.constant"
"""Argument attribute that holds the contents of a buffer that no caller passes."""


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


@dataclass
class _Statement:
    """What one linalg op computes, before it has loops."""

    domain: tuple[IterationVariable, ...]
    inputs: list[SSAValue]
    accesses: list[AccessAttr]
    body: Region
    init: Number | None = None


class _FunctionBuilder:
    def __init__(self, function: FuncOp) -> None:
        self.function = function
        self.old = function.body.block
        self.new = Block()
        self.buffers: dict[SSAValue, SSAValue] = {}
        self.views: dict[SSAValue, View] = {}
        self.constants: dict[SSAValue, Attribute] = {}
        self.dense: list[Attribute] = []
        self.names: set[str] = set()

    def convert(self) -> None:
        results = self._convert_arguments()
        for op in self.old.ops:
            self._convert_op(op)
        self._copy_returned_buffers(results)
        self._mark_constants()
        self.new.add_op(ReturnOp())
        fold_constant_fills(self.new)
        self.function.body.detach_block(self.old)
        self.old.erase(safe_erase=False)
        self.function.body.add_block(self.new)

    def _convert_arguments(self) -> list[tuple[SSAValue, BlockArgument]]:
        """Arguments as memrefs, then one per result; which value each result takes."""
        for argument in self.old.args:
            self.buffers[argument] = self._new_argument(_as_memref(argument.type, self.function), argument)
        returned = self.old.last_op
        results: list[tuple[SSAValue, BlockArgument]] = []
        for value in returned.operands if isinstance(returned, ReturnOp) else ():
            buffer = self._new_argument(_as_memref(value.type, self.function), value)
            if value not in self.buffers and _is_computed(value):
                self.buffers[value] = buffer
            results.append((value, buffer))
        old = self.function.arg_attrs.data if self.function.arg_attrs else (DictionaryAttr({}),) * len(self.old.args)
        marked = (DictionaryAttr({RESULT: UnitAttr()}),) * len(results)
        if results or self.function.arg_attrs:
            self.function.arg_attrs = ArrayAttr([*old, *marked])
        self.function.res_attrs = None
        self.function.function_type = FunctionType.from_lists([a.type for a in self.new.args], [])
        return results

    def _mark_constants(self) -> None:
        """Dense constants are the last arguments, with their contents as attributes."""
        if self.dense:
            known = self.function.arg_attrs.data if self.function.arg_attrs else ()
            others = (DictionaryAttr({}),) * (len(self.new.args) - len(known) - len(self.dense))
            marked = (DictionaryAttr({CONSTANT: contents}) for contents in self.dense)
            self.function.arg_attrs = ArrayAttr([*known, *others, *marked])
            self.function.function_type = FunctionType.from_lists([a.type for a in self.new.args], [])

    def _new_argument(self, kind: Attribute, like: SSAValue) -> BlockArgument:
        argument = self.new.insert_arg(kind, len(self.new.args))
        argument.name_hint = like.name_hint
        if isinstance(like, BlockArgument):
            argument.location = like.location
        return argument

    def _convert_op(self, op: Operation) -> None:
        if isinstance(op, arith.ConstantOp):
            self.constants[op.result] = op.value
        elif isinstance(op, tensor.ExtractSliceOp):
            self.views[op.result] = view_of(op)
        elif isinstance(op, tensor.PadOp):
            self._emit(op, self._pad(op), self._result_buffer(op.result))
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

    def _statement(self, op: LinalgStructuredOperation, output: SSAValue) -> _Statement:
        try:
            extents = op.get_static_loop_ranges()
        except NotImplementedError:
            raise CompileError(
                f"{op.name}: the loop extents do not follow from the operand shapes: every iterator must be the whole "
                "index of some operand's dimension",
                location_of(op),
            ) from None
        if any(extent < 1 for extent in extents):
            raise CompileError(f"{op.name}: dynamic or empty shapes; static ones are required", location_of(op))
        kinds = [kind.data is IteratorType.REDUCTION for kind in op.get_iterator_types()]
        domain = tuple(IterationVariable(n, r) for n, r in zip(extents, kinds, strict=True))
        maps = [attr.data for attr in op.get_indexing_maps()]
        body = self._clone_body(op)
        inputs: list[SSAValue] = []
        accesses: list[AccessAttr] = []
        for position in reversed(range(len(op.inputs))):
            value = op.inputs[position]
            if isinstance(value.type, TensorType | MemRefType):
                source, indices = self._viewed(value, maps[position])
                inputs.insert(0, self._buffer(source, op))
                accesses.insert(0, AccessAttr.get(indices))
            else:
                self._inline_scalar(body, position, value, op)
        accumulator = body.block.args[-1]
        if not any(kinds):
            if accumulator.uses:
                inputs.append(output)
                accesses.append(AccessAttr.get(maps[-1]))
            else:
                body.block.erase_arg(accumulator)
        return _Statement(domain, inputs, [*accesses, AccessAttr.get(maps[-1])], body)

    def _viewed(self, value: SSAValue, indices: AffineMap) -> tuple[SSAValue, AffineMap]:
        """What a slice is taken from, and where there its elements lie."""
        while (view := self.views.get(value)) is not None:
            value, indices = view.source, view.through(indices)
        return value, indices

    def _clone_body(self, op: LinalgStructuredOperation) -> Region:
        body = Region()
        op.body.clone_into(body)
        block = body.block
        for inner in list(block.ops):
            if isinstance(inner, IndexOp):
                raise CompileError(
                    "linalg.index in a body is not supported: use tensor.pad for padding", location_of(op)
                )
            self._localise_constants(inner, block)
        last = block.last_op
        if last is None:
            raise CompileError(f"{op.name}: an empty body", location_of(op))
        block.insert_op_before(YieldOp(operands=[last.operands[0]]), last)
        last.detach()
        last.erase()
        return body

    def _localise_constants(self, inner: Operation, block: Block) -> None:
        """Constants defined outside a body move into it."""
        for position, operand in enumerate(inner.operands):
            if operand in self.constants:
                constant = arith.ConstantOp(self.constants[operand])  # pyright: ignore[reportArgumentType]
                constant.result.name_hint = operand.name_hint
                block.insert_op_before(constant, inner)
                inner.operands[position] = constant.result

    def _inline_scalar(self, body: Region, position: int, value: SSAValue, op: Operation) -> None:
        if value not in self.constants:
            raise CompileError(f"{op.name}: a scalar operand must be an arith.constant", location_of(op))
        argument = body.block.args[position]
        constant = arith.ConstantOp(self.constants[value])  # pyright: ignore[reportArgumentType]
        first = body.block.first_op
        body.block.insert_op_before(constant, cast(Operation, first))
        argument.replace_all_uses_with(constant.result)
        body.block.erase_arg(argument)

    def _pad(self, op: tensor.PadOp) -> _Statement:
        low = op.static_low.get_values()
        shape = op.result.type.get_shape()
        yielded = cast(Operation, op.region.block.last_op).operands[0]
        value = yielded.owner.value if isinstance(yielded.owner, arith.ConstantOp) else self.constants.get(yielded)
        if op.low or op.high or not isinstance(value, IntegerAttr | FloatAttr):
            raise CompileError(
                "tensor.pad: constant pad sizes and one constant pad value are required", location_of(op)
            )
        if any(size < 0 for size in (*low, *op.static_high.get_values())):
            raise CompileError("tensor.pad: negative padding is not supported", location_of(op))
        rank = len(shape)
        indices = tuple(
            AffineExpr.dimension(d) - size if size else AffineExpr.dimension(d) for d, size in enumerate(low)
        )
        source = self._buffer(op.source, op)
        body = Region(Block(arg_types=[element_type_of(source)]))
        body.block.add_op(YieldOp(operands=[body.block.args[0]]))
        return _Statement(
            tuple(IterationVariable(extent) for extent in shape),
            [source],
            [
                AccessAttr.get(AffineMap(rank, 0, indices), cast(Number, value)),
                AccessAttr.get(AffineMap.identity(rank)),
            ],
            body,
        )

    def _change_layout(self, op: PackOp | UnpackOp) -> None:
        """A copy that runs over the packed tensor, with zeros or a guard where tiles are incomplete."""
        source, output = self._buffer(op.source, op), self._result_buffer(op.result)
        packs = isinstance(op, PackOp)
        packed = op.result_type if packs else op.source_type
        whole = AccessAttr.get(AffineMap.identity(len(packed.get_shape())))
        plain = AccessAttr.get(plain_indices(op), zero_of(op) if isinstance(op, PackOp) and fills(op) else None)
        body = Region(Block(arg_types=[element_type_of(source)]))
        body.block.add_op(YieldOp(operands=[body.block.args[0]]))
        domain = tuple(IterationVariable(extent) for extent in packed.get_shape())
        accesses = [plain, whole] if packs else [whole, plain]
        block = self._emit(op, _Statement(domain, [source], accesses, body), output)
        if isinstance(op, UnpackOp) and fills(op):
            loops = [Linear.variable(loop) for loop in block.loops]
            rebind(block, loops, inside_guards(op, loops))

    def _constant_fill(self, op: FillOp) -> Number | None:
        value = self.constants.get(op.inputs[0])
        return cast(Number, value) if isinstance(value, IntegerAttr | FloatAttr) else None

    def _starts_from_fill(self, destination: SSAValue, statement: _Statement) -> bool:
        fill = destination.owner
        if not isinstance(fill, FillOp) or not any(variable.reduction for variable in statement.domain):
            return False
        statement.init = self._constant_fill(fill)
        return statement.init is not None

    def _carry_in(self, op: Operation, destination: SSAValue, output: SSAValue, statement: _Statement) -> None:
        """A destination whose old value counts is copied to where the op writes."""
        if isinstance(destination.owner, tensor.EmptyOp):
            raise CompileError(
                f"{op.name}: its body reads the output, which tensor.empty leaves undefined: fill it first",
                location_of(op),
            )
        source = self._buffer(destination, op)
        if source is output:
            return
        self._copy(source, output, f"{output.name_hint or 'out'}_init", op)

    def _copy(
        self, source: SSAValue, target: SSAValue, name: str, op: Operation, indices: AffineMap | None = None
    ) -> None:
        kind = cast(MemRefType, target.type)
        rank = len(kind.get_shape())
        body = Region(Block(arg_types=[kind.element_type]))
        body.block.add_op(YieldOp(operands=[body.block.args[0]]))
        access = AccessAttr.get(AffineMap.identity(rank))
        domain = tuple(IterationVariable(extent) for extent in kind.get_shape())
        read = AccessAttr.get(indices) if indices is not None else access
        self._emit(op, _Statement(domain, [source], [read, access], body), target, name)

    def _copy_slice(self, value: SSAValue, op: Operation) -> None:
        """A slice that is not only read by linalg operations has a buffer of its own."""
        output = self._result_buffer(cast(OpResult, value))
        rank = len(cast(MemRefType, output.type).get_shape())
        source, indices = self._viewed(value, AffineMap.identity(rank))
        self._copy(self._buffer(source, op), output, output.name_hint or "slice", op, indices)

    def _copy_returned_buffers(self, results: list[tuple[SSAValue, BlockArgument]]) -> None:
        for value, buffer in results:
            source = self._buffer(value, self.function)
            if source is not buffer:
                self._copy(source, buffer, buffer.name_hint or "result", self.function)

    def _buffer(self, value: SSAValue, op: Operation) -> SSAValue:
        fill = value.owner
        if value not in self.buffers and isinstance(self.constants.get(value), DenseIntOrFPElementsAttr):
            self.buffers[value] = self._new_argument(_as_memref(value.type, op), value)
            self.dense.append(self.constants[value])
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
            kind = _as_memref(result.type, result.owner)
            allocation = memref.AllocOp([], [], kind)
            allocation.memref.name_hint = result.name_hint
            allocation.location = result.owner.location
            self.new.add_op(allocation)
            self.buffers[result] = allocation.memref
        return self.buffers[result]

    def _emit(self, op: Operation, statement: _Statement, output: SSAValue, name: str | None = None) -> BlockOp:
        block = BlockOp.get(
            self._unique(name or output.name_hint or op.name.split(".")[-1]),
            loops=[],
            inputs=statement.inputs,
            output=output,
            domain=statement.domain,
            bindings=AffineMap.identity(0),
            accesses=statement.accesses,
            body=statement.body,
            init=statement.init,
        )
        nest_around(block, self.new, op)
        return block

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self.names:
            candidate, count = f"{name}_{count}", count + 1
        self.names.add(candidate)
        return candidate


def _is_computed(value: SSAValue) -> bool:
    owner = value.owner
    computed = LinalgStructuredOperation | tensor.PadOp | PackOp | UnpackOp
    return isinstance(owner, computed) and not isinstance(owner, FillOp)


def nest_around(block: BlockOp, into: Block, like: Operation) -> None:
    """Append a fresh nest, one loop per iteration variable, with the block inside."""
    body, loops = into, list[SSAValue]()
    for position, variable in enumerate(block.variables):
        loop = ForOp.get(variable.extent, f"{'r' if variable.reduction else 'i'}{position}")
        loop.location = like.location
        body.add_op(loop)
        loops.append(loop.induction_variable)
        body = loop.body.block
    block.location = like.location
    block.operands = [*loops, *block.inputs, block.output]
    block.bindings = AffineMapAttr(AffineMap.identity(len(loops)))
    set_loop_count(block, len(loops))
    body.add_op(block)


def set_loop_count(block: BlockOp, loops: int) -> None:
    """Record how many of a block's operands are loops."""
    block.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [loops, len(block.accesses) - 1, 1])


def _as_memref(kind: Attribute, op: Operation) -> MemRefType[Attribute]:
    if isinstance(kind, MemRefType):
        return cast(MemRefType[Attribute], kind)
    if not isinstance(kind, TensorType):
        raise CompileError(f"a function takes and returns tensors or memrefs, not {kind}", location_of(op))
    if any(extent < 1 for extent in kind.get_shape()):
        raise CompileError(f"{kind}: dynamic or empty shapes; static ones are required", location_of(op))
    shaped = cast(TensorType[Attribute], kind)
    return MemRefType(shaped.get_element_type(), shaped.get_shape())
